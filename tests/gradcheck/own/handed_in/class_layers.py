"""Layers as classes, as in "Deep Learning from Scratch": all of them right.

A layer keeps what its backward needs, and stores the gradients of its own arrays.
"""

import numpy as np


def im2col(x, height, width, stride=1, pad=0):
    """x (N, C, H, W) -> (N * OH * OW, C * height * width)."""
    N, C, H, W = x.shape
    rows, columns = (H + 2 * pad - height) // stride + 1, (W + 2 * pad - width) // stride + 1
    image = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    col = np.zeros((N, C, height, width, rows, columns), x.dtype)
    for i in range(height):
        for j in range(width):
            col[:, :, i, j] = image[:, :, i:i + stride * rows:stride, j:j + stride * columns:stride]
    return col.transpose(0, 4, 5, 1, 2, 3).reshape(N * rows * columns, -1)


def col2im(col, shape, height, width, stride=1, pad=0):
    """The reverse of im2col; what belongs to one pixel is added."""
    N, C, H, W = shape
    rows, columns = (H + 2 * pad - height) // stride + 1, (W + 2 * pad - width) // stride + 1
    col = col.reshape(N, rows, columns, C, height, width).transpose(0, 3, 4, 5, 1, 2)
    image = np.zeros((N, C, H + 2 * pad, W + 2 * pad), col.dtype)
    for i in range(height):
        for j in range(width):
            bottom, right = i + stride * rows, j + stride * columns
            image[:, :, i:bottom:stride, j:right:stride] += col[:, :, i, j]
    return image[:, :, pad:pad + H, pad:pad + W].copy()


class Relu:
    def forward(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, 0).astype(x.dtype)

    def backward(self, dout):
        return np.where(self.mask, dout, 0).astype(dout.dtype)


class Sigmoid:
    def forward(self, x):
        self.small = np.exp(-np.abs(x))
        return np.where(x >= 0, 1 / (1 + self.small), self.small / (1 + self.small))

    def backward(self, dout):
        return dout * self.small / (1 + self.small) ** 2


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out.copy()

    def backward(self, dout):
        return dout * (1 - self.out) * (1 + self.out)


class Affine:
    def __init__(self, W, b):
        if b.shape != W.shape[1:]:
            raise ValueError(f"b must be {W.shape[1:]}, got {b.shape}")
        self.W, self.b = W, b
        self.dW = self.db = None

    def forward(self, x):
        self.shape, self.x = x.shape, x.reshape(len(x), -1)
        return self.x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return (dout @ self.W.T).reshape(self.shape)


class Linear:
    """Makes its own weights (out, in), and keeps arrays and gradients in lists."""

    def __init__(self, in_features, out_features):
        scale = 1 / np.sqrt(in_features)
        weight = scale * np.random.randn(out_features, in_features)
        self.params = [weight, np.zeros(out_features)]
        self.grads = [np.zeros_like(array) for array in self.params]

    def forward(self, x):
        weight, bias = self.params
        if bias.shape != weight.shape[:1]:
            raise ValueError(f"the bias must be {weight.shape[:1]}, got {bias.shape}")
        self.x = x
        return x @ weight.T + bias

    def backward(self, dout):
        self.grads = [dout.T @ self.x, dout.sum(axis=0)]
        return dout @ self.params[0]


class Convolution:
    """W (FN, C, FH, FW), b (FN,)."""

    def __init__(self, W, b, stride=1, pad=0):
        self.W, self.b, self.stride, self.pad = W, b, stride, pad

    def forward(self, x):
        FN, _, FH, FW = self.W.shape
        N, _, H, W = x.shape
        rows = (H + 2 * self.pad - FH) // self.stride + 1
        columns = (W + 2 * self.pad - FW) // self.stride + 1
        self.shape, self.col = x.shape, im2col(x, FH, FW, self.stride, self.pad)
        out = self.col @ self.W.reshape(FN, -1).T + self.b
        return out.reshape(N, rows, columns, FN).transpose(0, 3, 1, 2).copy()

    def backward(self, dout):
        FN, _, FH, FW = self.W.shape
        dout = dout.transpose(0, 2, 3, 1).reshape(-1, FN)
        self.db, self.dW = dout.sum(axis=0), (dout.T @ self.col).reshape(self.W.shape)
        return col2im(dout @ self.W.reshape(FN, -1), self.shape, FH, FW, self.stride, self.pad)


class Conv2D(Convolution):
    """The same, but it makes its own W and b."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        weight = 0.1 * np.random.randn(out_channels, in_channels, kernel_size, kernel_size)
        Convolution.__init__(self, weight, np.zeros(out_channels), stride, padding)


class Pooling:
    """Max pooling; the padding is never the largest."""

    def __init__(self, pool_h, pool_w, stride=1, pad=0):
        self.pool_h, self.pool_w, self.stride, self.pad = pool_h, pool_w, stride, pad

    def forward(self, x):
        N, C, H, W = x.shape
        P, size = self.pad, self.pool_h * self.pool_w
        image = np.pad(x, ((0, 0), (0, 0), (P, P), (P, P)), constant_values=-np.inf)
        rows = (H + 2 * P - self.pool_h) // self.stride + 1
        columns = (W + 2 * P - self.pool_w) // self.stride + 1
        col = im2col(image, self.pool_h, self.pool_w, self.stride).reshape(-1, size)
        self.shape, self.places = image.shape, col.argmax(axis=1)
        return col.max(axis=1).reshape(N, rows, columns, C).transpose(0, 3, 1, 2).copy()

    def backward(self, dout):
        size, P = self.pool_h * self.pool_w, self.pad
        dout = dout.transpose(0, 2, 3, 1)
        dmax = np.zeros((dout.size, size), dout.dtype)
        dmax[np.arange(dout.size), self.places] = dout.ravel()
        N, C, H, W = self.shape
        dimage = col2im(dmax.reshape(-1, C * size), self.shape, self.pool_h, self.pool_w,
                        self.stride)
        return dimage[:, :, P:H - P, P:W - P].copy()


class AveragePooling:
    """The mean of every window; its padding counts as zeros."""

    def __init__(self, pool_size, stride=1, pad=0):
        self.size, self.stride, self.pad = pool_size, stride, pad

    def forward(self, x):
        N, C, H, W = x.shape
        rows = (H + 2 * self.pad - self.size) // self.stride + 1
        columns = (W + 2 * self.pad - self.size) // self.stride + 1
        col = im2col(x, self.size, self.size, self.stride, self.pad).reshape(-1, self.size**2)
        self.shape = x.shape
        return col.mean(axis=1).reshape(N, rows, columns, C).transpose(0, 3, 1, 2).copy()

    def backward(self, dout):
        C, size = dout.shape[1], self.size**2
        each = dout.transpose(0, 2, 3, 1).reshape(-1, C, 1) / size
        col = np.repeat(each, size, axis=2).reshape(-1, C * size)
        return col2im(col, self.shape, self.size, self.size, self.stride, self.pad)


class BatchNormalization:
    """x (N, D) or (N, C, H, W); in training with the statistics of the batch."""

    def __init__(self, gamma, beta, momentum=0.9, running_mean=None, running_var=None, eps=1e-5):
        self.gamma, self.beta, self.momentum, self.eps = gamma, beta, momentum, eps
        self.running_mean, self.running_var = running_mean, running_var

    def forward(self, x, train_flg=True):
        rows = x if x.ndim == 2 else x.transpose(0, 2, 3, 1).reshape(-1, x.shape[1])
        if self.running_mean is None:
            self.running_mean, self.running_var = np.zeros((2, rows.shape[1]), x.dtype)
        mean, var = self.running_mean, self.running_var
        if train_flg:
            mean, var, m = rows.mean(axis=0), rows.var(axis=0), self.momentum
            self.running_mean = m * self.running_mean + (1 - m) * mean
            self.running_var = m * self.running_var + (1 - m) * var
        self.trains, self.std = train_flg, np.sqrt(var + self.eps)
        self.hat = (rows - mean) / self.std
        return self._like(self.gamma * self.hat + self.beta, x)

    def backward(self, dout):
        rows = dout if dout.ndim == 2 else dout.transpose(0, 2, 3, 1).reshape(-1, dout.shape[1])
        self.dgamma, self.dbeta = (rows * self.hat).sum(axis=0), rows.sum(axis=0)
        dhat = rows * self.gamma
        if self.trains:
            dhat = dhat - dhat.mean(axis=0) - self.hat * (dhat * self.hat).mean(axis=0)
        return self._like(dhat / self.std, dout)

    @staticmethod
    def _like(rows, x):
        if x.ndim == 2:
            return rows
        N, C, H, W = x.shape
        return rows.reshape(N, H, W, C).transpose(0, 3, 1, 2).copy()


class Dropout:
    """dropout_ratio is the share that is set to zero."""

    def __init__(self, dropout_ratio=0.5):
        self.dropout_ratio = dropout_ratio

    def forward(self, x, train_flg=True):
        keep = 1 - self.dropout_ratio
        drawn = np.random.rand(*x.shape) < keep if train_flg else np.full(x.shape, keep)
        self.mask = drawn.astype(x.dtype) / x.dtype.type(keep)
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


class Softmax:
    def forward(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        self.out = e / e.sum(axis=-1, keepdims=True)
        return self.out.copy()

    def backward(self, dout):
        return self.out * (dout - (dout * self.out).sum(axis=-1, keepdims=True))


class SoftmaxWithLoss:
    def forward(self, x, t):
        if t.min() < 0 or t.max() >= x.shape[1]:
            raise ValueError(f"classes must be in 0..{x.shape[1] - 1}")
        shifted = x - x.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.y, self.t = np.exp(logs), t
        return -logs[np.arange(len(t)), t].mean()

    def backward(self, dout=1):
        dx = self.y.copy()
        dx[np.arange(len(dx)), self.t] -= 1
        return (dx * dout / len(dx)).astype(dx.dtype)
