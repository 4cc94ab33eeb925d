"""A few lines of Python that call somebody's own op at given numbers, to be pasted and run.

    import numpy as np
    from layers import relu_backward, relu_forward

    x = np.array([[-1.0, 2.0]])
    dy = np.array([[3.0, 1.0]])
    y, cache = relu_forward(x)
    dx = relu_backward(dy, cache)
    print(dx)  # expected [[0, 1]]
"""

from pathlib import Path

import numpy as np

from minicnn.gradcheck.own.calls import filled, renamed
from minicnn.gradcheck.own.layouts import to_own

LONGEST = 400  # characters of an array in a comment
TYPED = 60  # numbers of an array that are typed one by one
RAISES = "raises"  # stands for the name of an array where a pass raises an error
ORDERS = ((0, 1, 2, 3), (0, 3, 1, 2), (3, 2, 0, 1))  # of axes, from the page's to an own layout


def numbers(*shape, seed=0):
    """Small whole numbers of both signs, without 0; those of a small array are all different."""
    rng, count = np.random.default_rng([seed, *shape]), int(np.prod(shape))
    sizes = 1 + (rng.permutation(count) if count < 20 else rng.integers(0, 9, count))
    return (sizes * rng.choice([-1.0, 1.0], count)).reshape(shape)


def script(form, arrays, settings, wrong, expected, dy=None, case=""):
    """The lines for one setting.

    Parameters
    ----------
    form : Form
    arrays, settings : dict
        The page's, as for `form.forward`.
    wrong : str
        "y", "dx", "dw", ...: the array that is wrong, in `expected` as it should be. `RAISES` if
        one of the passes raises an error; the lines then end with the calls.
    dy : array, optional
        In the page's layout; by default that of the case.
    case : str
        The name of the op's case (`minicnn.gradcheck.judge.cases`), if dy is not given.

    Returns
    -------
    list of str
    """
    if dy is None:
        return _of_case(form, settings, wrong, case)
    own = form.own_arrays(arrays)
    values = filled(form._constants | settings, form.takes, form.op, form.defaults)
    dy = to_own("y", np.asarray(dy), form)
    called = _of_pair if form.kind in ("page", "course") else _of_class
    names, lines = called(form, own, values, wrong)
    module = form.source.name.removesuffix(".py")
    if names is None or not module.isidentifier() or getattr(form.caller, "keyed", False):
        return _through_form(form, arrays, settings, dy, wrong, expected)
    given = [f"{name} = {typed(value)}" for name, value in own.items() if value is not None]
    given += [f"dy = {typed(dy)}"] if wrong != "y" else []
    if wrong != RAISES:
        seen = to_own(wrong[1:] if wrong != "y" else "y", np.asarray(expected), form)
        lines = [*lines, f"print({_seen(form, wrong)})  # expected {shortened(seen)}"]
    return ["import numpy as np", f"from {module} import {', '.join(names)}", *helps(given), "",
            *given, *lines]


def helps(lines):
    """The import that the lines need, if they need one."""
    used = any("numbers(" in line for line in lines)
    return ["from minicnn.gradcheck.own.script import numbers"] * used


def _seen(form, wrong):
    """The name of an array in the lines; the gradients of a list's parts are one list."""
    is_part = form.arrays == ("parts",) and wrong != "y"
    return f"dparts[{wrong.removeprefix('dx')}]" if is_part else wrong


def _of_pair(form, own, values, wrong):
    """(names to import, lines) for a pair of functions; (None, []) if they are called otherwise."""
    caller = form.caller
    if getattr(caller, "is_loss", True) or not hasattr(caller, "call"):
        return (None, []) if not getattr(caller, "is_loss", False) else (
            [caller.forward.__name__],
            [f"y, dx = {caller.forward.__name__}({', '.join(caller.arrays)})"])
    call, names = caller.call, [name for name in caller.arrays if name not in caller.in_dicts]
    arguments = ["None" if own.get(name) is None else name for name in names]
    plain = renamed({name: value for name, value in values.items() if name in call.settings},
                    call.settings, caller.keeps, caller.pairs)
    arguments += [f"{name}={value!r}" for name, value in plain.items()]
    for parameter, keys in call.dicts.items():
        inside = renamed({name: value for name, value in values.items() if name in keys}, keys,
                         caller.keeps)
        items = [f"{key!r}: {value!r}" for key, value in inside.items()]
        items += [f"{keys[name]!r}: {name}" for name in caller.in_dicts
                  if own.get(name) is not None]
        arguments.append(f"{parameter}={{{', '.join(items)}}}")
    forward, backward = caller.forward.__name__, caller.backward.__name__
    fixed = [f"{name}={value!r}" for name, value in getattr(caller.forward, "fixed", {}).items()]
    arguments += fixed
    lines = [f"y, cache = {forward}({', '.join(arguments)})"]
    if wrong == "y":
        return [forward], lines
    gradients = ", ".join(f"d{name}" for name in caller.arrays
                          if name not in ("mean", "variance", "labels"))
    given = ", ".join(["dy", "cache", *fixed])
    return [forward, backward], [*lines, f"{gradients} = {backward}({given})"]


def _of_class(form, own, values, wrong):
    """The same for a class that takes its arrays in its constructor or in forward."""
    layer = form.caller
    if form.kind != "class" or layer.placed or layer.sizes:
        return None, []
    named = renamed({n: v for n, v in values.items() if n in layer.set_made}, layer.set_made,
                    layer.keeps, layer.pairs)
    made = [f"{called}={name}" for name, called in layer.by_made.items()
            if own.get(name) is not None] + [f"{name}={value!r}" for name, value in named.items()]
    named = renamed({n: v for n, v in values.items() if n in layer.set_called}, layer.set_called,
                    layer.keeps, layer.pairs)
    later = [form.arrays[0]] + [f"{called}={name}" for name, called in layer.by_called.items()
                                if own.get(name) is not None]
    later += [f"{name}={value!r}" for name, value in named.items()]
    forward, backward = layer.methods
    lines = [f"layer = {layer.of.__name__}({', '.join(made)})",
             f"y = layer.{forward}({', '.join(later)})"]
    if wrong != "y":
        lines.append(f"dx = layer.{backward}(dy)")
        if wrong not in ("dx", RAISES):
            lines.append(f"{wrong} = layer.{'dW' if wrong == 'dw' else wrong}")
    return [layer.of.__name__], lines


def _through_form(form, arrays, settings, dy, wrong, expected):
    """Lines that call the op as the judge does, in the page's layout."""
    given = {name: value for name, value in arrays.items() if value is not None}
    lines = [*(f"{name} = {typed(value)}" for name, value in given.items()),
             f"dy = {typed(np.asarray(dy))}"]
    passed = ", ".join(f"{name!r}: {name}" for name in given)
    back = "form.backward(dy, kept)"
    end = back if wrong == RAISES else (
        f"print({'y' if wrong == 'y' else f'{back}[{wrong[1:]!r}]'})  # expected "
        f"{shortened(np.asarray(expected))}")
    return ["import numpy as np", *helps(lines), *_opened(form), *lines,
            f"y, kept = form.forward({{{passed}}}, {settings!r})", end]


def _opened(form):
    """Lines that open the file and make the same Form again."""
    given = dict(zip(("layout", "form", "variant", "trying"), form._given, strict=False))
    more = "".join(f", {name}={value!r}" for name, value in given.items() if value)
    there = form.source.given
    there = Path(there).name if isinstance(there, str) else form.source.name
    return ["from minicnn.gradcheck.own.forms import Form",
            "from minicnn.gradcheck.own.sources import Source", "",
            f"form = Form(Source({there!r}), {form.op!r}{more})"]


def _of_case(form, settings, wrong, case):
    """Lines for a case whose numbers are too many to be typed."""
    back, end = "form.backward(case.dy(), kept)", "print(y - case.expected()[0])  # expected zeros"
    if wrong == RAISES:
        end = back
    elif wrong != "y":
        end = (f"print({back}[{wrong[1:]!r}] - case.expected(case.dy())[1][{wrong[1:]!r}])"
               "  # expected zeros")
    return ["from minicnn.gradcheck.judge.cases import cases", *_opened(form),
            f"case = next(one for one in cases({form.op!r}) if one.name == {case!r})",
            f"y, kept = form.forward(case.inputs, {settings!r})", end]


def typed(value):
    """An array, or a list of arrays, as it is typed."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(typed, value))}]"
    value = np.asarray(value)
    made = _made(value) if value.size > TYPED else None
    if made:
        return made
    whole = value.dtype.kind in "iub" or not np.any(value != np.round(value))
    kind = ", " + ("float" if value.dtype == np.float64 else f"np.{value.dtype}")
    listed = value.astype(int).tolist() if whole else value.tolist()
    return f"np.array({listed}{kind if value.dtype.kind == 'f' else ''})"


def _made(value):
    """How a large array is computed, if it is one that `minicnn.gradcheck.judge.shrink` makes."""
    kind = f".astype(np.{value.dtype})" if value.dtype == np.float32 else ""
    for order in ORDERS if value.ndim == 4 else (tuple(range(value.ndim)),):
        paged = value.transpose(np.argsort(order))
        turn = "" if order == tuple(sorted(order)) else f".transpose{order}"
        shape, one = paged.shape, np.arange(paged.size)
        for times in (1, 10, 100, 1000):
            for seed in range(5):
                if np.array_equal(paged, times * numbers(*shape, seed=seed)):
                    what = f"numbers({', '.join(map(str, shape))}, seed={seed}){turn}{kind}"
                    return what if times == 1 else f"{what} * {times}"
        for least, period in ((1, 3), (1, 4), (1, 5), (0, int(value.max()) + 1)):
            if np.array_equal(paged.ravel(), least + one % period):
                add = "" if value.dtype.kind == "i" else f"{least}.0 + "
                return f"({add}np.arange({one.size}) % {period}).reshape{shape}{turn}{kind}"
    return None


def shortened(array):
    """An array in a comment, in one line."""
    text = np.array2string(np.round(array, 4) + 0.0, separator=", ", threshold=10**6,
                           max_line_width=10**6, formatter={"float_kind": "{:.4g}".format})
    text = " ".join(text.split()).replace("[ ", "[").replace(" ]", "]")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
