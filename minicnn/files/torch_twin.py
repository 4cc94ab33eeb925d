"""A network's layers computed by PyTorch, where it is installed: a second opinion on every number.

Each kind of layer is written once, in a line or a few of PyTorch's functions; whoever compares,
checks or times takes it from here. Tensors are N,C,H,W, and arrays in PyTorch's layout: kernels
(out, in/groups, kh, kw), dense weights (out, in), which read an image in the order C,H,W. Dtype,
device and memory format are those of what comes in, and autograd follows.

Nothing of `minicnn.ops` is used here, nor is `minicnn.images`: for a probe the photo is prepared,
windows are rounded and padded, and means divided by PyTorch's own rules, in float64. Which layers
there are, with which settings, the network says. The weights are its own, or, where a file came in
PyTorch's layout, the file's arrays as they lie there: so a kernel that was turned wrongly on its
way from there to here shows.

PyTorch is no part of this library and never needed: it is imported when a function runs.
"""

import importlib
from dataclasses import replace
from functools import partial
from math import ceil

import numpy as np

from minicnn.backend import to_host
from minicnn.files import mapped
from minicnn.network import INPUT
from minicnn.network.layers import Conv, Dense, Flatten

PIECE = 1 << 22  # weights of a dense layer in float64 at once: 32 MB
BAND = 1 << 22  # numbers of one convolution's windows at once: PyTorch lays all of them out


class NotComputed(ValueError):
    """PyTorch is missing, or has no such layer."""


def version():
    """"PyTorch 2.13.0"; None where it cannot be imported."""
    try:
        return f"PyTorch {_torch().__version__.partition('+')[0]}"
    except NotComputed:
        return None


def _torch():
    try:
        return importlib.import_module("torch")
    except (ImportError, OSError):  # OSError: its own libraries cannot be loaded
        raise NotComputed("PyTorch cannot be imported") from None


# ---- between our axes and PyTorch's

def channels_first(x):
    """A tensor N,H,W,C -> N,C,H,W; rows stay as they are."""
    return x.permute(0, 3, 1, 2) if x.ndim == 4 else x


def channels_last(x):
    """A tensor N,C,H,W -> N,H,W,C; rows stay as they are."""
    return x.permute(0, 2, 3, 1) if x.ndim == 4 else x


def to_torch(x):
    """A copy of an array (N, H, W, C) as a tensor (N, C, H, W); rows stay as they are."""
    return channels_first(_torch().tensor(x)).contiguous()


def to_numpy(x):
    """A tensor (N, C, H, W) as an array (N, H, W, C); rows stay as they are."""
    return channels_last(x.detach()).cpu().numpy()


def turned(w, image):
    """A layer's array in PyTorch's layout; vectors stay as they are.

    Parameters
    ----------
    w : tensor (KH, KW, C/G, O), (D, O) or (C,)
    image : tuple
        What the layer reads, (H, W, C) or (D,).

    Returns
    -------
    tensor (O, C/G, KH, KW), (O, D) or (C,)
    """
    if w.ndim == 1:
        return w
    if w.ndim == 4:
        return w.permute(3, 2, 0, 1).contiguous()  # KH,KW,C/G,O -> O,C/G,KH,KW
    cubes = w.reshape(*(1, 1, *image)[-3:], -1)  # H*W*C,O -> H,W,C,O; D,O -> 1,1,D,O
    return cubes.permute(3, 2, 0, 1).flatten(1).contiguous()  # H,W,C,O -> O,C,H,W -> O,C*H*W


def arrays(network):
    """Copies of a network's arrays as tensors in PyTorch's layout: {"conv1": {"w": w}, ...}."""
    torch = _torch()
    return {name: {key: turned(torch.tensor(to_host(value)), network.input_shapes[name])
                   for key, value in named.items()} for name, named in network.params.items()}


# ---- layers

def compute(layer, x, arrays, learn=False):
    """What a layer makes of its input.

    Parameters
    ----------
    layer : Layer
    x : tensor (N, C, H, W) or (N, D); a list where the layer reads several
    arrays : dict of str to tensor
        Those of the layer, in PyTorch's layout (`turned`).
    learn : bool
        Drop out, and normalise by the batch's own mean and variance.

    Returns
    -------
    tensor

    Raises
    ------
    NotComputed
        PyTorch is missing.
    KeyError, RuntimeError
        It has no such layer, or not with these settings.
    """
    return COMPUTED[type(layer).__name__](_torch(), layer, x, arrays, learn)


def _conv(torch, layer, x, arrays, _):
    return torch.nn.functional.conv2d(x, arrays["w"], arrays.get("b"), layer.stride, layer.pad,
                                      layer.dilation, layer.groups)


def _dense(torch, layer, x, arrays, _):
    rows, w = x.flatten(1), arrays["w"].flatten(1)  # N,C,H,W -> N,C*H*W; O,C,H,W -> O,C*H*W
    return torch.nn.functional.linear(rows, w, arrays.get("b"))


def _batch_norm(torch, layer, x, arrays, learn):
    given = (None, None) if learn else (arrays["mean"], arrays["variance"])
    return torch.nn.functional.batch_norm(x, *given, arrays.get("gamma"), arrays["beta"], learn,
                                          eps=layer.epsilon)


def _max_pool(torch, layer, x, *_):
    return torch.nn.functional.max_pool2d(x, layer.window, layer.stride, layer.pad,
                                          ceil_mode=layer.rounding == "ceil")


def _average_pool(torch, layer, x, *_):
    return torch.nn.functional.avg_pool2d(x, layer.window, layer.stride, layer.pad,
                                          layer.rounding == "ceil", layer.border == "padding")


def _lrn(torch, layer, x, *_):
    alpha = layer.alpha * (1 if layer.convention == "caffe" else layer.size)  # PyTorch divides it
    return torch.nn.functional.local_response_norm(x, layer.size, alpha, layer.beta, layer.k)


def _dropout(torch, layer, x, _, learn):
    return torch.nn.functional.dropout(x, layer.rate, learn)


COMPUTED = {
    "Conv": _conv, "Dense": _dense, "BatchNorm": _batch_norm, "MaxPool": _max_pool,
    "AveragePool": _average_pool, "LRN": _lrn, "Dropout": _dropout,
    "GlobalAveragePool": lambda torch, layer, x, *_: x.mean(dim=(2, 3)),
    "ReLU": lambda torch, layer, x, *_: torch.relu(x),
    "Flatten": lambda torch, layer, x, *_: channels_last(x).flatten(1),  # -> N,H*W*C, as here
    "Concat": lambda torch, layer, parts, *_: torch.cat(parts, dim=1),
    "Add": lambda torch, layer, parts, *_: sum(parts[1:], parts[0]),
    "Softmax": lambda torch, layer, x, *_: torch.softmax(x, dim=1),
    "Sigmoid": lambda torch, layer, x, *_: torch.sigmoid(x),
    "Tanh": lambda torch, layer, x, *_: torch.tanh(x),
}


# ---- networks

def forward(network, x, arrays, learn=False, to=None):
    """Run a network on a batch of tensors, row by row.

    Parameters
    ----------
    network : Network
        Its rows and their settings; the arrays that it holds play no part.
    x : tensor (N, C, H, W)
    arrays : dict of str to dict of str to tensor
        In PyTorch's layout, as from `arrays`.
    learn : bool
        As for `compute`.
    to : str, optional
        Compute this layer and what it depends on, no more; the last row where not given.

    Yields
    ------
    (str, tensor)
        The layer's name and its output.
    """
    def computed(name, layer, read):
        return compute(layer, read, arrays.get(name, {}), learn)

    return _rows(network, x, computed, to and [to])


def _rows(network, x, computed, goals=None):
    """(name, output) of each row that is needed; outputs are let go after their last reader."""
    alive, readers = {INPUT: x}, network.last_readers(goals)
    for name, layer, inputs in network.rows:
        if name in readers:
            read = [alive[place] for place in inputs]
            alive[name] = computed(name, layer, read if layer.several else read[0])
            for place in {place for place in inputs if readers[place] == name}:
                del alive[place]
            yield name, alive[name]


# ---- for a probe

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
    """What every layer makes of a batch, one after the other, in float64 and bounded memory.

    Parameters
    ----------
    network : Network
    x : array (N, H, W, C)
    weights : dict of str to array, optional
        Arrays in PyTorch's layout by their place here, "conv1_1/w"; where one reads an image, it
        may lie as kernels do, and it does so behind a Flatten, too. The network's own where not
        given.

    Yields
    ------
    (str, array)
        The layer's name and its output, float64, in the axes that it has here.

    Raises
    ------
    NotComputed
        PyTorch is missing, or lacks a setting.
    """
    with _torch().inference_mode():
        image = to_torch(np.asarray(x, np.float64))
        for name, y in _rows(network, image, partial(_in_float64, network, weights)):
            yield name, to_numpy(y)


def _in_float64(network, weights, name, layer, x):
    """A layer's output; of convolutions and dense layers in pieces, see BAND and PIECE."""
    own = weights is None

    def given(outputs=slice(None)):
        return {key: turned(_wide(value[..., outputs]), network.input_shapes[name]) if own
                else _wide(value[outputs]) for key, value in lying.items()}

    try:
        lying = {key: to_host(value if own else weights[f"{name}/{key}"])
                 for key, value in network.params.get(name, {}).items()}
        if isinstance(layer, Conv):
            return _in_bands(layer, x, given())
        if not isinstance(layer, Dense):
            return compute(layer, x, given())
        image = None if own else _flattened(network, name)
        x = channels_first(x.unflatten(1, image)) if image else x  # N,H*W*C -> N,H,W,C -> N,C,H,W
        run = max(1, PIECE // x[0].numel())
        return _torch().cat([compute(layer, x, given(slice(first, first + run)))
                             for first in range(0, layer.units, run)], dim=1)
    except (RuntimeError, KeyError) as error:
        raise NotComputed(f"{name}: {' '.join(str(error).split())}") from None


def _in_bands(layer, x, arrays):
    """A convolution of some rows of its output after the others."""
    torch, w = _torch(), arrays["w"]
    (ph, pw), (step, _), (apart, _) = map(both, (layer.pad, layer.stride, layer.dilation))
    x, flush = torch.nn.functional.pad(x, (pw, pw, ph, ph)), replace(layer, pad=0)
    span = apart * (w.shape[2] - 1) + 1
    rows, width = (x.shape[2] - span) // step + 1, x.shape[3] * x.shape[1] * w[0, 0].numel()
    bands = max(1, ceil(rows * width / BAND))
    edges = [rows * k // bands for k in range(bands + 1)]
    return torch.cat([compute(flush, x[:, :, first * step:(last - 1) * step + span], arrays)
                      for first, last in zip(edges, edges[1:], strict=False) if last > first], 2)


def both(value):
    """A setting of a window as (vertical, horizontal)."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def _flattened(network, name):
    """The image (H, W, C) whose rows a dense layer reads behind a Flatten; None without one."""
    below, = network.inputs(name)
    while below != INPUT and not isinstance(network[below], Dense):
        read = network.input_shapes[below]
        if network.shapes[below] != read:
            return read if isinstance(network[below], Flatten) else None
        below = network.inputs(below)[0]
    return None


def _wide(array):
    """A copy as a tensor in float64; an array that lies in a file takes no memory any more."""
    tensor = _torch().from_numpy(np.array(array, np.float64))
    mapped.let_go(array)
    return tensor
