"""What a layer of windows returns if one thing in its geometry is wrong.

Window p, q reads at place i, j the pixel  S p + D i - P,  S q + D j - P.  A forward pass and dw
gather pixels by this rule, dx scatters back by it. A mistake in a loop, an index or a slice is a
change of the rule: another S, D or P, a mirrored i, rows for columns, an assignment where an
addition belongs. `changes` lists them; `returned` computes y, dx and dw under one of them.
"""

from typing import NamedTuple

import numpy as np

from minicnn.gradcheck.judge.matrix import both


class Rule(NamedTuple):
    """Which pixel each window reads at each place, and what becomes of several in one pixel."""

    window: tuple
    stride: tuple
    pad: tuple
    dilation: tuple
    mirrored: tuple = ()  # axes along which the places run backwards
    outside: str = "dropped"  # or "wrapped" (a negative index), "around" (modulo), "clipped"
    several: str = "added"  # or the "last" / "first" place or window wins
    turned: bool = False  # rows and columns of the window exchanged
    skipped: tuple = ()  # (axis, index): windows left out; ("place", index): places left out


class Change(NamedTuple):
    """A mistake in the geometry: its cause, what it is in words, and the rule it makes."""

    cause: str
    words: str
    rule: Rule


def right_rule(case):
    """The rule of a case of a convolution or pooling."""
    options, of_conv = case.options, "w" in case.inputs
    window = case.inputs["w"].shape[:2] if of_conv else both(options["window"])
    stride = options.get("stride") or (1 if of_conv else window)
    return Rule(window, both(stride), both(options.get("pad", 0)), both(options.get("dilation", 1)))


def changes(rule):
    """The usual mistakes in a rule; those that change nothing at this setting are among them."""
    def turn(pair):
        return pair[::-1]

    one, (high, wide), pad = (1, 1), rule.window, rule.pad
    found = [
        ("flip", "the window is mirrored", {"mirrored": (0, 1)}),
        ("flip", "the window is mirrored up and down", {"mirrored": (0,)}),
        ("flip", "the window is mirrored left and right", {"mirrored": (1,)}),
        ("swap", "rows and columns of the window are exchanged", {"turned": True}),
        ("swap", "the strides of height and width are exchanged", {"stride": turn(rule.stride)}),
        ("swap", "the paddings of height and width are exchanged", {"pad": turn(pad)}),
        ("swap", "height and width are exchanged in stride, padding and dilation", {
            "stride": turn(rule.stride), "pad": turn(pad), "dilation": turn(rule.dilation)}),
        ("swap", "the dilations are exchanged", {"dilation": turn(rule.dilation)}),
        ("dilation", "the dilation is ignored", {"dilation": one}),
        ("stride", "the stride is ignored", {"stride": one}),
        ("stride", "the stride is the window's size", {"stride": rule.window}),
        ("stride", "the stride is the window's size",
         {"stride": rule.window, "outside": "around"}),
        ("stride", "the stride is one too large", {"stride": (rule.stride[0] + 1,
                                                              rule.stride[1] + 1)}),
        ("stride", "the stride of one axis is used for both", {"stride": (rule.stride[0],) * 2}),
        ("stride", "the stride of one axis is used for both", {"stride": (rule.stride[1],) * 2}),
        ("padding", "the padding is ignored: cut off at the wrong side", {"pad": (0, 0)}),
        ("padding", "the padding is cut off at the wrong side", {"pad": (2 * pad[0], 2 * pad[1])}),
        ("padding", "the padding is one too small", {"pad": tuple(max(0, p - 1) for p in pad)}),
        ("padding", "the padding is one too large", {"pad": (pad[0] + 1, pad[1] + 1)}),
        ("padding", "the padding of one axis is used for both", {"pad": (pad[0],) * 2}),
        ("padding", "the padding of one axis is used for both", {"pad": (pad[1],) * 2}),
        ("padding", "only the height's padding is taken into account", {"pad": (pad[0], 0)}),
        ("padding", "only the width's padding is taken into account", {"pad": (0, pad[1])}),
        ("padding", "what lies in the padding wraps around to the other side",
         {"outside": "wrapped"}),
        ("padding", "the border is repeated", {"outside": "clipped"}),
        ("overlap", "where windows overlap, the last one wins", {"several": "last window"}),
        ("overlap", "where windows overlap, the first one wins", {"several": "first window"}),
        ("overlap", "where windows overlap, their mean is taken", {"several": "mean"}),
        ("overlap", "of the places that read a pixel, the last one wins", {"several": "last"}),
        ("overlap", "of the places that read a pixel, the first one wins", {"several": "first"}),
    ]
    found += [("missing", f"the {which} {what} of windows is left out", {"skipped": ((axis, at),)})
              for axis, what in enumerate(("row", "column"))
              for at, which in ((-1, "last"), (0, "first"))]
    found += [("missing", "the last row and column of windows are left out",
               {"skipped": ((0, -1), (1, -1))}),
              ("missing", "the last place of the window is left out",
               {"skipped": (("place", high * wide - 1),)}),
              ("missing", "the first place of the window is left out",
               {"skipped": (("place", 0),)}),
              ("missing", "only the first place of the window counts", {"skipped": tuple(
                  ("place", k) for k in range(1, high * wide))}),
              ("missing", "only the last place of the window counts", {"skipped": tuple(
                  ("place", k) for k in range(high * wide - 1))}),
              ("missing", "the last row of the window is left out", {"skipped": tuple(
                  ("place", (high - 1) * wide + j) for j in range(wide))}),
              ("missing", "the last column of the window is left out", {"skipped": tuple(
                  ("place", i * wide + wide - 1) for i in range(high))})]
    return [Change(cause, words, rule._replace(**change)) for cause, words, change in found]


def _pixels(rule, sides, out):
    """(place, rows OH, columns OW, which of OH x OW count) for every place of the window."""
    high, wide = rule.window
    kept = np.ones(out, bool)
    for axis, at in rule.skipped:
        if axis != "place":
            np.moveaxis(kept, axis, 0)[at] = False
    for place in range(high * wide):
        at = divmod(place, wide)
        if rule.turned:
            at = divmod(place, high)[::-1] if high != wide else at[::-1]
        at = [size - 1 - k if axis in rule.mirrored else k
              for axis, (k, size) in enumerate(zip(at, rule.window, strict=True))]
        index = [s * np.arange(n) + d * k - p for s, n, d, k, p in zip(
            rule.stride, out, rule.dilation, at, rule.pad, strict=True)]
        if rule.outside == "around":
            index = [(rows + p) % (size + 2 * p) - p
                     for rows, size, p in zip(index, sides, rule.pad, strict=True)]
        if rule.outside == "clipped":
            index = [np.clip(rows, 0, size - 1) for rows, size in zip(index, sides, strict=True)]
        low = [-size if rule.outside == "wrapped" else 0 for size in sides]
        inside = [(rows >= first) & (rows < size)
                  for rows, first, size in zip(index, low, sides, strict=True)]
        count = inside[0][:, None] & inside[1] & kept & (("place", place) not in rule.skipped)
        yield place, *[np.clip(rows, -size, size - 1)
                       for rows, size in zip(index, sides, strict=True)], count


def gather(x, rule, out, outside=0.0):
    """The pixels that every window reads: x (N, H, W, C) -> (N, OH, OW, places, C)."""
    cols = np.full((len(x), *out, rule.window[0] * rule.window[1], x.shape[3]), outside)
    for place, rows, columns, count in _pixels(rule, x.shape[1:3], out):
        seen = x[:, rows][:, :, columns]
        cols[:, :, :, place] = np.where(count[None, :, :, None], seen, outside)
    return cols


def scatter(dcols, rule, sides, counts=True):
    """Back to the pixels: dcols (N, OH, OW, places, C) -> dx (N, H, W, C).

    `counts` is a mask like dcols: what is not written at all.
    """
    dx = np.zeros((len(dcols), *sides, dcols.shape[-1]))
    counts = np.broadcast_to(counts, dcols.shape)
    places = list(_pixels(rule, sides, dcols.shape[1:3]))
    order = [(p, q, one) for one in places for p, q in zip(*np.nonzero(one[3]), strict=True)]
    if "window" in rule.several:
        order.sort(key=lambda each: each[:2])
    for p, q, (place, rows, columns, _) in order[:: -1 if "first" in rule.several else 1]:
        at, new = (slice(None), rows[p], columns[q]), dcols[:, p, q, place]
        if rule.several in ("added", "mean"):
            dx[at] += new
        else:
            dx[at] = np.where(counts[:, p, q, place], new, dx[at])
    if rule.several == "mean":
        seen = scatter(counts * 1.0, rule._replace(several="added"), sides)
        return dx / np.maximum(seen, 1)
    return dx


def sizes(case):
    """{(cause, words): shape of y} under the usual mistakes in the number of windows."""
    rule, sides = right_rule(case), case.inputs["x"].shape[1:3]
    ceil = case.options.get("rounding") == "ceil"
    nearest = [int(room / s + 0.5) + 1 for room, s in zip(_rooms(rule, sides), rule.stride,
                                                             strict=True)]
    found = {("rounding", "the number of windows is rounded the other way"):
             _count(rule, sides, not ceil),
             ("rounding", "the number of windows is rounded to the nearest"): tuple(nearest),
             ("rounding", "a last window outside the image is not left out"):
             _count(rule, sides, ceil, drop=False),
             ("swap", "height and width of y are exchanged"): _count(rule, sides, ceil)[::-1],
             ("swap", "the window's rows and columns are exchanged in the size of y"):
             _count(rule._replace(window=rule.window[::-1]), sides, ceil)}
    found |= {("swap", f"the window's {words} is used for both axes in the size of y"):
              _count(rule._replace(window=(side, side)), sides, ceil)
              for side, words in zip(rule.window, ("height", "width"), strict=True)}
    found |= {("rounding", f"the number of windows is the image's side divided by the stride{up}"):
              tuple(-(-size // s) if up else size // s
                    for size, s in zip(sides, rule.stride, strict=True))
              for up in ("", ", rounded up")}
    found |= {(change.cause, f"in the size of y {change.words}"): _count(change.rule, sides, ceil)
              for change in changes(rule)}
    found |= {("missing", f"y has {words}"): tuple(n + d for n, d in zip(
        _count(rule, sides, ceil), by, strict=True))
        for by, words in (((-1, -1), "one row and column too few"), ((-1, 0), "one row too few"),
                          ((0, -1), "one column too few"), ((1, 1), "one row and column too many"))}
    return found


def _count(rule, sides, ceil, drop=True):
    """The numbers of windows along both axes."""
    found = []
    for size, s, p, room in zip(sides, rule.stride, rule.pad, _rooms(rule, sides), strict=True):
        count = (-(-room // s) if ceil else room // s) + 1
        found.append(count - (ceil and drop and (count - 1) * s >= size + p))
    return tuple(found)


def _rooms(rule, sides):
    """How far the window can move along both axes."""
    return [size + 2 * p - d * (k - 1) - 1 for size, k, p, d in zip(
        sides, rule.window, rule.pad, rule.dilation, strict=True)]


def returned(case, rule, dy, everywhere=False):
    """{"y", "dx", "dw"} of a convolution or pooling whose geometry follows `rule`.

    Every array is computed as if the mistake were in it alone: dx from the right windows, scattered
    by the wrong rule; y and dw from windows gathered by the wrong rule. With `everywhere`, the
    winners of a max pooling are those of the wrong windows, too.
    """
    if case.op == "conv_transpose":
        return _of_transpose(case, rule, dy)
    x, out, sides = case.inputs["x"], dy.shape[1:3], case.inputs["x"].shape[1:3]
    if "w" in case.inputs:
        return _of_conv(case, rule, dy, x, out, sides)
    if case.op == "average_pool":
        return averaged(case, rule, dy, _area(case, right_rule(case), out, sides))
    own = gather(x, rule if everywhere else right_rule(case), out, -np.inf)
    won = np.arange(own.shape[3])[:, None] == own.argmax(3)[:, :, :, None]
    return {"dx": scatter(dy[:, :, :, None] * won, rule, sides, won),
            "y": gather(x, rule, out, -np.inf).max(3)}


def averaged(case, rule, dy, area):
    """{"y", "dx"} of an average pooling that divides by `area`, an array like y or a number."""
    out, places = dy.shape[1:3], rule.window[0] * rule.window[1]
    share = np.repeat((dy / area)[:, :, :, None], places, 3)  # N,OH,OW,C -> N,OH,OW,places,C
    return {"dx": scatter(share, rule, case.inputs["x"].shape[1:3]),
            "y": gather(case.inputs["x"], rule, out).sum(3) / area}


def areas(case, dy):
    """[(cause, words, what an average pooling divides by)] under the usual mistakes."""
    rule, sides, out = right_rule(case), case.inputs["x"].shape[1:3], dy.shape[1:3]
    high, wide = rule.window
    inside = gather(np.ones((1, *sides, 1)), rule, out).sum(3)
    own = _area(case, rule, out, sides)
    in_padding = gather(np.ones((1, sides[0] + 2 * rule.pad[0], sides[1] + 2 * rule.pad[1], 1)),
                        rule._replace(pad=(0, 0)), out).sum(3)
    return [("padding", "every window is divided by its whole area", high * wide),
            ("padding", "only the pixels inside the image are counted", inside),
            ("padding", "the padding is counted like the image", in_padding),
            ("factor", "it is divided twice", own * own),
            ("factor", "it is not divided", 1), ("factor", "it is divided by the height", high),
            ("factor", "it is divided by the width", wide),
            ("swap", "the height is taken for the width in the area", high * high),
            ("swap", "the width is taken for the height in the area", wide * wide)]


def _area(case, rule, out, sides):
    """By what an average pooling divides, from its own answer for an image of ones."""
    inside = gather(np.ones((1, *sides, 1)), rule, out).sum(3)
    mean = case._replace(inputs={"x": np.ones_like(case.inputs["x"])}).expected()[0]
    return inside / mean[:1, :, :, :1]


def _of_transpose(case, rule, dy):
    """A transposed convolution is the way back of a convolution from y to x."""
    inputs = {"x": dy, "w": case.inputs["w"]}
    found = _of_conv(case._replace(op="conv", inputs=inputs), rule, case.inputs["x"], dy,
                     case.inputs["x"].shape[1:3], dy.shape[1:3])
    return {"y": found["dx"] + case.inputs.get("b", 0.0), "dx": found["y"], "dw": found["dw"]}


def _of_conv(case, rule, dy, x, out, sides):
    w, b = case.inputs["w"], case.inputs.get("b", 0.0)
    groups = case.options.get("groups", 1)
    cols = gather(x, rule, out)
    n, k, c, o = len(x), cols.shape[3], x.shape[3], w.shape[3]
    parts = cols.reshape(n, *out, k, groups, c // groups)  # C -> G,C/G
    kernels = w.reshape(k, c // groups, groups, o // groups)  # KH,KW -> K; O -> G,O/G
    up = dy.reshape(n, *out, groups, o // groups)
    y = np.einsum("npqkgc,kcgo->npqgo", parts, kernels).reshape(dy.shape) + b
    dw = np.einsum("npqkgc,npqgo->kcgo", parts, up).reshape(w.shape)
    dcols = np.einsum("npqgo,kcgo->npqkgc", up, kernels).reshape(n, *out, k, c)
    return {"y": y, "dw": dw, "dx": scatter(dcols, rule, sides)}
