"""The calls by which a question on an op is tested, as lines of Python with drawn numbers."""

import inspect
from importlib import import_module

import numpy as np

from minicnn.course.assignments.trials import TRIES, drawn
from minicnn.course.handout.typed import Lines, call, typed
from minicnn.gradcheck.own.known import OPS

MADE = {  # how normal numbers `{}` become those of a contract's `values`
    "negative": "-1 - np.abs({})", "ties": "np.round({})",
    "far": "1000 * np.sign({0}) + {0}", "zeros": "np.where(np.abs({0}) < 0.7, 0.0, {0})"}


def lines(question, rng, index, kind):
    """The Lines for one setting.

    Parameters
    ----------
    question : Question
        Of the kind "op".
    rng : Generator
    index : int
        Which draw it is: settings that a contract lists take turns.
    kind : {"visible", "hidden"}
    """
    contract, (part,) = question.contract, question.contract["parts"]
    some, values = contract.get("some", [{}]), contract.get("values", ["normal"])
    case = next(filter(None, (drawn(contract, contract["sizes"] | some[index % len(some)], rng)
                              for _ in range(TRIES))))
    values = values[index % len(values)] if part == "y" or kind == "hidden" else "normal"
    made = _arrays(case, values, int(rng.integers(2**31)))
    op, prefix = contract["op"], question.function.rpartition("_")[0] + "_"
    arrays = [name for name in OPS[op].arrays if name in case.inputs or name in case.options]
    usual = inspect.signature(import_module(f"minicnn.ops.{op}").forward).parameters
    settings = {name: value for name, value in case.options.items()
                if name not in arrays and usual[name].default != value}
    called = call(f"{prefix}forward", [name if name in case.inputs else "None" for name in arrays],
                 settings)
    words = ", ".join([f"{name} {'x'.join(map(str, np.shape(value)))}"
                       for name, value in case.inputs.items()]
                      + [f"{name} {value}" for name, value in settings.items()])
    if part == "y":
        return Lines("\n".join([*made, f"y, cache = {called}"]), "y", _of_y(case, called), words)
    return _of_gradient(case, made, called, prefix, part, op, words, kind)


def _arrays(case, values, seed):
    """Lines that make the inputs; a RandomState gives the same numbers with every NumPy."""
    made = [f"rng = np.random.RandomState({seed})"]
    for name, array in case.inputs.items():
        if array.dtype.kind == "f":
            made.append(f"{name} = rng.randn({', '.join(map(str, array.shape))})")
            if name == "x" and values in MADE:
                made.append(f"x = {MADE[values].format('x')}")
        else:
            made.append(f"{name} = rng.randint(0, {case.inputs['x'].shape[-1]}, {array.shape})")
    return made


def _of_y(case, called):
    """Asserts on the output of a forward pass: shape, dtype, and that arguments stay."""
    shape = tuple(map(int, np.shape(case.expected()[0])))
    floats = [name for name, value in case.inputs.items() if value.dtype.kind == "f"]
    single = _in_single(called, case)
    return [f'assert np.shape(y) == {shape}, f"y has shape {{np.shape(y)}}, not {shape}"',
            f"single, _ = {single}",
            'assert single.dtype == np.float32, "float32 in, float32 out"',
            f"before = [{', '.join(f'{name}.copy()' for name in floats)}]",
            f"again = {called}",
            f"assert all(map(np.array_equal, before, [{', '.join(floats)}])), "
            '"an argument was changed"']


def _with(called, name, value):
    """A call with another expression for a positional argument."""
    head, _, rest = called.partition("(")
    parts = [value if part == name else part for part in rest.removesuffix(")").split(", ")]
    return f"{head}({', '.join(parts)})"


def _in_single(called, case):
    """A call with all its numbers in single precision."""
    for name, value in case.inputs.items():
        if value.dtype.kind == "f":
            called = _with(called, name, f"np.float32({name})")
    return called


def _of_gradient(case, made, called, prefix, part, op, words, kind):
    """Lines for dx, dw or db; in a hidden test with a cache of the page's: forward may be wrong."""
    shape, wrt = np.shape(case.expected()[0]), part[1:]
    names = [f"d{name}" for name in OPS[op].arrays if name != "labels"]
    cache = _cache(op, case, made) if kind == "hidden" else f"y, cache = {called}"
    text = [*made, f"dy = rng.randn({', '.join(map(str, shape))})",
            cache, f"{', '.join(names)} = {prefix}backward(dy, cache)"]
    single = _in_single(called, case)
    properties = [
        f'assert np.shape({part}) == {wrt}.shape, f"{part} has shape {{np.shape({part})}}, not '
        f'{{{wrt}.shape}}"',
        f"_, cache = {single}",
        f"{', '.join(f'{name}_single' for name in names)} = {prefix}backward("
        "np.float32(dy), cache)",
        f'assert {part}_single.dtype == np.float32, "float32 in, float32 out"',
        f"along = rng.randn(*{wrt}.shape)",
        f"measured = measure(lambda moved: {_with(called, wrt, 'moved')}[0], {wrt}, dy, along)",
        f"computed = float(np.sum({part} * along))",
        "assert abs(measured - computed) <= 1e-6 * (1 + abs(measured)), (",
        f'    f"along a direction of {wrt}, y changes by {{measured:.6g}}, but {part} says "',
        '    f"{computed:.6g}")']
    return Lines("\n".join(text), part, properties, words, True)


def _cache(op, case, made):
    """A line that makes the page's cache: inputs by their names, all else as it is typed."""
    there = {"np": np}
    exec("\n".join(made), there)
    given = {name: there.get(name) for name in OPS[op].arrays}
    _, cache = import_module(f"minicnn.ops.{op}").forward(*given.values(), **{
        name: value for name, value in case.options.items() if name not in given})
    return f"cache = {type(cache).__name__}({', '.join(_field(one, given) for one in cache)})"


def _field(value, given):
    """A field of a cache: an input, an input in another shape, or as it is typed."""
    for name, array in given.items():
        if isinstance(value, np.ndarray) and array is not None and value.size == array.size \
                and np.array_equal(value.ravel(), array.ravel()):
            return name if value.shape == array.shape else f"{name}.reshape{value.shape}"
    return typed(value)
