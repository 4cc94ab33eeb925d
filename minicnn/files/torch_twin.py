"""Compute a network's layers with PyTorch, if it is installed, as an independent check.

Each kind of layer is written once, in a few of PyTorch's functions; all comparisons, checks and
timings use it. Tensors are N,C,H,W. Arrays have PyTorch's layout: kernels (out, in/groups, kh, kw)
and dense weights (out, in), which read an image in the order C,H,W. Results have the dtype, device
and memory format of the input, and autograd works.

Neither `minicnn.ops` nor `minicnn.images` is used here: for a probe, PyTorch's own rules in float64
prepare the photo, round and pad windows, and divide means. The layers and their settings are the
network's. The weights are the network's or, for a file in PyTorch's layout, the arrays as stored in
the file, so that a kernel turned wrongly in the conversion is detected.

PyTorch is not part of this library and never required: it is imported when a function runs.
"""

import importlib
from dataclasses import replace
from functools import partial
from math import ceil

import numpy as np

from minicnn.backend import to_host
from minicnn.files import mapped
from minicnn.files.plain import rows
from minicnn.network import INPUT
from minicnn.network.layers import Conv, Dense, Flatten

PIECE = 1 << 22  # weights of a dense layer converted to float64 at once: 32 MB
BAND = 1 << 22  # numbers in a convolution's windows at once: PyTorch copies all windows


class NotComputed(ValueError):
    """PyTorch is missing, or lacks a layer or setting."""


def version():
    """"PyTorch 2.13.0"; None if it cannot be imported."""
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
    """A tensor N,H,W,C -> N,C,H,W; rows (N, D) stay unchanged."""
    return x.permute(0, 3, 1, 2) if x.ndim == 4 else x


def channels_last(x):
    """A tensor N,C,H,W -> N,H,W,C; rows (N, D) stay unchanged."""
    return x.permute(0, 2, 3, 1) if x.ndim == 4 else x


def to_torch(x):
    """A copy of an array (N, H, W, C) as a tensor (N, C, H, W); rows stay unchanged."""
    return channels_first(_torch().tensor(x)).contiguous()


def to_numpy(x):
    """A tensor (N, C, H, W) as an array (N, H, W, C); rows stay unchanged."""
    return channels_last(x.detach()).cpu().numpy()


def turned(w, image):
    """A layer's array in PyTorch's layout; vectors stay unchanged.

    Parameters
    ----------
    w : tensor (KH, KW, C/G, O), (D, O) or (C,)
    image : tuple
        The layer's input shape, (H, W, C) or (D,).

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
    """The output of a layer for an input.

    Parameters
    ----------
    layer : Layer
    x : tensor (N, C, H, W) or (N, D); a list if the layer has several inputs
    arrays : dict of str to tensor
        The layer's arrays, in PyTorch's layout (`turned`).
    learn : bool
        Training mode: apply dropout, and normalise by the batch's own mean and variance.

    Returns
    -------
    tensor

    Raises
    ------
    NotComputed
        PyTorch is missing.
    KeyError, RuntimeError
        PyTorch does not have the layer, or not with these settings.
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
    alpha = layer.alpha * (1 if layer.convention == "caffe" else layer.size)  # PyTorch divides by n
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
        Only its rows and their settings are used, not its arrays.
    x : tensor (N, C, H, W)
    arrays : dict of str to dict of str to tensor
        In PyTorch's layout, as from `arrays`.
    learn : bool
        As for `compute`.
    to : str, optional
        Compute only this layer and the layers it depends on. Default: the last row.

    Yields
    ------
    (str, tensor)
        The layer's name and its output.
    """
    def computed(name, layer, read):
        return compute(layer, read, arrays.get(name, {}), learn)

    return rows(network, x, computed, to and [to])


# ---- for a probe

def prepared(picture, preprocessing, channels=3):
    """A picture preprocessed for a network, without resizing.

    Parameters
    ----------
    picture : (H, W, 3) uint8
        Of the network's input size.
    preprocessing : images.Preprocessing or None
        If None, pixels become -2..2 in `channels` channels.
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
    """The output of every layer for a batch, one after the other, in float64 and bounded memory.

    Parameters
    ----------
    network : Network
    x : array (N, H, W, C)
    weights : dict of str to array, optional
        Arrays in PyTorch's layout, {"conv1_1/w": array, ...}. Dense weights that read an image,
        also behind a Flatten, may have the axes of kernels. Default: the network's own.

    Yields
    ------
    (str, array)
        The layer's name and its output, float64, with minicnn's axes.

    Raises
    ------
    NotComputed
        PyTorch is missing, or lacks a setting.
    """
    with _torch().inference_mode():
        image = to_torch(np.asarray(x, np.float64))
        for name, y in rows(network, image, partial(_in_float64, network, weights)):
            yield name, to_numpy(y)


def _in_float64(network, weights, name, layer, x):
    """A layer's output; convolutions and dense layers run in pieces, see BAND and PIECE."""
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
    """The output of a convolution, computed in bands of rows."""
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
    """The image (H, W, C) that a Flatten below a dense layer reads; None without a Flatten."""
    below, = network.inputs(name)
    while below != INPUT and not isinstance(network[below], Dense):
        read = network.input_shapes[below]
        if network.shapes[below] != read:
            return read if isinstance(network[below], Flatten) else None
        below = network.inputs(below)[0]
    return None


def _wide(array):
    """A copy as a float64 tensor; frees the memory of an array that is mapped from a file."""
    tensor = _torch().from_numpy(np.array(array, np.float64))
    mapped.let_go(array)
    return tensor
