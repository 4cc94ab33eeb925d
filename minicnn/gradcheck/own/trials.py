"""Small calls of own code that find out what its names do not say.

Every op is called on small arrays of distinct sizes, in each way it could be meant: images N,C,H,W
or N,H,W,C; gamma (C,) or (1, C, 1, 1); a weight (in, out) or (out, in). The first way that gives an
output of the right shape, and gradients of the shapes of their arrays, is the way it is called. If
none does, the op is called as its form has it, and its failure will be seen when it is judged.
"""

import inspect
import warnings
from itertools import product

import numpy as np

from minicnn.gradcheck.own.callers import Layer, mode_of, place_of
from minicnn.gradcheck.own.calls import EMPTY
from minicnn.gradcheck.own.known import BEYOND, FLAT, PARTS
from minicnn.gradcheck.own.layouts import ONE_HOT
from minicnn.gradcheck.own.names import names_of, torch_of
from minicnn.gradcheck.own.sources import FormError, is_deliberate, told
from minicnn.gradcheck.own.tensors import Module, OnTensors


class AmbiguousLayout(FormError):
    """Images N,C,H,W and N,H,W,C both seem to be meant."""


CONV = {"x": (2, 9, 8, 5), "w": (3, 3, 5, 4), "b": (4,)}
NORM = {"gamma": (5,), "beta": (5,), "mean": (5,), "variance": (5,)}
BLOCK = CONV | {name: (4,) for name in NORM}
ROWS = {"x": (3, 7), "w": (7, 4), "b": (4,)}
WINDOW = {"window": 2, "stride": 2, "pad": 0, "rounding": "floor"}
TRIALS = {  # op: [(shapes of the page's arrays, settings, the shape of y), ...]
    "conv": [(CONV, {}, (2, 7, 6, 4))],
    "conv_relu": [(CONV, {}, (2, 7, 6, 4))],
    "conv_bn_relu": [(BLOCK, {"training": True}, (2, 7, 6, 4))],
    "conv_relu_pool": [(CONV | {"x": (2, 12, 8, 5)}, {"window": 2, "pool_stride": 2},
                        (2, 5, 3, 4))],
    "conv_transpose": [({"x": (2, 3, 4, 5), "w": (3, 3, 6, 5), "b": (6,)}, {"stride": 2},
                        (2, 7, 9, 6))],
    "pool": [({"x": (2, 12, 6, 5)}, WINDOW, (2, 6, 3, 5))],
    "average_pool": [({"x": (2, 12, 6, 5)}, WINDOW, (2, 6, 3, 5))],
    "global_average_pool": [({"x": (2, 4, 6, 5)}, {}, (2, 5))],
    "resize": [({"x": (2, 4, 6, 5)}, {"size": (7, 9)}, (2, 7, 9, 5))],
    "lrn": [({"x": (2, 4, 6, 5)}, {"size": 3, "alpha": 1.0, "beta": 0.75, "k": 1.0},
             (2, 4, 6, 5))],
    "batch_norm": [(NORM | {"x": (2, 4, 6, 5)}, {"training": True}, (2, 4, 6, 5)),
                   (NORM | {"x": (4, 5)}, {"training": True}, (4, 5))],
    "group_norm": [({"x": (2, 4, 5, 6), "gamma": (6,), "beta": (6,)}, {"groups": 3},
                    (2, 4, 5, 6))],
    "layer_norm": [({"x": (4, 5), "gamma": (5,), "beta": (5,)}, {}, (4, 5))],
    "affine_bn_relu": [(ROWS | {name: (4,) for name in NORM}, {"training": True}, (3, 4))],
    "concat": [({"parts": [(2, 3, 4, 5), (2, 3, 4, 6)]}, {}, (2, 3, 4, 11))],
    "add": [({"parts": [(2, 3, 4, 5)] * 2}, {}, (2, 3, 4, 5))],
    "cross_entropy": [({"x": (3, 5), "labels": None}, {}, ())],
    "svm_loss": [({"x": (3, 5), "labels": None}, {}, ())],
    "softmax": [({"x": (3, 5)}, {}, (3, 5))],
} | {op: [(ROWS, {}, (3, 4))] for op in ("dense", "affine_relu")}
PAIRED = {  # setting: two pairs of numbers, with which a window of 2 or 3 tiles the trial's images
    "stride": ((1, 2), (2, 1)), "pad": ((0, 1), (1, 0)), "dilation": ((1, 2), (2, 1)),
    "window": ((2, 3), (3, 2))}
IMAGES = {op for op, cases in TRIALS.items()
          if any(len(y) == 4 for *_, y in cases)} - {"add"} | {"global_average_pool"}


def arrays_of(shapes):
    """Normal numbers of these shapes; variances are positive, labels are 0, 4, 2."""
    rng = np.random.default_rng(0)
    found = {}
    for name, shape in shapes.items():
        if isinstance(shape, list):
            found[name] = [rng.standard_normal(one) for one in shape]
        elif shape is None:
            found[name] = np.array([0, 4, 2])
        else:
            array = rng.standard_normal(shape)
            found[name] = np.abs(array) + 0.5 if name == "variance" else array
    return found


def sizes_of(op, arrays, settings):
    """The sizes from which a class makes its weights, from the page's arrays."""
    w, gamma = arrays.get("w"), arrays.get("gamma")
    sizes = {} if gamma is None else {"features": len(gamma)}
    if getattr(w, "ndim", 0) == 2:
        return sizes | {"in": w.shape[0], "out": w.shape[1]}
    if getattr(w, "ndim", 0) == 4:
        KH, KW, few, many = w.shape
        few *= settings.get("groups", 1)
        ins = {"in": many, "out": few} if op == "conv_transpose" else {"in": few, "out": many}
        return sizes | ins | {"kernel": (KH, KW)}
    return sizes


def settle(form):
    """Set a form's layout, `how`, `ranks`, and what a dropout's p means."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if form.op not in IMAGES and not form.declared:
            form.layout = "NHWC"  # arrays as they are
        cases = TRIALS.get(form.op, [({"x": (3, 4)}, {}, (3, 4))])
        _learn(form, *cases[0][:2])
        _find_mode(form, *cases[0][:2])
        scores = {(way, k): _score(form, way, case) for way in _ways(form)
                  for k, case in enumerate(cases)}
        _take(form, scores, cases)
        form.single = {name for name in PAIRED if _is_single(form, name, *cases[0][:2])}
        if _takes_squares(form):
            form.single.add("kernel")
        if form.op == "dropout":
            _what_p_is(form)
        if form.op in FLAT:
            _flattens_itself(form, *cases[0])


def _ways(form):
    """(layout, {array: how}, on tensors) of every way to call the op, the usual first."""
    layouts = [form.layout] if form.declared or form.op not in IMAGES else ["NCHW", "NHWC"]
    tensors = [False, True] if torch_of(form.source) and form.kind != "torch" else [False]
    found = []
    for on_tensors, layout in product(tensors, layouts):
        for how in _hows(form, layout):
            found.append((layout, tuple(how.items()), on_tensors))
    return found


def _hows(form, layout):
    """The ways in which small arrays or weights may lie in the own code."""
    fixed, hows = dict(form.how), [{}]
    image = (1, -1, 1, 1) if layout == "NCHW" else (1, 1, 1, -1)
    if form.op == "dense" and "w" not in fixed and form.kind in ("class", "torch"):
        hows = [{}, {"w": (1, 0)}] if form.kind == "class" else [{"w": (1, 0)}, {}]
    if "labels" in form.arrays:
        return [fixed, fixed | {"labels": ONE_HOT}]
    if form.op == "conv_bn_relu" or "gamma" not in form.arrays:
        vectors = [{}, *({name: one for name in ("b",) if name in form.arrays}
                         for one in ((1, -1), (-1, 1), *[image] * form.op.startswith("conv")))]
    else:
        vectors = [{}, *(dict.fromkeys([n for n in form.arrays if n != "x"], one)
                         for one in (image, (1, -1)))]
    if form.op == "conv_transpose" and form.kind != "class":  # PyTorch's kernels, and ours
        hows = [{}, {"w": (0, 1, 3, 2)}] if layout == "NHWC" else hows
    if not {"b", "gamma"} & set(form.arrays) or fixed:
        vectors = [{}]
    return [fixed | one | other for one in hows for other in vectors]


def _score(form, way, case):
    """How well a way works: 0 not at all, 1 forward only, 2 both, 3 with gradients of the shapes
    that were given."""
    (layout, how, on_tensors), (shapes, settings, expected) = way, case
    before = form.layout, form.how, form.caller
    _set(form, layout, how, on_tensors)
    try:
        arrays = arrays_of(shapes)
        settings = {name: value for name, value in settings.items() if name in form.takes}
        y, kept = form.forward(arrays, settings)
        if np.shape(y) != expected or not np.isfinite(y).all():
            return 0
        if form.op == "batch_norm" and len(expected) == 4 and not _mixes(form, arrays, settings):
            return 0
        gradients = form.backward(np.ones_like(np.asarray(y)), kept)
        return 2 if form.op == "group_norm" and gradients.notes else 3
    except KeyboardInterrupt:
        raise
    except BaseException:  # it does not work in this way
        return locals().get("y") is not None and np.shape(y) == expected and 1
    finally:
        form.layout, form.how, form.caller = before


def _mixes(form, arrays, settings):
    """Whether a batch norm takes one statistic of all positions: it is then one of images."""
    moved = arrays | {"x": arrays["x"].copy()}
    moved["x"][0, 0, 0, 0] += 1
    y, after = (np.array(form.forward(one, settings)[0]) for one in (arrays, moved))
    return bool((y != after)[:, 1:, 1:, 0].any())


def _set(form, layout, how, on_tensors):
    form.layout, form.how = layout, dict(how)
    if on_tensors and not isinstance(form.caller, OnTensors):
        form.caller = OnTensors(form.caller, torch_of(form.source))


def _take(form, scores, cases):
    """Choose the best way, and say so; FormError if both layouts are as good."""
    best = max(scores.values())
    if form.op == "batch_norm":
        form.ranks = tuple(sorted({len(cases[k][2]) for (_, k), one in scores.items() if one}))
        form.ranks = form.ranks or ((4,) if "spatial" in form.what.lower() else (2,))
    if not best:
        return
    images = {(way, k): one for (way, k), one in scores.items() if len(cases[k][2]) == 4} or scores
    best = max(images.values()) or best
    good = [way for (way, k), one in (images if max(images.values()) else scores).items()
            if one == best]
    layouts = {way[0] for way in good}
    if len(layouts) > 1 and max(images.values()):
        layout = _layout_of(form, layouts, scores)
        good = [way for way in good if way[0] == layout]
    if len(layouts) > 1 and not max(images.values()):
        good = [way for way in good if way[0] == form.layout]
    _set(form, *good[0])
    if good[0][2]:
        form.remarks.append("called with tensors")
    reshaped = {}
    for name, how in form.how.items():
        if -1 in how and len(how) > 1:
            reshaped.setdefault(str(how).replace("-1", "C"), []).append(name)
        elif form.op == "dense" and how == (1, 0):
            form.remarks.append("w as (out, in)")
        elif how == ONE_HOT:
            form.remarks.append("labels as one-hot rows")
    form.remarks += [f"{', '.join(names)} as {how}" for how, names in reshaped.items()]


def _layout_of(form, layouts, scores):
    """The layout, where both give the right shape: by the axis along which y depends on x, or by
    the dicts of settings that only courses have."""
    if form.op == "lrn":
        found = _lrn_s(form, scores)
        if found:
            return found
    if form.op in PARTS or form.kind in ("class", "torch") or form.caller.in_dicts:
        return form.layout
    raise AmbiguousLayout(
        f"{form.source.name}: {form.what} work with images N,C,H,W and with N,H,W,C; say which is "
        "meant: --layout NCHW|NHWC, or --form page|course|class|torch, or LAYOUT = 'NCHW' in the "
        "file")


def _lrn_s(form, scores):
    """The layout of a normalisation across channels: a channel changes only its neighbours."""
    x = np.random.default_rng(1).standard_normal((2, 4, 6, 5))
    settings = {name: value for name, value in TRIALS["lrn"][0][1].items() if name in form.takes}
    for layout in ("NCHW", "NHWC"):
        way = next((way for (way, _), one in scores.items() if one and way[0] == layout), None)
        if way is None:
            continue
        before = form.layout, form.how, form.caller
        _set(form, *way)
        moved = x.copy()
        moved[0, 1, 2, 2] += 1
        try:
            changed = np.argwhere(form.forward({"x": moved}, settings)[0]
                                  != form.forward({"x": x}, settings)[0])
        finally:
            form.layout, form.how, form.caller = before
        if len(changed) > 1 and (changed[:, :3] == [0, 1, 2]).all():
            return layout
    return None


def _learn(form, shapes, settings):
    """How a class that makes its own arrays keeps them: by their shapes."""
    layer = form.caller
    if not isinstance(layer, Layer) or not layer.placed:
        return
    arrays = arrays_of(shapes)
    try:
        biases = {name: arrays[name] for name in ("b", "beta") if name in arrays}
        made = layer.make(biases, settings, sizes_of(form.op, arrays, settings))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise FormError(f"{form.source.name}: {form.what} cannot be made from sizes: "
                        f"{told(error, form.source.file)}") from error
    if "b" in layer.placed and not isinstance(layer, Module) and place_of(
            made, layer.about.arrays, "b") is None:  # a layer without a bias
        layer.placed.remove("b")
        layer.arrays = form.arrays = tuple(name for name in layer.arrays if name != "b")
    for name in layer.placed:
        shape = _kept_shape(form, made, name)
        how = _how_of(arrays[name].shape, shape)
        if how is None:
            raise FormError(f"{form.source.name}: {form.what} keeps {name} in shape {shape}; for "
                            f"these sizes expected the numbers of {arrays[name].shape} in some "
                            "order")
        form.how[name] = how


def _find_mode(form, shapes, settings):
    """Whether an object has an attribute that says that it is trained."""
    layer = form.caller
    if not isinstance(layer, Layer) or form.op not in BEYOND or "training" in form.takes:
        return
    arrays = arrays_of(shapes)
    try:
        given = {name: form._own(name, array) for name, array in arrays.items()}
        mode = mode_of(layer.make(given, settings, sizes_of(form.op, arrays, settings)))
    except KeyboardInterrupt:
        raise
    except BaseException:  # it then fails when it is called, too
        return
    if mode is not None:
        form.takes["training"] = layer.takes["training"] = mode


def _kept_shape(form, made, name):
    """The shape of an array that a layer object keeps."""
    if isinstance(form.caller, Module):
        owner, key = form.caller.place(made, name)
        return tuple(getattr(owner, key).shape)
    place = place_of(made, form.caller.about.arrays, name)
    if place is None:
        raise FormError(f"{form.source.name}: {form.what} makes its own arrays, but keeps no "
                        f"{name} under a name that is known")
    return tuple(np.shape(place[0][place[1]]))


def _how_of(shape, own):
    """The order of axes, or the shape with a -1, that leads from a page's shape to an own one."""
    if len(shape) == 1:
        return tuple(-1 if size == shape[0] else 1 for size in own) if (
            sum(size != 1 for size in own) == 1 and max(own) == shape[0]) else None
    orders = ((3, 2, 0, 1), (0, 1, 2, 3), (2, 3, 0, 1), (3, 0, 1, 2)) if len(shape) == 4 else (
        (0, 1), (1, 0))
    return next((order for order in orders if tuple(shape[k] for k in order) == own), None)


def _flattens_itself(form, shapes, settings, expected):
    """Whether a dense layer takes x (N, d1, d2, d3) and flattens it; one in the page's form does
    not have to."""
    form.flattens, form.ranks = False, (2,)
    way = form.layout, tuple(form.how.items()), False
    case = shapes | {"x": (3, 2, 3, 2), "w": (12, 4)}, settings, expected
    if _score(form, way, case):
        form.ranks = (2, 4)
    elif form.kind == "page":
        return
    else:
        form.flattens = True


def _is_single(form, name, shapes, settings):
    """Whether a function that has one number by default, or no default, fails with two."""
    function = getattr(form.caller, "forward", None) or getattr(form.caller, "function", None)
    if not form.holds(name, (1, 2)) or not inspect.isroutine(function):
        return False
    default = names_of(function).get(form.takes[name])
    if default is not EMPTY and not isinstance(default, int):
        return False
    arrays = arrays_of(shapes | {"x": (2, 9, 7, 5)} if "w" in shapes else shapes)
    settings = {own: value for own, value in settings.items() if own in form.takes}
    if name == "window":
        settings |= {"stride": 1} if "stride" in form.takes else {}
    try:
        form.forward(arrays, settings)
    except Exception:  # it fails in any case
        return False
    for pair in PAIRED[name]:
        y = None
        try:
            y, kept = form.forward(arrays, settings | {name: pair})
            form.backward(np.ones_like(np.asarray(y)), kept)
        except Exception as error:
            if (y is None or isinstance(error, TypeError)) and not (
                    isinstance(error, (NotImplementedError, AssertionError))
                    or is_deliberate(error, form.source.file)):
                return True
    return False


def _takes_squares(form):
    """Whether a convolution in deeplearning.ai's form, b (1, 1, 1, O), has one size f for height
    and width of its kernels, and fails with two."""
    if form.op != "conv" or form.how.get("b") != (1, 1, 1, -1):
        return False
    try:
        y = form.forward(arrays_of(CONV | {"w": (3, 2, 5, 4)}), {})[0]
    except Exception:
        return True
    return np.shape(y) != (2, 7, 7, 4)


def _what_p_is(form):
    """Whether the rate of a dropout is the share that it keeps, found by counting zeros."""
    if "seed" not in form.takes:
        form.takes["seed"] = "the seed of Python's, NumPy's and PyTorch's own generators"
    if "rate" not in form.takes:
        return
    own = form.takes["rate"]
    try:
        y, _ = form.forward({"x": np.ones((100, 100))}, {"rate": 0.2})
        dropped = float(np.mean(np.asarray(y) == 0))
    except KeyboardInterrupt:
        raise
    except BaseException:
        return
    if abs(dropped - 0.8) < 0.05 and form.caller.keeps is False:
        form.caller.keeps = True
        form.remarks.append(f"{own} is the share that is kept")
    elif abs(dropped - 0.2) < 0.05:
        form.remarks.append(f"{own} is the share that is " + (
            "kept" if own in ("keep_prob", "keep", "keep_p", "p_keep") else "dropped"))
    else:
        form.remarks.append(f"{own} is taken for the share that is dropped; of ones, with 0.2, "
                            f"{dropped:.0%} were")
