"""Answers to the first assignment as students write them: each a body of `conv_forward` and one of
`conv_backward`, right ones in five styles, and unfinished ones.

They are put into the handout in place of `raise NotImplementedError`; `ANSWERS` lists them.
"""

from typing import NamedTuple

FIRST, LAST = "cache = conv_describe(x, w, b, stride, pad, groups, dilation)", "return y, cache"
SIZES = """\
n, oh, ow, o = conv_output_shape(cache)
kh, kw, cg, _ = cache.w.shape
(sh, sw), (dh, dw_), (ph, pw), groups = cache.stride, cache.dilation, cache.pad, cache.groups
per = o // groups
padded = pad_image(cache.x, cache.pad, cache.pad, 0)"""
BIAS = """\
if b is not None:
    y += b"""
NEED = """\
dx = np.zeros_like(padded)
dw = np.zeros_like(cache.w)
db = dy.sum(axis=(0, 1, 2)) if cache.has_bias else None"""
CUT_OFF = """\
h, w = cache.x_shape[1:3]
return Gradients(dx[:, ph:ph + h, pw:pw + w], dw, db)"""


def _lines(*parts):
    return "\n".join(part.strip("\n") for part in parts)


def _forward(*middle):
    return _lines(FIRST, SIZES, *middle, BIAS, LAST)


def _backward(*middle):
    return _lines(SIZES, NEED, *middle, CUT_OFF)


WINDOW = """
        top, left = p * sh, q * sw
        window = padded[:, top:top + dh * (kh - 1) + 1:dh, left:left + dw_ * (kw - 1) + 1:dw_]
"""

# ---- loops over images, positions and kernels

LOOPS = {"conv_forward": _forward("""
y = np.zeros((n, oh, ow, o), x.dtype)
for p in range(oh):
    for q in range(ow):""", WINDOW, """
        for k in range(o):
            first = k // per * cg
            for image in range(n):
                patch = window[image, :, :, first:first + cg]
                y[image, p, q, k] = (patch * w[:, :, :, k]).sum()
"""), "conv_backward": _backward("""
for p in range(oh):
    for q in range(ow):""", WINDOW.replace("window = padded", "place = np.s_"), """
        for k in range(o):
            first = k // per * cg
            for image in range(n):
                part = dy[image, p, q, k]
                dx[place][image, :, :, first:first + cg] += part * cache.w[:, :, :, k]
                dw[:, :, :, k] += part * padded[place][image, :, :, first:first + cg]
""")}

# ---- loops over positions, all kernels at once

WINDOWS = {"conv_forward": _forward("""
y = np.zeros((n, oh, ow, o), x.dtype)
for p in range(oh):
    for q in range(ow):""", WINDOW, """
        for g in range(groups):
            mine = slice(g * per, (g + 1) * per)
            some = window[..., g * cg:(g + 1) * cg]
            y[:, p, q, mine] = np.tensordot(some, w[..., mine], 3)
"""), "conv_backward": _backward("""
for p in range(oh):
    for q in range(ow):""", WINDOW.replace("window = padded", "place = np.s_"), """
        for g in range(groups):
            mine, some = slice(g * per, (g + 1) * per), slice(g * cg, (g + 1) * cg)
            part = dy[:, p, q, mine]
            dx[place][..., some] += np.tensordot(part, cache.w[..., mine], (1, 3))
            dw[..., mine] += np.tensordot(padded[place][..., some], part, (0, 0))
""")}

# ---- im2col with arrays of indices

INDICES = """
rows = (np.arange(oh) * sh)[:, None] + np.arange(kh) * dh
columns = (np.arange(ow) * sw)[:, None] + np.arange(kw) * dw_
places = (slice(None), rows[:, None, :, None], columns[None, :, None, :])
col = padded[places].reshape(n * oh * ow, kh * kw, groups, cg)
"""
IM2COL = {"conv_forward": _forward(INDICES, """
parts = []
for g in range(groups):
    matrix = w[..., g * per:(g + 1) * per].reshape(-1, per)
    parts.append(col[:, :, g].reshape(len(col), -1) @ matrix)
y = np.concatenate(parts, axis=1).reshape(n, oh, ow, o)
"""), "conv_backward": _backward(INDICES, """
dcol = np.zeros_like(col)
for g in range(groups):
    mine = slice(g * per, (g + 1) * per)
    dout = dy[..., mine].reshape(-1, per)
    matrix = cache.w[..., mine].reshape(-1, per)
    dw[..., mine] = (col[:, :, g].reshape(len(col), -1).T @ dout).reshape(kh, kw, cg, per)
    dcol[:, :, g] = (dout @ matrix.T).reshape(len(col), kh * kw, cg)
np.add.at(dx, places, dcol.reshape(n, oh, ow, kh, kw, groups * cg))
""")}

# ---- loops over the places of the kernel, as the hints advise

PLACES = """
places = enumerate(views({}, (kh, kw), cache.stride, (oh, ow), cache.dilation))
for number, samples in places:
    i, j = divmod(number, kw)
    for g in range(groups):
        mine, some = slice(g * per, (g + 1) * per), slice(g * cg, (g + 1) * cg)
"""
VIEWS = {"conv_forward": _forward("y = np.zeros((n, oh, ow, o), x.dtype)", PLACES.format("padded"),
                                  "        y[..., mine] += samples[..., some] @ w[i, j][:, mine]"),
         "conv_backward": _backward(PLACES.format("padded"), """
        both = samples[..., some], dy[..., mine]
        dw[i, j][:, mine] = np.tensordot(*both, ([0, 1, 2], [0, 1, 2]))
""", PLACES.format("dx"), "        samples[..., some] += dy[..., mine] @ cache.w[i, j][:, mine].T")}

# ---- windows as a view, and Einstein's sums

SLIDING = """
span = dh * (kh - 1) + 1, dw_ * (kw - 1) + 1
windows = np.lib.stride_tricks.sliding_window_view(padded, span, (1, 2))
windows = windows[:, ::sh, ::sw, :, ::dh, ::dw_]
windows = windows.reshape(n, oh, ow, groups, cg, kh, kw)
kernels = cache.w.reshape(kh, kw, cg, groups, per)
"""
EINSUM = {"conv_forward": _forward(SLIDING, """
y = np.einsum("npqgcij,ijcgo->npqgo", windows, kernels, optimize=True).reshape(n, oh, ow, o)
"""), "conv_backward": _backward(SLIDING, """
parts = dy.reshape(n, oh, ow, groups, per)
dw = np.einsum("npqgcij,npqgo->ijcgo", windows, parts, optimize=True).reshape(cache.w.shape)
back = np.einsum("npqgo,ijcgo->ijnpqgc", parts, kernels, optimize=True)
for i in range(kh):
    for j in range(kw):
        top, left = i * dh, j * dw_
        seen = dx[:, top:top + sh * (oh - 1) + 1:sh, left:left + sw * (ow - 1) + 1:sw]
        seen += back[i, j].reshape(seen.shape)
""")}

RIGHT = {"loops": LOOPS, "windows": WINDOWS, "im2col": IM2COL, "views": VIEWS, "einsum": EINSUM}

# ---- unfinished

ONE_CHANNEL = """
y = np.zeros((n, oh, ow, o), x.dtype)
for p in range(oh):
    for q in range(ow):
        y[0, p, q, 0] = (padded[0, {}:{} + kh, {}:{} + kw, 0] * w[:, :, 0, 0]).sum()
"""
RUNG_1 = {"conv_forward": _forward(ONE_CHANNEL.format("p", "p", "q", "q"))}
RUNG_2 = {"conv_forward": _forward(ONE_CHANNEL.format("p * sh", "p * sh", "q * sw", "q * sw"))}
NO_DW = CUT_OFF.replace("dw, db", "None, None")
ONLY_DX = VIEWS | {"conv_backward": VIEWS["conv_backward"].replace(CUT_OFF, NO_DW)}


class Answer(NamedTuple):
    """A style with a mistake, or an unfinished one: its bodies; the numbers of the questions that
    lose points, and of those that get none; what the feedback must say."""

    what: str
    bodies: dict
    less: tuple = ()
    none: tuple = ()
    says: str = ""


def _mistaken(style, function, old, new):
    """The bodies of a style after an edit."""
    if RIGHT[style][function].count(old) != 1:
        raise ValueError(f"{style}: {old!r} is not there once")
    return RIGHT[style] | {function: RIGHT[style][function].replace(old, new)}


HALF = (
    Answer("one channel, no stride", RUNG_1, less=(2, 3, 4, 9), none=(5, 6, 7)),
    Answer("one channel", RUNG_2, less=(3, 4, 9), none=(5, 6, 7)),
    Answer("forward only", {"conv_forward": IM2COL["conv_forward"]}, none=(5, 6, 7),
           says="not written"),
    Answer("forward and dx", ONLY_DX, none=(6, 7)),
)
MISTAKEN = (
    Answer("loops: dx = instead of dx +=", _mistaken(
        "loops", "conv_backward", "place][image, :, :, first:first + cg] += part * cache.w",
        "place][image, :, :, first:first + cg] = part * cache.w"), less=(5,), says="assigned"),
    Answer("windows: the stride is forgotten in the rows", _mistaken(
        "windows", "conv_forward", "top, left = p * sh", "top, left = p"), less=(2, 3, 4),
        says="with a stride"),
    Answer("im2col: dx[places] += adds once where windows overlap", _mistaken(
        "im2col", "conv_backward", "np.add.at(dx, places, dcol.reshape",
        "dx[places] += (dcol.reshape"), less=(5,), says="assigned"),
    Answer("im2col: db is a mean", _mistaken(
        "im2col", "conv_backward", "dy.sum(axis=(0, 1, 2))", "dy.mean(axis=(0, 1, 2))"), less=(7,),
        says="db is a mean"),
    Answer("views: the kernel is flipped", _mistaken(
        "views", "conv_forward", "w[i, j][:, mine]", "w[kh - 1 - i, kw - 1 - j][:, mine]"),
        less=(1, 2, 3, 4, 9), says="turned by half a turn"),
    Answer("einsum: b is forgotten", _mistaken("einsum", "conv_forward", BIAS, ""),
           less=(1, 3, 4, 9), says="b is not added"),
)
ANSWERS = {"convolution": {"right": RIGHT, "half": HALF, "mistaken": MISTAKEN}}
