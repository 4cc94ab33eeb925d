"""A method's options: one frozen dataclass, from which the documentation, the signature and the
command-line help are generated.

    @dataclass(frozen=True, kw_only=True)
    class DreamOptions(Options):
        steps: int = option(10, "steps of gradient ascent in each octave", least=1)

    @takes(DreamOptions)
    def dream(network, image, layers=None, *, options, progress=False):
        ...

``dream(net, photo, steps=20)`` is then given ``options.steps == 20`` and the default of every
other. The docstring's line ``**options`` becomes the list of them, the signature names each with
its default, and so do the command line's help (`minicnn.cli`), a preset (another instance) and a
record's settings (`Options.settings`). A misspelt option, a value that is not among the choices, or
one out of range raises one error, which names the option.
"""

import inspect
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from functools import wraps
from math import isfinite
from numbers import Integral, Real
from pathlib import Path
from textwrap import fill
from typing import ClassVar

from minicnn.backend.blas import one_blas_thread
from minicnn.network import Network


class OptionsError(ValueError):
    """An option has a value that is not allowed; the message names the option."""


def option(default, words, kind=None, choices=None, least=None, above=None, most=None,
           otherwise=None):
    """A field of an Options class.

    Parameters
    ----------
    default : value
    words : str
        What it does, with units; no full stop.
    kind : str, optional
        The allowed values, in words. By default, they are derived from the choices or from the
        default value.
    choices : sequence, optional
        All allowed values.
    least, above, most : number, optional
        Limits.
    otherwise : str, optional
        What None means, where that is the default.
    """
    about = {"words": words, "choices": None if choices is None else tuple(choices),
             "least": least, "above": above, "most": most, "otherwise": otherwise}
    about["kind"] = kind or ("{" + ", ".join(map(repr, choices)) + "}" if choices
                             else type(default).__name__)
    return field(default=default, metadata=about)


def photo_size(default=None):
    """The field `size` of a method that looks at photos."""
    return option(default, "side in pixels of a photo as the network sees it; 'keep' for the "
                  "photo's own", kind='int, (H, W) or "keep"',
                  otherwise=default or "the network's own")


@dataclass(frozen=True, kw_only=True)
class Options:
    """The base of all options classes: each value is checked when an instance is made."""

    taker: ClassVar[str] = ""  # the name of the function that takes them, see `takes`

    def __post_init__(self):
        for one in fields(self):
            self._check(one, getattr(self, one.name))

    def settings(self):
        """The options by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def _check(self, one, value):
        """Raise OptionsError unless a value is what its field allows."""
        about = one.metadata
        if value is None and one.default is None:
            return
        if about["choices"] is not None:
            if value not in about["choices"]:
                raise OptionsError(f"{self.taker}: {one.name} must be one of "
                                   f"{', '.join(map(str, about['choices']))}, got {value!r}"
                                   + near(value, about["choices"]))
            return
        limits = [about[name] for name in ("least", "above", "most")]
        if limits == [None] * 3:
            return
        whole = one.type in (int, "int")
        right = isinstance(value, Integral if whole else Real) and not isinstance(value, bool)
        if not (right and isfinite(value) and _within(value, *limits)):
            kind = "a whole number" if whole else "a number"
            raise OptionsError(f"{self.taker}: {one.name} must be {kind}{_limits(*limits)}, got "
                               f"{value!r}")


def _within(value, least, above, most):
    return ((least is None or value >= least) and (above is None or value > above)
            and (most is None or value <= most))


def _limits(least, above, most):
    """ of at least 0 and at most 1"""
    words = [f"{name} {limit}" for name, limit in
             (("of at least", least), ("above", above), ("of at most", most)) if limit is not None]
    return "".join(f" {word}" if k == 0 else f" and {word.removeprefix('of ')}"
                   for k, word in enumerate(words))


def near(word, words):
    """A suggestion for an error message, if a valid word resembles the given one."""
    found = get_close_matches(str(word), [str(one) for one in words], n=1)
    return f"; did you mean {found[0]}?" if found else ""


def shown(one):
    """A field's default in words: for the docstring and for --help."""
    return one.metadata["otherwise"] or str(one.default)


def takes(cls, presets=None, usual=None):
    """Decorate a method ``f(network, ..., *, options)`` whose options are of class `cls`.

    Parameters
    ----------
    cls : class of Options
    presets : dict of str to cls, optional
        What the argument `preset` names; what is given besides wins.
    usual : callable, optional
        From the arguments, the preset that is meant where none is named, or None.
    """
    def decorate(function):
        if "taker" not in vars(cls):
            cls.taker = function.__name__
        own = [p for p in inspect.signature(function).parameters.values() if p.name != "options"]
        names = [one.name for one in fields(cls)]

        @wraps(function)
        def method(*arguments, **given):
            chosen = {name: given.pop(name) for name in names if name in given}
            for name in given.keys() - {p.name for p in own}:
                raise TypeError(f"{cls.taker}() got an argument {name!r} that it does not have"
                                + near(name, [*names, *(p.name for p in own)]))
            told = dict(zip([p.name for p in own], arguments, strict=False)) | given
            for name in {"network", "against"} & told.keys():
                _check_network(cls.taker, name, told[name], own)
            preset = told.get("preset")
            if preset is None and usual is not None and own[0].name in told:
                preset = usual(**told)
            base = cls() if preset is None else named(cls.taker, presets, preset)
            if usual is not None and len(arguments) <= len(own):
                arguments, given = (), told | {"preset": preset}
            options = replace(base, **chosen)
            with one_blas_thread():  # matrix products, as of `resize`, round differently with more
                return function(*arguments, options=options, **given)

        as_parameters = [inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY,
                                           default=one.default) for one in fields(cls)]
        positional = [p for p in own if p.kind is not p.KEYWORD_ONLY]
        rest = [p for p in own if p.kind is p.KEYWORD_ONLY]
        method.__signature__ = inspect.Signature([*positional, *as_parameters, *rest])
        method.__doc__ = (function.__doc__ or "").replace("    **options\n", _listed(cls))
        method.options, method.presets = cls, presets
        return method
    return decorate


def _check_network(method, name, given, parameters):
    """Raise ValueError unless what is given as a network is one: a photo is easily put first."""
    if not isinstance(given, Network):
        order = ", ".join(p.name for p in parameters if p.default is p.empty)
        what = repr(given) if isinstance(given, (str, Path)) else type(given).__name__
        raise ValueError(f"{method}: {name} must be a Network, as `minicnn.load` gives it, got "
                         f"{what}; the order is {method}({order}, ...)")


def named(method, presets, name):
    """The preset of that name, or OptionsError."""
    if name not in presets:
        raise OptionsError(f"{method}: preset must be one of {', '.join(presets)}, got {name!r}"
                         + near(name, presets))
    return presets[name]


def _listed(cls):
    """The options as a docstring lists parameters."""
    lines = []
    for one in fields(cls):
        words = one.metadata["words"]
        lines += [f"    {one.name} : {one.metadata['kind']}, default {shown(one)}",
                  fill(f"{words[0].upper()}{words[1:]}.", 100, initial_indent=" " * 8,
                       subsequent_indent=" " * 8)]
    return "\n".join(lines) + "\n"
