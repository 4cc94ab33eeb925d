"""Layers in the form of a course of deeplearning.ai: N,H,W,C, a dict hparameters, b (1, 1, 1, O).

They are right, but that equal maxima of a window get the whole gradient each.
"""

import numpy as np


def zero_pad(X, pad):
    return np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))


def conv_forward(A_prev, W, b, hparameters):
    """A_prev (m, n_H, n_W, n_C), W (f, f, n_C, O) -> (m, rows, columns, O)."""
    m, n_H_prev, n_W_prev, _ = A_prev.shape
    f, f, _, n_C = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H, n_W = (n_H_prev - f + 2 * pad) // stride + 1, (n_W_prev - f + 2 * pad) // stride + 1
    Z, image = np.zeros((m, n_H, n_W, n_C), A_prev.dtype), zero_pad(A_prev, pad)
    for h in range(n_H):
        for w in range(n_W):
            for c in range(n_C):
                cut = image[:, h * stride:h * stride + f, w * stride:w * stride + f]
                Z[:, h, w, c] = (cut * W[..., c]).sum((1, 2, 3)) + b[0, 0, 0, c]
    return Z, (A_prev, W, b, hparameters)


def conv_backward(dZ, cache):
    A_prev, W, b, hparameters = cache
    f, f, _, n_C = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    image, dW, db = zero_pad(A_prev, pad), np.zeros_like(W), np.zeros_like(b)
    d_image = np.zeros_like(image)
    for h in range(dZ.shape[1]):
        for w in range(dZ.shape[2]):
            cut = np.s_[:, h * stride:h * stride + f, w * stride:w * stride + f]
            for c in range(n_C):
                dz = dZ[:, h, w, c, None, None, None]
                d_image[cut] += W[..., c] * dz
                dW[..., c] += (image[cut] * dz).sum(0)
                db[..., c] += dz.sum()
    _, n_H_prev, n_W_prev, _ = A_prev.shape
    return d_image[:, pad:pad + n_H_prev, pad:pad + n_W_prev], dW, db


def pool_forward(A_prev, hparameters, mode="max"):
    m, n_H_prev, n_W_prev, n_C = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H, n_W = 1 + (n_H_prev - f) // stride, 1 + (n_W_prev - f) // stride
    A = np.zeros((m, n_H, n_W, n_C), A_prev.dtype)
    for h in range(n_H):
        for w in range(n_W):
            cut = A_prev[:, h * stride:h * stride + f, w * stride:w * stride + f]
            A[:, h, w] = cut.max((1, 2)) if mode == "max" else cut.mean((1, 2))
    return A, (A_prev, hparameters)


def pool_backward(dA, cache, mode="max"):
    A_prev, hparameters = cache
    f, stride = hparameters["f"], hparameters["stride"]
    dA_prev = np.zeros_like(A_prev)
    for h in range(dA.shape[1]):
        for w in range(dA.shape[2]):
            cut = np.s_[:, h * stride:h * stride + f, w * stride:w * stride + f]
            share = (A_prev[cut] == A_prev[cut].max((1, 2), keepdims=True) if mode == "max"
                     else A_prev.dtype.type(1 / f**2))
            dA_prev[cut] += share * dA[:, h, w][:, None, None]
    return dA_prev
