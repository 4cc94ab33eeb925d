"""Layers whose names say nothing, and some that minicnn has not: CHECK says what they are."""

import numpy as np


def mix(images, kernels, offsets, stride=1):
    """A convolution of images (N, H, W, C), without padding: only its name is odd."""
    KH, KW = kernels.shape[:2]
    OH, OW = ((images.shape[1 + a] - kernels.shape[a]) // stride + 1 for a in (0, 1))
    out = np.zeros((len(images), OH, OW, kernels.shape[3]), images.dtype)
    for i in range(OH):
        for j in range(OW):
            window = images[:, i * stride:i * stride + KH, j * stride:j * stride + KW]
            out[:, i, j] = np.tensordot(window, kernels, axes=3) + offsets
    return out, (images, kernels, stride)


def unmix(dout, cache):
    images, kernels, stride = cache
    KH, KW = kernels.shape[:2]
    dimages, dkernels = np.zeros_like(images), np.zeros_like(kernels)
    for i in range(dout.shape[1]):
        for j in range(dout.shape[2]):
            top, left = i * stride, j * stride
            window = images[:, top:top + KH, left:left + KW]
            dkernels += np.tensordot(window, dout[:, i, j], axes=(0, 0))
            dwindow = np.tensordot(dout[:, i, j], kernels, axes=(1, 3))  # N,KH,KW,C
            dimages[:, top:top + KH, left:left + KW] += dwindow
    return dimages, dkernels, dout.sum(axis=(0, 1, 2))


class Clip:
    """A ReLU by another name."""

    def forward(self, x):
        self.passed = x > 0
        return np.where(self.passed, x, 0).astype(x.dtype)

    def backward(self, dout):
        return np.where(self.passed, dout, 0).astype(dout.dtype)


def scale_forward(x, a):
    return x * a, (x, a)


def scale_backward(dout, cache):
    x, a = cache
    return dout * a, (dout * x).sum(axis=0)


def swish_forward(x):
    gate = (1 + np.tanh(x / 2)) / 2
    return x * gate, (x, gate)


def swish_backward(dout, cache):
    x, gate = cache
    return dout * gate * (1 + x * (1 - gate))


def bend_forward(x, slope, curve):
    return x * slope + x**2 * curve, (x, slope, curve)


def bend_backward(dout, cache):
    x, slope, curve = cache
    return dout * (slope + 2 * x * curve)


CHECK = {
    "conv": (mix, unmix),
    "relu": Clip,
    "scale": {"x": (4, 5), "a": (5,)},
}
