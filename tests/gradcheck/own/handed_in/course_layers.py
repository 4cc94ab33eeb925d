"""Layers for an assignment, as a student hands them in: all of them right.

Images are (N, C, H, W) and kernels (F, C, HH, WW).
"""

import numpy as np
from course_windows import back_from_windows, windows_of


def affine_forward(x, w, b):
    """x (N, d1, ..., dk), w (D, M), b (M,) -> (N, M)."""
    if b.shape != w.shape[1:]:
        raise ValueError(f"b must be {w.shape[1:]}, got {b.shape}")
    rows = x.reshape(len(x), -1)
    return rows @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    rows = x.reshape(len(x), -1)
    return (dout @ w.T).reshape(x.shape), rows.T @ dout, dout.sum(axis=0)


def relu_forward(x):
    return np.maximum(x, 0), x


def relu_backward(dout, cache):
    return np.where(cache > 0, dout, 0).astype(dout.dtype)


def sigmoid_forward(x):
    small = np.exp(-np.abs(x))
    out = np.where(x >= 0, 1 / (1 + small), small / (1 + small)).astype(x.dtype)
    return out, small


def sigmoid_backward(dout, cache):
    return dout * cache / (1 + cache) ** 2


def tanh_forward(x):
    out = np.tanh(x)
    return out, out.copy()


def tanh_backward(dout, cache):
    return dout * (1 - cache) * (1 + cache)


# ---- normalisation

def _normalised(x, gamma, beta, eps, axis):
    """Normalise along an axis; returns the output and what `_normalised_back` needs."""
    centred = x - x.mean(axis=axis, keepdims=True)
    scale = np.sqrt((centred**2).mean(axis=axis, keepdims=True) + eps)
    hat = centred / scale
    return gamma * hat + beta, (hat, scale, gamma)


def _normalised_back(dhat, hat, scale, axis):
    mean = dhat.mean(axis=axis, keepdims=True)
    along = (dhat * hat).mean(axis=axis, keepdims=True)
    return (dhat - mean - hat * along) / scale


def batchnorm_forward(x, gamma, beta, bn_param):
    """x (N, D); bn_param has mode, eps, momentum, running_mean and running_var."""
    mode, eps = bn_param["mode"], bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    D = x.shape[1]
    running_mean = bn_param.get("running_mean", np.zeros(D, x.dtype))
    running_var = bn_param.get("running_var", np.zeros(D, x.dtype))
    if mode == "train":
        out, cache = _normalised(x, gamma, beta, eps, 0)
        mean, var = x.mean(axis=0), x.var(axis=0)
        bn_param["running_mean"] = momentum * running_mean + (1 - momentum) * mean
        bn_param["running_var"] = momentum * running_var + (1 - momentum) * var
        return out, ("train", *cache)
    if mode == "test":
        scale = np.sqrt(running_var + eps)
        hat = (x - running_mean) / scale
        return gamma * hat + beta, ("test", hat, scale, gamma)
    raise ValueError(f"mode must be train or test, got {mode!r}")


def batchnorm_backward(dout, cache):
    """Step by step through the graph of the forward pass."""
    mode, hat, scale, gamma = cache
    dgamma, dbeta = (dout * hat).sum(axis=0), dout.sum(axis=0)
    dhat = dout * gamma
    if mode == "test":
        return dhat / scale, dgamma, dbeta
    N = len(dout)
    dcentred = dhat / scale
    dscale = -(dhat * hat / scale).sum(axis=0)
    dvar = dscale / (2 * scale)
    dcentred = dcentred + 2 * (hat * scale) * dvar / N
    return dcentred - dcentred.mean(axis=0), dgamma, dbeta


def batchnorm_backward_alt(dout, cache):
    """The same in one formula."""
    mode, hat, scale, gamma = cache
    dgamma, dbeta = (dout * hat).sum(axis=0), dout.sum(axis=0)
    if mode == "test":
        return dout * gamma / scale, dgamma, dbeta
    return _normalised_back(dout * gamma, hat, scale, 0), dgamma, dbeta


def layernorm_forward(x, gamma, beta, ln_param):
    """x (N, D), every row normalised by itself."""
    return _normalised(x, gamma, beta, ln_param.get("eps", 1e-5), 1)


def layernorm_backward(dout, cache):
    hat, scale, gamma = cache
    dx = _normalised_back(dout * gamma, hat, scale, 1)
    return dx, (dout * hat).sum(axis=0), dout.sum(axis=0)


def _to_rows(x):
    return x.transpose(0, 2, 3, 1).reshape(-1, x.shape[1])  # N,C,H,W -> NHW,C


def _to_images(rows, shape):
    N, C, H, W = shape
    return rows.reshape(N, H, W, C).transpose(0, 3, 1, 2).copy()  # NHW,C -> N,C,H,W


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    """x (N, C, H, W), every channel normalised over images and positions."""
    out, cache = batchnorm_forward(_to_rows(x), gamma, beta, bn_param)
    return _to_images(out, x.shape), cache


def spatial_batchnorm_backward(dout, cache):
    dx, dgamma, dbeta = batchnorm_backward_alt(_to_rows(dout), cache)
    return _to_images(dx, dout.shape), dgamma, dbeta


def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    """x (N, C, H, W), gamma and beta (1, C, 1, 1); the channels are in G groups."""
    N, C = x.shape[:2]
    grouped = x.reshape(N * G, -1)
    hat, (_, scale, _) = _normalised(grouped, 1, 0, gn_param.get("eps", 1e-5), 1)
    hat = hat.reshape(x.shape)
    return gamma.reshape(1, C, 1, 1) * hat + beta.reshape(1, C, 1, 1), (hat, scale, gamma, G)


def spatial_groupnorm_backward(dout, cache):
    hat, scale, gamma, G = cache
    N, C = dout.shape[:2]
    dhat = dout * gamma.reshape(1, C, 1, 1)
    dx = _normalised_back(dhat.reshape(N * G, -1), hat.reshape(N * G, -1), scale, 1)
    dgamma = (dout * hat).sum(axis=(0, 2, 3), keepdims=True)
    dbeta = dout.sum(axis=(0, 2, 3), keepdims=True)
    return dx.reshape(dout.shape), dgamma, dbeta


def lrn_forward(x, lrn_param):
    """x (N, C, H, W); every channel is divided by a power of its neighbours' squares."""
    size, alpha, beta, k = (lrn_param[name] for name in ("size", "alpha", "beta", "k"))
    if size % 2 == 0:
        raise ValueError(f"size must be odd, got {size}")
    C, half = x.shape[1], size // 2
    scale = np.stack([k + alpha / size * (x[:, max(0, c - half):c + half + 1]**2).sum(axis=1)
                      for c in range(C)], axis=1).astype(x.dtype)
    return x * scale**-beta, (x, scale, lrn_param)


def lrn_backward(dout, cache):
    x, scale, lrn_param = cache
    size, alpha, beta = lrn_param["size"], lrn_param["alpha"], lrn_param["beta"]
    C, half = x.shape[1], size // 2
    through = dout * x * scale**(-beta - 1)
    near = np.stack([through[:, max(0, c - half):c + half + 1].sum(axis=1) for c in range(C)],
                    axis=1)
    return (dout * scale**-beta - 2 * alpha * beta / size * x * near).astype(x.dtype)


def dropout_forward(x, dropout_param):
    """dropout_param has p, the probability of keeping a value, mode, and perhaps a seed."""
    p, mode = dropout_param["p"], dropout_param["mode"]
    if mode == "test":
        return x.copy(), None
    random = np.random.RandomState(dropout_param["seed"]) if "seed" in dropout_param else np.random
    mask = (random.rand(*x.shape) < p).astype(x.dtype) / x.dtype.type(p)
    return x * mask, mask


def dropout_backward(dout, cache):
    return dout.copy() if cache is None else dout * cache


# ---- windows

def _padded(x, pad):
    return np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))


def conv_forward_naive(x, w, b, conv_param):
    """x (N, C, H, W), w (F, C, HH, WW), b (F,); conv_param has stride and pad."""
    stride, pad = conv_param["stride"], conv_param["pad"]
    (N, _, H, W), (F, _, HH, WW) = x.shape, w.shape
    rows, columns = (H + 2 * pad - HH) // stride + 1, (W + 2 * pad - WW) // stride + 1
    image = _padded(x, pad)
    out = np.zeros((N, F, rows, columns), x.dtype)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = image[:, None, :, top:top + HH, left:left + WW]  # N,1,C,HH,WW
            out[:, :, i, j] = (window * w).sum(axis=(2, 3, 4)) + b
    return out, (x, w, conv_param)


def conv_backward_naive(dout, cache):
    x, w, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    (H, W), (HH, WW) = x.shape[2:], w.shape[2:]
    image = _padded(x, pad)
    dimage, dw = np.zeros_like(image), np.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            top, left = i * stride, j * stride
            here = dout[:, :, i, j]  # N,F
            dw += np.tensordot(here, image[:, :, top:top + HH, left:left + WW], axes=(0, 0))
            dimage[:, :, top:top + HH, left:left + WW] += np.tensordot(here, w, axes=(1, 0))
    return dimage[:, :, pad:pad + H, pad:pad + W].copy(), dw, dout.sum(axis=(0, 2, 3))


def conv_forward_fast(x, w, b, conv_param):
    """The same by one matrix product."""
    stride, pad = conv_param["stride"], conv_param["pad"]
    windows = windows_of(_padded(x, pad), *w.shape[2:], stride)
    out = np.tensordot(windows, w, axes=((1, 4, 5), (1, 2, 3))) + b  # N,OH,OW,F
    return out.transpose(0, 3, 1, 2).copy(), (x.shape, windows, w, conv_param)


def conv_backward_fast(dout, cache):
    (N, C, H, W), windows, w, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    dw = np.tensordot(dout, windows, axes=((0, 2, 3), (0, 2, 3)))  # F,C,HH,WW
    dwindows = np.tensordot(dout, w, axes=(1, 0)).transpose(0, 3, 1, 2, 4, 5)  # N,C,OH,OW,HH,WW
    dimage = back_from_windows(dwindows, (N, C, H + 2 * pad, W + 2 * pad), stride)
    return dimage[:, :, pad:pad + H, pad:pad + W].copy(), dw, dout.sum(axis=(0, 2, 3))


def max_pool_forward_naive(x, pool_param):
    """x (N, C, H, W); pool_param has pool_height, pool_width and stride."""
    height, width, stride = (pool_param[k] for k in ("pool_height", "pool_width", "stride"))
    N, C, H, W = x.shape
    out = np.zeros((N, C, (H - height) // stride + 1, (W - width) // stride + 1), x.dtype)
    for n, c, i, j in np.ndindex(out.shape):
        top, left = i * stride, j * stride
        out[n, c, i, j] = x[n, c, top:top + height, left:left + width].max()
    return out, (x, pool_param)


def max_pool_backward_naive(dout, cache):
    x, pool_param = cache
    height, width, stride = (pool_param[k] for k in ("pool_height", "pool_width", "stride"))
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        window = x[n, c, i * stride:i * stride + height, j * stride:j * stride + width]
        row, column = divmod(int(window.argmax()), width)  # the first of several
        dx[n, c, i * stride + row, j * stride + column] += dout[n, c, i, j]
    return dx


def max_pool_forward_fast(x, pool_param):
    """The same on all windows at once."""
    height, width, stride = (pool_param[k] for k in ("pool_height", "pool_width", "stride"))
    windows = windows_of(x, height, width, stride)
    rows = windows.reshape(*windows.shape[:4], -1)  # N,C,OH,OW,height*width
    return rows.max(axis=-1), (x.shape, rows.argmax(axis=-1), (height, width), stride)


def max_pool_backward_fast(dout, cache):
    shape, places, (height, width), stride = cache
    here = places[..., None] == np.arange(height * width)
    rows = np.where(here, dout[..., None], 0).astype(dout.dtype)
    return back_from_windows(rows.reshape(*dout.shape, height, width), shape, stride)


# ---- losses: both passes in one call

def _checked(y, x):
    if y.min() < 0 or y.max() >= x.shape[1]:
        raise ValueError(f"classes must be in 0..{x.shape[1] - 1}")
    return len(x)


def softmax_loss(x, y):
    """x (N, C) scores, y (N,) classes -> the mean loss, and its gradient."""
    N = _checked(y, x)
    shifted = x - x.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    dx = np.exp(logs)
    dx[np.arange(N), y] -= 1
    return -logs[np.arange(N), y].mean(), dx / N


def svm_loss(x, y):
    """The mean multiclass hinge loss with a margin of 1, and its gradient."""
    N = _checked(y, x)
    margins = np.maximum(x - x[np.arange(N), y][:, None] + 1, 0)
    margins[np.arange(N), y] = 0
    dx = (margins > 0).astype(x.dtype)
    dx[np.arange(N), y] -= dx.sum(axis=1)
    return margins.sum() / N, dx / N


# ---- sandwiches

def affine_relu_forward(x, w, b):
    out, fc_cache = affine_forward(x, w, b)
    out, relu_cache = relu_forward(out)
    return out, (fc_cache, relu_cache)


def affine_relu_backward(dout, cache):
    fc_cache, relu_cache = cache
    return affine_backward(relu_backward(dout, relu_cache), fc_cache)


def affine_bn_relu_forward(x, w, b, gamma, beta, bn_param):
    out, fc_cache = affine_forward(x, w, b)
    out, bn_cache = batchnorm_forward(out, gamma, beta, bn_param)
    out, relu_cache = relu_forward(out)
    return out, (fc_cache, bn_cache, relu_cache)


def affine_bn_relu_backward(dout, cache):
    fc_cache, bn_cache, relu_cache = cache
    dout, dgamma, dbeta = batchnorm_backward(relu_backward(dout, relu_cache), bn_cache)
    return *affine_backward(dout, fc_cache), dgamma, dbeta


def conv_relu_forward(x, w, b, conv_param):
    out, conv_cache = conv_forward_fast(x, w, b, conv_param)
    out, relu_cache = relu_forward(out)
    return out, (conv_cache, relu_cache)


def conv_relu_backward(dout, cache):
    conv_cache, relu_cache = cache
    return conv_backward_fast(relu_backward(dout, relu_cache), conv_cache)


def conv_bn_relu_forward(x, w, b, gamma, beta, conv_param, bn_param):
    out, conv_cache = conv_forward_fast(x, w, b, conv_param)
    out, bn_cache = spatial_batchnorm_forward(out, gamma, beta, bn_param)
    out, relu_cache = relu_forward(out)
    return out, (conv_cache, bn_cache, relu_cache)


def conv_bn_relu_backward(dout, cache):
    conv_cache, bn_cache, relu_cache = cache
    dout, dgamma, dbeta = spatial_batchnorm_backward(relu_backward(dout, relu_cache), bn_cache)
    return *conv_backward_fast(dout, conv_cache), dgamma, dbeta


def conv_relu_pool_forward(x, w, b, conv_param, pool_param):
    out, conv_cache = conv_forward_fast(x, w, b, conv_param)
    out, relu_cache = relu_forward(out)
    out, pool_cache = max_pool_forward_fast(out, pool_param)
    return out, (conv_cache, relu_cache, pool_cache)


def conv_relu_pool_backward(dout, cache):
    conv_cache, relu_cache, pool_cache = cache
    dout = relu_backward(max_pool_backward_fast(dout, pool_cache), relu_cache)
    return conv_backward_fast(dout, conv_cache)
