"""Lines of Python that show a mistake: to be pasted beside the student's file and run.

    import numpy as np
    from convolution import conv_forward

    x = np.array([[[[2], [-1]]]], float)
    w = np.array([[[[3]]]], float)
    y, cache = conv_forward(x, w)
    print(y)  # expected [[[[6], [-3]]]]
"""

import keyword
import re
from inspect import signature

import numpy as np

from minicnn.course.grader.exports import stem
from minicnn.course.grader.names import THERE
from minicnn.gradcheck.own.script import helps, shortened, typed

DIGITS = 12  # of numbers that are nearly equal


def of_op(form, arrays, settings, wrong, expected, dy):
    """The lines for an op at one setting.

    Parameters
    ----------
    form : Handed
    arrays, settings : dict
    wrong : str
        The array that is wrong: "y", "dx", ...; "raises" if there is none.
    expected : array
    dy : array
    """
    given = {name: value for name, value in arrays.items() if value is not None}
    called = [name if arrays[name] is not None else "None" for name in form.arrays]
    called = called[:-1] if called[-1] == "None" else called
    usual = signature(form.page.forward).parameters
    called += [f"{name}={value!r}" for name, value in settings.items()
               if usual[name].default != value]
    names, lines = [f"{form.prefix}forward"], []
    lines += [f"y, cache = {form.prefix}forward({', '.join(called)})"]
    if "y" not in (wrong, form.part):
        names.append(f"{form.prefix}backward")
        lines += [f"{gradients(form)} = {form.prefix}backward(dy, cache)"]
        given["dy"] = dy
    lines += [f"print({wrong})  # expected {shortened(np.asarray(expected))}"] if np.size(
        expected) else []
    lines = [f"{name} = {typed(value)}" for name, value in given.items()] + lines
    return head(form.source.name, names, lines) + lines


def shows(result, got, expected):
    """The line that prints a result: its numbers, or what else tells it from what is expected."""
    got, expected = np.asarray(got), np.asarray(expected)
    should = shortened(expected)
    if shortened(got) != should:
        return f"print({result})  # expected {should}"
    if expected.ndim and got.dtype != expected.dtype:
        return f"print({result}.dtype)  # expected {expected.dtype}"
    should = " ".join(np.array2string(expected, precision=DIGITS).split())
    return f"print(np.array2string(np.array({result}), precision={DIGITS}))  # expected {should}"


def gradients(form):
    """"dx, dw, db": what a backward returns."""
    return ", ".join(f"d{name}" for name in form.arrays if name != "labels")


def own_file(name, assignment):
    """The student's file as lines import from it; one like "conv-1.py" is the assignment's."""
    if name.lower().endswith(".ipynb"):
        return name
    own = stem(name)[0]
    fit = own.isidentifier() and own.isascii() and not keyword.iskeyword(own)
    return f"{own if fit and own not in THERE else assignment.name}.py"


def head(file, names, lines):
    """The imports that lines need; below the functions of a notebook these are there."""
    called = any(re.search(r"[\[ (,-](nan|inf)\b", line) for line in lines)
    own = [] if file.lower().endswith(".ipynb") else [
        f"from {file.removesuffix('.py')} import {', '.join(names)}"]
    return ["import numpy as np", *["from numpy import inf, nan"] * called, *own, *helps(lines), ""]


def how(file):
    """ "paste it beside your file"."""
    return "run it below your functions" if file.lower().endswith(".ipynb") else \
        "paste it beside your file and run it"


# ---- calls

class Noted:
    """Makes calls as `Local` and `Walled` do, and notes them as lines of Python."""

    def __init__(self, process):
        self.process, self.lines, self.names, self.made = process, [], [], {}
        self.calls = []  # (target, args, kwargs)

    def call(self, target, *args, take="value", **kwargs):
        """Call, and note the line."""
        self.calls.append((target, args, kwargs))
        given = [self._word(value) for value in args]
        given += [f"{name}={self._word(value)}" for name, value in kwargs.items()]
        if isinstance(target, str):
            called = target
            self.names += [target] if target not in self.names else []
        else:
            called = ".".join([self._word(target[0]), *target[1:]])
        result = f"result{len(self.lines)}" if self.lines else "result"
        self.lines.append(f"{result} = {called}({', '.join(given)})")
        found = self.process.call(target, *args, take=take, **kwargs)
        self.made[id(found)] = result, found
        if isinstance(found, tuple):
            self.made |= {id(part): (f"{result}[{index}]", part)
                          for index, part in enumerate(found)}
        return found

    def attribute(self, handle, name):
        """A value that an object holds."""
        result = f"result{len(self.lines)}"
        self.lines.append(f"{result} = {self._word(handle)}.{name}")
        found = self.process.attribute(handle, name)
        self.made[id(found)] = result, found
        return found

    def function(self, f):
        """A function that the submission may call; its ``text`` says how it is typed."""
        found = self.process.function(f)
        self.made[id(found)] = f.text, found
        return found

    def _word(self, value):
        if id(value) in self.made:
            return self.made[id(value)][0]
        if isinstance(value, np.ndarray):
            return f"np.array({value.tolist()})" if value.dtype == bool else typed(value)
        return repr(value)


def of_calls(file, noted, got, expected):
    """The lines for the calls of a probe, of which `got` is wrong and should be `expected`."""
    result = noted.made.get(id(got), (noted.lines[-1].partition(" = ")[0],))[0]
    parts = expected if isinstance(expected, (tuple, list)) else [expected]
    should = ", ".join(shortened(np.asarray(part)) for part in parts)
    lines = [*noted.lines, shows(result, got, expected) if got is not None else
             f"print({result})  # expected {should}"]
    return head(file, noted.names, lines) + lines
