"""The sizes and settings of a case as a dict of whole numbers, and a case made of them again.

`OF` has a builder and a reader for each op; the arrays that a builder makes hold small whole
numbers, which can be followed by hand. `LEAST` and `MOST` are the bounds of each number.
"""

import numpy as np

from minicnn.gradcheck.judge.cases import Case
from minicnn.gradcheck.judge.matrix import both
from minicnn.gradcheck.own.script import numbers

LEAST = dict.fromkeys(("ph", "pw", "ceil", "bias", "training", "image", "axis", "unequal", "half",
                       "tenths", "times"), 0)
MOST = {"axis": 1, "unequal": 1, "half": 2, "tenths": 9, "times": 3, "oh": 5, "ow": 5,
        "n": 3, "h": 6, "w": 6, "c": 3, "o": 3, "kh": 3, "kw": 3, "sh": 3, "sw": 3, "ph": 1,
        "pw": 1, "dh": 2, "dw": 2, "groups": 2, "ceil": 1, "bias": 1, "d": 5, "k": 4,
        "training": 1, "image": 1, "parts": 4}


def drawn(op, rng, like):
    """Sizes drawn by chance."""
    return {name: int(rng.integers(LEAST.get(name, 1), MOST[name] + 1)) for name in like}


def _case(op, inputs, options=(), wrt=None):
    name = ", ".join(f"{name} {'x'.join(map(str, np.shape(value)))}"
                     for name, value in inputs.items())
    return Case(op, name, inputs, dict(options), tuple(wrt or inputs), frozenset(), 0)


def _pair(a, b):
    """A number for two equal ones."""
    return a if a == b else (a, b)


def _conv(op, s):
    x = (s["n"], s["h"], s["w"], s["c"] * s["groups"])
    inputs = {"x": numbers(*x), "w": numbers(s["kh"], s["kw"], s["c"], s["o"] * s["groups"],
                                             seed=1)}
    options = {"stride": _pair(s["sh"], s["sw"]), "pad": _pair(s["ph"], s["pw"]),
               "dilation": _pair(s["dh"], s["dw"]), "groups": s["groups"]}
    if s["bias"]:
        inputs["b"] = numbers(s["o"] * s["groups"], seed=2)
    return _case(op, inputs, options | ({} if s["bias"] else {"b": None}))


def _of_conv(case):
    (n, h, w, _), (kh, kw, c, o) = case.inputs["x"].shape, case.inputs["w"].shape
    groups = case.options.get("groups", 1)
    pairs = [both(case.options.get(name, usual)) for name, usual in (
        ("stride", 1), ("pad", 0), ("dilation", 1))]
    (sh, sw), (ph, pw), (dh, dw) = pairs
    return {"n": n, "c": c, "groups": groups, "o": o // groups, "bias": int("b" in case.inputs),
            "dh": dh, "dw": dw, "ph": ph, "pw": pw, "h": h, "w": w, "kh": kh, "kw": kw,
            "sh": sh, "sw": sw}


def _pool(op, s):
    options = {"window": _pair(s["kh"], s["kw"]), "stride": _pair(s["sh"], s["sw"]),
               "pad": _pair(s["ph"], s["pw"]), "rounding": "ceil" if s["ceil"] else "floor"}
    if op == "average_pool":
        options["border"] = "image" if s["image"] else "padding"
    return _case(op, {"x": numbers(s["n"], s["h"], s["w"], s["c"])}, options)


def _of_pool(case):
    n, h, w, c = case.inputs["x"].shape
    kh, kw = both(case.options["window"])
    (sh, sw), (ph, pw) = both(case.options.get("stride") or (kh, kw)), both(
        case.options.get("pad", 0))
    more = {} if case.op == "pool" else {"image": int(case.options.get("border") == "image")}
    return {"n": n, "c": c, "ceil": int(case.options.get("rounding") == "ceil"), "ph": ph,
            "pw": pw, "h": h, "w": w, "kh": kh, "kw": kw, "sh": sh, "sw": sw} | more


def _conv_transpose(op, s):
    along = _conv("conv", s | {"bias": 0})
    shape = along.expected()[0].shape  # of a convolution from y to x
    inputs = {"x": numbers(*shape), "w": along.inputs["w"]}
    if s["bias"]:
        inputs["b"] = numbers(s["c"] * s["groups"], seed=2)
    options = along.options | {"size": (s["h"], s["w"])}
    if s["bias"]:
        del options["b"]
    return _case(op, inputs, options)


def _of_conv_transpose(case):
    n, (h, w) = len(case.inputs["x"]), case.options["size"]
    groups = case.options.get("groups", 1)
    x = np.empty((n, h, w, case.inputs["w"].shape[2] * groups))
    return _of_conv(case._replace(inputs=case.inputs | {"x": x}))


def _dense(op, s):
    x = numbers(s["n"], s["h"], s["w"], s["c"]) if "h" in s else numbers(s["n"], s["d"])
    inputs = {"x": x, "w": numbers(x[0].size, s["o"], seed=1)}
    if s["bias"]:
        inputs["b"] = numbers(s["o"], seed=2)
    return _case(op, inputs, {} if s["bias"] else {"b": None})


def _of_dense(case):
    x, w = case.inputs["x"], case.inputs["w"]
    return dict(zip("nhwc" if x.ndim == 4 else "nd", x.shape, strict=True)) | {
        "o": w.shape[1], "bias": int("b" in case.inputs)}


def _rows(op, s):
    return _case(op, {"x": numbers(s["n"], s["d"])})


def _of_rows(case):
    return {"n": len(case.inputs["x"]), "d": case.inputs["x"][0].size}


def _dropout(op, s):
    return _case(op, {"x": np.abs(numbers(s["n"], s["d"]))}, {"rate": s["tenths"] / 10, "seed": 3})


def _of_dropout(case):
    return {"n": 2, "d": 8, "tenths": round(10 * case.options["rate"])}


def _images(op, s):
    return _case(op, {"x": numbers(s["n"], s["h"], s["w"], s["c"])})


def _of_images(case):
    return dict(zip("nhwc", case.inputs["x"].shape, strict=True))


def _resize(op, s):
    return _case(op, {"x": numbers(s["n"], s["h"], s["w"], s["c"])}, {"size": (s["oh"], s["ow"])})


def _of_resize(case):
    return _of_images(case) | dict(zip(("oh", "ow"), case.options["size"], strict=True))


def _lrn(op, s):
    return _case(op, {"x": numbers(s["n"], s["h"], s["w"], s["c"])}, {
        "size": 2 * s["half"] + 1, "alpha": 1.0, "beta": 0.75, "k": 1.0, "convention": "caffe"})


def _of_lrn(case):
    return _of_images(case) | {"half": case.options["size"] // 2}


def _list(op, s):
    shapes = [[s["n"], s["d"]] for _ in range(s["parts"])]
    if op == "concat":
        for i, shape in enumerate(shapes):
            shape[s["axis"]] += i * s["unequal"]
    inputs = {f"x{i}": numbers(*shape, seed=i) for i, shape in enumerate(shapes)}
    return _case(op, inputs, {"axis": s["axis"]} if op == "concat" else {})


def _of_list(case):
    sizes = {"n": 2, "d": 2, "parts": len(case.inputs)}
    if case.op == "concat":
        axis = case.options["axis"] % case.inputs["x0"].ndim
        sizes |= {"axis": min(axis, 1), "unequal": 1}
    return sizes


def _loss(op, s):
    labels = np.arange(s["n"]) % s["k"]
    return _case(op, {"x": numbers(s["n"], s["k"]), "labels": labels}, wrt=("x",))


def _of_loss(case):
    return dict(zip("nk", case.inputs["x"].shape, strict=True))


def _norm(op, s):
    x = numbers(s["n"], s["h"], s["w"], s["c"]) if "h" in s else numbers(s["n"], s["c"])
    c = x.shape[-1]
    inputs = {"x": x, "gamma": 1.0 + np.arange(c) % 3, "beta": numbers(c, seed=2)}
    options = {"epsilon": 1e-5}
    if op == "group_norm":
        options["groups"] = s["groups"]
    if op == "batch_norm":
        inputs |= {"mean": numbers(c, seed=3), "variance": 1.0 + np.arange(c) % 4}
        options["training"] = bool(s["training"])
    return _case(op, inputs, options, ("x", "gamma", "beta"))


def _of_norm(case):
    shape = case.inputs["x"].shape
    sizes = dict(zip("nhwc" if len(shape) == 4 else "nc", shape, strict=True))
    if case.op == "group_norm":
        sizes["groups"] = case.options["groups"]
    if case.op == "batch_norm":
        sizes["training"] = int(case.options["training"])
    return sizes


OF = {  # op: (builder, reader)
    "conv": (_conv, _of_conv), "conv_transpose": (_conv_transpose, _of_conv_transpose),
    "pool": (_pool, _of_pool), "average_pool": (_pool, _of_pool), "resize": (_resize, _of_resize),
    "global_average_pool": (_images, _of_images), "lrn": (_lrn, _of_lrn),
    "dropout": (_dropout, _of_dropout),
    **dict.fromkeys(("dense", "affine_relu"), (_dense, _of_dense)),
    **dict.fromkeys(("relu", "sigmoid", "tanh", "softmax"), (_rows, _of_rows)),
    **dict.fromkeys(("cross_entropy", "svm_loss"), (_loss, _of_loss)),
    **dict.fromkeys(("batch_norm", "layer_norm", "group_norm"), (_norm, _of_norm)),
    **dict.fromkeys(("concat", "add"), (_list, _of_list)),
}
