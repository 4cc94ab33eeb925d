"""Three right convolutions by three hands, and one of them disguised, as source texts."""

LOOPS = '''\
import numpy as np


def conv_forward(x, w, b=None, stride=1, pad=0, groups=1, dilation=1):
    """Nested loops."""
    cache = conv_describe(x, w, b, stride, pad, groups, dilation)
    N, OH, OW, O = conv_output_shape(cache)
    padded = pad_image(x, cache.pad, cache.pad, 0)
    y = np.zeros((N, OH, OW, O), x.dtype)
    per_in, per_out = w.shape[2], O // groups
    for n in range(N):
        for p in range(OH):
            for q in range(OW):
                for o in range(O):
                    group = o // per_out
                    total = 0.0
                    for i in range(w.shape[0]):
                        for j in range(w.shape[1]):
                            row = p * cache.stride[0] + i * cache.dilation[0]
                            column = q * cache.stride[1] + j * cache.dilation[1]
                            pixels = padded[n, row, column, group * per_in:(group + 1) * per_in]
                            total += np.sum(pixels * w[i, j, :, o])
                    y[n, p, q, o] = total
    if b is not None:
        y = y + b
    return y, cache


def conv_backward(dy, cache, need=("x", "w", "b")):
    """Nested loops again."""
    conv_check_backward(dy, cache, need)
    N, OH, OW, O = dy.shape
    w = cache.w
    top, left = cache.pad
    H, W = cache.x_shape[1:3]
    padded = pad_image(cache.x, cache.pad, cache.pad, 0)
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    per_in, per_out = w.shape[2], O // cache.groups
    for n in range(N):
        for p in range(OH):
            for q in range(OW):
                for o in range(O):
                    first = o // per_out * per_in
                    for i in range(w.shape[0]):
                        for j in range(w.shape[1]):
                            row = p * cache.stride[0] + i * cache.dilation[0]
                            column = q * cache.stride[1] + j * cache.dilation[1]
                            place = (n, row, column, slice(first, first + per_in))
                            dpadded[place] += dy[n, p, q, o] * w[i, j, :, o]
                            dw[i, j, :, o] += dy[n, p, q, o] * padded[place]
    dx = dpadded[:, top:top + H, left:left + W]
    db = dy.sum(axis=(0, 1, 2)) if cache.has_bias else None
    return Gradients(dx, dw, db)
'''
WINDOWS = '''\
import numpy as np


def conv_forward(x, w, b=None, stride=1, pad=0, groups=1, dilation=1):
    cache = conv_describe(x, w, b, stride, pad, groups, dilation)
    shape = conv_output_shape(cache)
    image = pad_image(x, cache.pad, cache.pad, 0)
    parts = []
    for g in range(groups):
        mine = image[..., g * w.shape[2]:(g + 1) * w.shape[2]]
        kernels = np.split(w, groups, axis=3)[g]
        result = 0
        places = views(mine, w.shape[:2], cache.stride, shape[1:3], cache.dilation)
        for k, seen in enumerate(places):
            i, j = divmod(k, w.shape[1])
            result = result + np.einsum("npqc,co->npqo", seen, kernels[i, j])
        parts.append(result)
    y = np.concatenate(parts, axis=-1)
    return (y if b is None else y + b).astype(x.dtype), cache


def conv_backward(dy, cache, need=("x", "w", "b")):
    conv_check_backward(dy, cache, need)
    size, kernel = dy.shape[1:3], cache.w.shape[:2]
    image = pad_image(cache.x, cache.pad, cache.pad, 0)
    dimage, dw = np.zeros(image.shape, dy.dtype), np.zeros(cache.w.shape, dy.dtype)
    for g, gradient in enumerate(np.split(dy, cache.groups, axis=3)):
        channels = slice(g * cache.w.shape[2], (g + 1) * cache.w.shape[2])
        outs = slice(g * gradient.shape[3], (g + 1) * gradient.shape[3])
        reads = views(image[..., channels], kernel, cache.stride, size, cache.dilation)
        writes = views(dimage[..., channels], kernel, cache.stride, size, cache.dilation)
        for k, (seen, written) in enumerate(zip(reads, writes)):
            i, j = divmod(k, kernel[1])
            dw[i, j, :, outs] = np.einsum("npqc,npqo->co", seen, gradient)
            written += np.einsum("npqo,co->npqc", gradient, cache.w[i, j, :, outs])
    bottom, right = cache.pad[0] + cache.x_shape[1], cache.pad[1] + cache.x_shape[2]
    dx = dimage[:, cache.pad[0]:bottom, cache.pad[1]:right, :]
    return Gradients(dx, dw, sum_positions(dy) if cache.has_bias else None)
'''
MATRIX = '''\
import numpy as np


def im2col(x, kh, kw, s, d, oh, ow):
    n, _, _, c = x.shape
    out = np.empty((n, oh, ow, kh, kw, c), x.dtype)
    for a in range(kh):
        rows = np.arange(oh) * s[0] + a * d[0]
        for e in range(kw):
            cols = np.arange(ow) * s[1] + e * d[1]
            out[:, :, :, a, e] = x[:, rows[:, None], cols[None, :]]
    return out.reshape(n * oh * ow, kh * kw * c)


def conv_forward(x, w, b=None, stride=1, pad=0, groups=1, dilation=1):
    meta = conv_describe(x, w, b, stride, pad, groups, dilation)
    kh, kw, cg, o = w.shape
    n, oh, ow, _ = conv_output_shape(meta)
    xp = np.pad(x, [(0, 0), (meta.pad[0],) * 2, (meta.pad[1],) * 2, (0, 0)])
    og = o // groups
    y = np.hstack([
        im2col(xp[..., k * cg:k * cg + cg], kh, kw, meta.stride, meta.dilation, oh, ow)
        @ w[..., k * og:k * og + og].reshape(-1, og) for k in range(groups)])
    if b is not None:
        y += b
    return y.reshape(n, oh, ow, o), meta


def conv_backward(dy, cache, need=("x", "w", "b")):
    conv_check_backward(dy, cache, need)
    kh, kw, cg, o = cache.w.shape
    n, oh, ow, _ = dy.shape
    og = o // cache.groups
    xp = np.pad(cache.x, [(0, 0), (cache.pad[0],) * 2, (cache.pad[1],) * 2, (0, 0)])
    dxp, dw = np.zeros_like(xp), np.empty_like(cache.w)
    flat = dy.reshape(-1, o)
    for k in range(cache.groups):
        upstream = flat[:, k * og:k * og + og]
        cols = im2col(xp[..., k * cg:k * cg + cg], kh, kw, cache.stride, cache.dilation, oh, ow)
        dw[..., k * og:k * og + og] = (cols.T @ upstream).reshape(kh, kw, cg, og)
        dcols = upstream @ cache.w[..., k * og:k * og + og].reshape(-1, og).T
        dcols = dcols.reshape(n, oh, ow, kh, kw, cg)
        for a in range(kh):
            for e in range(kw):
                r, c = a * cache.dilation[0], e * cache.dilation[1]
                dxp[:, r:r + cache.stride[0] * oh:cache.stride[0],
                    c:c + cache.stride[1] * ow:cache.stride[1],
                    k * cg:k * cg + cg][:, :oh, :ow] += dcols[:, :, :, a, e]
    dx = dxp[:, cache.pad[0]:cache.pad[0] + cache.x_shape[1],
             cache.pad[1]:cache.pad[1] + cache.x_shape[2]]
    return Gradients(dx, dw, flat.sum(0) if cache.has_bias else None)
'''
COPIED = '''\
import numpy


def conv_backward(dout, c, need=("x", "w", "b")):
    # my own work
    conv_check_backward(dout, c, need)
    upper, lefter = c.pad
    height, width = c.x_shape[1:3]
    kernels = c.w
    batch, rows, columns, outs = dout.shape
    bigger = pad_image(c.x, c.pad, c.pad, 0)
    ins_each, outs_each = kernels.shape[2], outs // c.groups
    grad_bigger, grad_kernels = numpy.zeros_like(bigger), numpy.zeros_like(kernels)
    for image in range(batch):
        for a in range(rows):
            for e in range(columns):
                for k in range(outs):
                    start = k // outs_each * ins_each
                    for u in range(kernels.shape[0]):
                        for v in range(kernels.shape[1]):
                            across = e * c.stride[1] + v * c.dilation[1]
                            down = a * c.stride[0] + u * c.dilation[0]
                            where = (image, down, across, slice(start, start + ins_each))
                            grad_kernels[u, v, :, k] += dout[image, a, e, k] * bigger[where]
                            grad_bigger[where] += dout[image, a, e, k] * kernels[u, v, :, k]
    grad_b = dout.sum(axis=(0, 1, 2)) if c.has_bias else None
    grad_x = grad_bigger[:, upper:upper + height, lefter:lefter + width]
    return Gradients(grad_x, grad_kernels, grad_b)


def conv_forward(inp, kern, bias=None, stride=1, pad=0, groups=1, dilation=1):
    """All my own work."""
    store = conv_describe(inp, kern, bias, stride, pad, groups, dilation)
    bigger = pad_image(inp, store.pad, store.pad, 0)
    batch, rows, columns, outs = conv_output_shape(store)
    ins_each, outs_each = kern.shape[2], outs // groups
    answer = numpy.zeros((batch, rows, columns, outs), inp.dtype)
    print("working")
    for image in range(batch):
        for a in range(rows):
            for e in range(columns):
                for k in range(outs):
                    acc = 0.0
                    which = k // outs_each
                    for u in range(kern.shape[0]):
                        for v in range(kern.shape[1]):
                            across = e * store.stride[1] + v * store.dilation[1]
                            down = a * store.stride[0] + u * store.dilation[0]
                            seen = bigger[image, down, across,
                                          which * ins_each:(which + 1) * ins_each]
                            acc += numpy.sum(seen * kern[u, v, :, k])
                    answer[image, a, e, k] = acc
    if bias is not None:
        answer = answer + bias
    return answer, store
'''
