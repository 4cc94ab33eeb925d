"""The calls of a probe, as lines of Python with drawn numbers."""

import inspect

import numpy as np

from minicnn.course.assignments.probes import PROBES, Draw
from minicnn.course.grader.by_call import OPTIONS
from minicnn.course.handout.typed import Lines, call, typed

FUNCTIONS = {  # of the probes that hand a function over
    "slope": "def f(x):\n    return 1 / (1 + np.exp(-(x @ {w})))",
    "kinks": "def f(x):\n    return np.stack([x**3, abs(x), np.maximum(x, 0)])"}


def lines(process, question, rng, index):
    """The Lines for one draw.

    Parameters
    ----------
    process : Local
        The pages' own code.
    question : Question
        Of the kind "call".
    rng : Generator
    index : int
        Which draw it is.
    """
    contract = question.contract
    options = {name: value for name, value in contract.items() if name not in OPTIONS}
    recorder = Recorder(process, FUNCTIONS.get(contract["probe"], ""))
    found = PROBES[contract["probe"]](recorder, Rounded(rng, rng, index=index), **options)
    shown = _shown(found, recorder)
    return Lines("\n".join(recorder.lines), shown, _of_found(found, shown), f"draw {index + 1}")


class Rounded(Draw):
    """A Draw of numbers with two decimals, which can be typed; options take turns."""

    before = 1  # ways to choose so far

    def choice(self, options):
        """One of several: all ways to choose come up in the runs, one after the other."""
        chosen = options[self.index // self.before % len(options)]
        self.before *= len(options)
        return chosen

    def array(self, *shape, values="normal"):
        """Numbers of a shape."""
        return np.round(super().array(*shape, values=values), 2) + 0.0


class Recorder:
    """Calls made in this process, noted as lines of Python."""

    def __init__(self, process, functions):
        self.process, self.functions, self.lines, self.made = process, functions, [], []

    def call(self, target, *args, take="value", **kwargs):
        """Call a function, a handle or its method, and note the line."""
        name = target if isinstance(target, str) else ".".join(
            [self._word(target[0]), *target[1:]])
        line = call(name, map(self._word, args), kwargs)
        return self._note(line, self.process.call(target, *args, **kwargs))

    def attribute(self, handle, name):
        """A field of an object."""
        return self._note(f"{self._word(handle)}.{name}", getattr(handle, name))

    def function(self, f):
        """A function of the probe: its lines are known."""
        self.lines.append(self.functions.format(**{
            name: typed(value) for name, value in inspect.getclosurevars(f).nonlocals.items()}))
        return f

    def _note(self, line, found):
        name = f"result{len(self.made) + 1}"
        self.lines.append(f"{name} = {line}")
        self.made.append((name, found))
        return found

    def _word(self, value):
        """A result by its name, and anything else as it is typed."""
        for name, found in self.made:
            parts = [(name, found)]
            if isinstance(found, tuple):
                parts += [(f"{name}[{index}]", part) for index, part in enumerate(found)]
            for word, part in parts:
                if part is value and not isinstance(value, (int, float, str)):
                    return word
        return "f" if callable(value) else typed(value)


def _shown(found, recorder):
    """The expression for what a probe returns, made of the recorded results."""
    if isinstance(found, tuple) and not any(found is one for _, one in recorder.made):
        parts = ", ".join(_shown(one, recorder) for one in found)
        return f"({parts},)"
    names = [name for name, one in recorder.made if one is found]
    return names[-1] if names else recorder._word(found)


def _of_found(found, shown):
    """Asserts on shapes."""
    if isinstance(found, tuple):
        return []
    shape = tuple(map(int, np.shape(found)))
    return [f'assert np.shape({shown}) == {shape}, f"it has shape {{np.shape({shown})}}, not '
            f'{shape}"']
