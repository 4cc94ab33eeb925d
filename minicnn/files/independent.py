"""A network's layers computed by PyTorch, where it is installed: a second opinion on every number.

Nothing of `minicnn.ops` is used here, nor is `minicnn.images`: the photo is prepared, windows are
rounded and padded, and means divided by PyTorch's own rules, in N,C,H,W and float64. Which layers
there are, with which settings, the network says. The weights are its own, or, where a file came in
PyTorch's layout, the file's arrays as they lie there: so a kernel that was turned wrongly on its
way from there to here shows. One short function a kind of layer.

PyTorch is no part of this library and never needed: it is imported when a function runs.
"""

import importlib
from math import ceil

import numpy as np

from minicnn.backend import to_host
from minicnn.files import mapped
from minicnn.network import INPUT

PIECE = 1 << 22  # weights of a dense layer in float64 at once: 32 MB
BAND = 1 << 22  # numbers of one convolution's windows at once: PyTorch lays all of them out


class NotComputed(ValueError):
    """PyTorch is missing, or has no such layer."""


def version():
    """"PyTorch 2.13.0"; None where it cannot be imported."""
    torch = _torch()
    return None if torch is None else f"PyTorch {torch.__version__.partition('+')[0]}"


def prepared(picture, preprocessing, channels=3):
    """A picture of the size that the network reads, in its own numbers.

    Parameters
    ----------
    picture : (H, W, 3) uint8
    preprocessing : images.Preprocessing or None
        Without one pixels become -2..2, in as many channels as asked for.
    channels : int

    Returns
    -------
    (1, H, W, C) float64
    """
    if preprocessing is None:
        planes = [picture[..., channel % 3].astype(np.float64) for channel in range(channels)]
        return (np.stack(planes, axis=2)[None] - 128) / 64
    red, green, blue = np.moveaxis(picture.astype(np.int64), 2, 0)  # H,W,C -> C,H,W
    planes = {"RGB": (red, green, blue), "BGR": (blue, green, red),
              "L": ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16,)}  # ITU-R 601
    pixels = np.stack(planes[preprocessing.order], axis=2).astype(np.float64)
    mean = np.asarray(preprocessing.mean, np.float64)
    if mean.ndim == 3 and picture.shape[:2] == tuple(preprocessing.size):
        top, left = ((mean.shape[axis] - picture.shape[axis]) // 2 for axis in (0, 1))
        mean = mean[top:, left:][:picture.shape[0], :picture.shape[1]]
    elif mean.ndim == 3:
        mean = mean.mean(axis=(0, 1))
    return ((pixels - mean) * np.asarray(preprocessing.scale, np.float64))[None]


def activations(network, x, weights=None):
    """What every layer makes of a batch, one after the other.

    Parameters
    ----------
    network : Network
    x : array (N, H, W, C)
    weights : dict of str to array, optional
        Arrays in PyTorch's layout by their place here, "conv1_1/w": kernels (out, in/groups, kh,
        kw), dense weights (out, in), which read an image in the order C,H,W. The network's own
        where not given.

    Yields
    ------
    (str, array)
        The layer's name and its output, float64, in the axes that it has here.

    Raises
    ------
    NotComputed
        PyTorch is missing, or lacks a setting.
    """
    torch = _torch()
    if torch is None:
        raise NotComputed("PyTorch cannot be imported")
    with torch.inference_mode():
        image = torch.from_numpy(np.array(x, np.float64)).permute(0, 3, 1, 2)  # N,H,W,C -> N,C,H,W
        for name, y in _each(torch, network, image, weights):
            yield name, _as_here(y, network.shapes[name])


def _torch():
    try:
        return importlib.import_module("torch")
    except (ImportError, OSError):  # OSError: its own libraries cannot be loaded
        return None


def _as_here(y, shape):
    """A tensor as an array (N, H, W, C), or (N, D) where the layer gives rows."""
    array = (y.permute(0, 2, 3, 1) if y.ndim == 4 else y).numpy()  # N,C,H,W -> N,H,W,C
    return array.reshape(len(array), *shape) if len(shape) == 1 else array


def _each(torch, network, x, weights):
    """(name, output) of each row in order."""
    alive, readers = {INPUT: x}, network.last_readers()
    for name, layer, inputs in network.rows:
        read = [alive[place] for place in inputs]
        params = _Params(name, network.params.get(name, {}), layer, weights)
        try:
            y = COMPUTED[type(layer).__name__](torch, layer, read if layer.several else read[0],
                                               params)
        except (RuntimeError, KeyError) as error:
            raise NotComputed(f"{name}: {' '.join(str(error).split())}") from None
        alive[name] = y
        yield name, y
        for place in [place for place in inputs if readers[place] == name]:
            alive.pop(place, None)


class _Params:
    """The parameters of one layer, in PyTorch's layout and float64."""

    def __init__(self, name, own, layer, weights):
        self.name, self.own, self.layer, self.weights = name, own, layer, weights

    def array(self, key):
        """As it lies; None where the layer has none of that name."""
        if key not in self.own:
            return None
        return to_host(self.own[key] if self.weights is None
                       else self.weights[f"{self.name}/{key}"])

    def tensor(self, torch, key):
        """As a tensor; None where the layer has none of that name."""
        array = self.array(key)
        return None if array is None else _wide(torch, array)

    def kernels(self, torch):
        """(out, in/groups, kh, kw)."""
        w = self.tensor(torch, "w")
        return w if self.weights is not None else w.permute(3, 2, 0, 1).contiguous()

    def rows(self, torch, first, last, image):
        """(last - first, in) of a dense layer that reads an `image` (C, H, W) in that order."""
        w = self.array("w")
        if self.weights is not None:
            w = w[first:last].reshape(last - first, -1)  # O,C,H,W -> O,C*H*W; (O, in) as it is
        else:
            c, *sides = image
            w = w[:, first:last].reshape(*sides, c, -1)  # H*W*C,O -> H,W,C,O
            w = np.moveaxis(w, (-1, -2), (0, 1)).reshape(last - first, -1)  # O,C,H,W -> O,C*H*W
        return _wide(torch, w)


def _wide(torch, array):
    """A copy as a tensor in float64; an array that lies in a file takes no memory any more."""
    tensor = torch.from_numpy(np.array(array, np.float64))
    mapped.let_go(array)
    return tensor


def _both(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def _conv(torch, layer, x, params):
    """In bands of rows, since PyTorch lays out all windows of a float64 convolution at once."""
    w, b, (ph, pw) = params.kernels(torch), params.tensor(torch, "b"), _both(layer.pad)
    (step, _), (apart, _) = _both(layer.stride), _both(layer.dilation)
    x = torch.nn.functional.pad(x, (pw, pw, ph, ph))
    span = apart * (w.shape[2] - 1) + 1
    rows, width = (x.shape[2] - span) // step + 1, x.shape[3] * x.shape[1] * w[0, 0].numel()
    bands = max(1, ceil(rows * width / BAND))
    edges = [rows * k // bands for k in range(bands + 1)]
    return torch.cat([torch.nn.functional.conv2d(
        x[:, :, first * step:(last - 1) * step + span], w, b, layer.stride, 0, layer.dilation,
        layer.groups) for first, last in zip(edges, edges[1:], strict=False) if last > first], 2)


def _dense(torch, layer, x, params):
    """In pieces of the outputs, since float64 takes twice the room."""
    row, b = x.flatten(1), params.tensor(torch, "b")  # N,C,H,W -> N,C*H*W
    run = max(1, PIECE // row.shape[1])
    edges = [*range(0, layer.units, run), layer.units]
    y = torch.cat([row @ params.rows(torch, first, last, x.shape[1:]).T  # (N, D) @ (D, run)
                   for first, last in zip(edges, edges[1:], strict=False)], dim=1)
    return y if b is None else y + b


def _batch_norm(torch, layer, x, params):
    mean, variance, gamma, beta = (params.tensor(torch, key)
                                   for key in ("mean", "variance", "gamma", "beta"))
    return torch.nn.functional.batch_norm(x, mean, variance, gamma, beta, eps=layer.epsilon)


def _max_pool(torch, layer, x, _):
    return torch.nn.functional.max_pool2d(x, layer.window, layer.stride, layer.pad,
                                          ceil_mode=layer.rounding == "ceil")


def _average_pool(torch, layer, x, _):
    return torch.nn.functional.avg_pool2d(x, layer.window, layer.stride, layer.pad,
                                          layer.rounding == "ceil", layer.border == "padding")


def _lrn(torch, layer, x, _):
    alpha = layer.alpha * (1 if layer.convention == "caffe" else layer.size)  # PyTorch divides it
    return torch.nn.functional.local_response_norm(x, layer.size, alpha, layer.beta, layer.k)


COMPUTED = {
    "Conv": _conv, "Dense": _dense, "BatchNorm": _batch_norm, "MaxPool": _max_pool,
    "AveragePool": _average_pool, "LRN": _lrn,
    "GlobalAveragePool": lambda torch, layer, x, _: x.mean(dim=(2, 3)),
    "ReLU": lambda torch, layer, x, _: torch.relu(x),
    "Dropout": lambda torch, layer, x, _: x,
    "Flatten": lambda torch, layer, x, _: x,  # it stays C,H,W until a dense layer reads it
    "Concat": lambda torch, layer, parts, _: torch.cat(parts, dim=1),
    "Add": lambda torch, layer, parts, _: sum(parts[1:], parts[0]),
    "Softmax": lambda torch, layer, x, _: torch.softmax(x, dim=1),
    "Sigmoid": lambda torch, layer, x, _: torch.sigmoid(x),
    "Tanh": lambda torch, layer, x, _: torch.tanh(x),
}
