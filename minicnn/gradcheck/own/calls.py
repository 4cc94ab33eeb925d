"""How a function or a class takes the arrays and settings of a page, read from its parameters.

Arrays are passed by position; settings by name, or in a course's dict of settings: conv_param,
bn_param, ... (`FAMILIES` in `minicnn.gradcheck.own.known` has their keys).
"""

import inspect
from typing import NamedTuple

from minicnn.gradcheck.own.known import (
    ALIASES,
    ARRAYS,
    BEYOND,
    DEFAULTS,
    DICTS,
    FAMILIES,
    FAMILY,
    KEEPS,
    WINDOW_KEYS,
)
from minicnn.gradcheck.own.names import names_of
from minicnn.gradcheck.own.sources import FormError

EMPTY = inspect.Parameter.empty


class Call(NamedTuple):
    """The page's arrays that a function takes, in its order; {setting on the page: its own name};
    {own name of a dict of settings: {name on the page: key}}; {other parameter: default}."""

    arrays: tuple
    settings: dict
    dicts: dict
    others: dict

    @property
    def takes(self):
        """{setting or array on the page: own name or key}, dicts included."""
        return {**self.settings, **{name: key for keys in self.dicts.values()
                                    for name, key in keys.items()}}


def read(function, op, about, where):
    """The Call of a function whose first parameter is x."""
    defaults = names_of(function)
    names = list(defaults)
    settings = aliases((*about.settings, *BEYOND.get(op, ())), names[1:], ALIASES)
    owns = flat(settings)
    dicts = {name: _keys(name, function, op, about, where) for name in names[1:]
             if name.endswith(DICTS) and name not in owns}
    ends = [k for k, name in enumerate(names) if name == "**" or name in owns or name in dicts]
    first = ends[0] if ends else len(names)
    if "*" in names[:first]:
        return Call(about.arrays, settings, {}, others(defaults, settings, names[:first], where))
    arrays, leading = _arrays(about, names[:first], defaults)
    left = others(defaults, settings, [*names[:leading], *dicts], where)
    in_dicts = [name for keys in dicts.values() for name in keys if name in about.arrays]
    return Call((*arrays, *in_dicts), settings, dicts, left)


def _keys(name, function, op, about, where):
    """The keys of a dict of settings, {name on the page: key}."""
    family = max((one for one in FAMILIES if name.lower().startswith(one)), key=len,
                 default=FAMILY.get(op))
    if family is None:
        raise FormError(f"{where}: a dict of settings is known for {', '.join(FAMILY)}, not for "
                        f"{op}; make them parameters ({', '.join(about.settings) or 'none'})")
    wanted = {*about.settings, *about.arrays, *BEYOND.get(op, ())}
    family = "pool" if "window" in wanted and op in FAMILY else family
    keys = FAMILIES[family]
    if family == "pool":
        keys = keys | {"window": _window_key(name, function, keys["window"])}
    if family == "pool" and "pool_stride" in wanted:
        keys = {"window": keys["window"], "pool_stride": keys["stride"]}
    return {page: key for page, key in keys.items() if page in wanted}


def _window_key(name, function, usual):
    """The key of a window in a dict of settings: that which stands in the function, if it is not
    the usual pair of keys."""
    words = getattr(getattr(inspect.unwrap(function), "__code__", None), "co_consts", ())
    words = {word for word in words if isinstance(word, str)}
    if words & {*usual}:
        return usual
    return next((key for key in WINDOW_KEYS if key in words),
                "f" if name.endswith(DICTS[2:]) else usual)


def _arrays(about, names, defaults):
    """(names of the page's arrays among the leading parameters `names`, their number).

    They go by name if all names are known, else by position, up to the first unknown default.
    """
    by_name = aliases(about.arrays[1:], names[1:], ARRAYS)
    turned = {own: name for name, own in by_name.items()}
    if names[1:] and all(name in turned for name in names[1:]):
        return (about.arrays[0], *(turned[name] for name in names[1:])), len(names)
    needed = [name for name in names if defaults[name] is EMPTY or name in turned]
    count = min(len(needed), len(about.arrays))
    return about.arrays[:count], count


def others(defaults, called, arrays, where):
    """Parameters that are neither an array nor a setting, with their defaults."""
    found = {name: default for name, default in defaults.items()
             if name not in {*flat(called), *arrays, "*", "**"}}
    for name, default in found.items():
        if default is EMPTY:
            raise FormError(f"{where}: parameter {name!r} is not named like a setting "
                            f"({', '.join(called) or 'none'}) and has no default; rename it, or "
                            "give it a default")
    return found


def flat(called):
    """All own names in {name on the page: own name, or a pair of them}."""
    return {part for own in called.values() for part in (own if isinstance(own, tuple) else [own])}


def aliases(wanted, names, table):
    """{name on the page: its own name} of the `wanted` parameters that are among `names`."""
    found = {}
    for name in wanted:
        own = _alias(name, [one for one in names if one not in flat(found)], table)
        if own is not None:
            found[name] = own
    return found


def _alias(name, names, table):
    """The alias of a page's parameter among `names`; with **kwargs the page's own name."""
    for own in table.get(name, (name,)):
        if own in names or isinstance(own, tuple) and set(own) <= set(names):
            return own
    return name if "**" in names else None


# ---- values

def filled(settings, takes, op, leave=()):
    """The settings, with the page's defaults for those that the op takes but that are not given;
    those in `leave` have the op's own default."""
    values = dict(settings)
    for name in set(takes) - set(leave):
        if name == "stride" and op in ("pool", "average_pool"):
            values.setdefault(name, values.get("window"))
        elif name == "training" and op == "dropout":
            values.setdefault(name, True)
        elif name in DEFAULTS:
            values.setdefault(name, DEFAULTS[name])
    for name in ("stride", "pool_stride"):
        if name in values and values[name] is None:
            values[name] = values["window"]
    return values


def pairs_of(function):
    """The parameters of a function or class whose default is a pair: they always get one."""
    return {name for name, default in names_of(function).items()
            if isinstance(default, tuple) and len(default) == 2}


def renamed(values, called, keeps=False, pairs=()):
    """Turn {name on the page: value} into {own name: value}, as its own name wants it; those in
    `pairs` get one number for height and one for width even if both are the same."""
    named = {}
    for name, value in values.items():
        own, is_pair = called.get(name, name), isinstance(value, tuple)
        if isinstance(own, tuple):
            named |= dict(zip(own, value if is_pair else (value, value), strict=True))
        elif own in pairs and isinstance(value, (int, tuple)):
            named[own] = value if is_pair else (value, value)
        else:
            value = value[0] if is_pair and len({*value}) == 1 and name != "size" else value
            named[own] = _as_named(name, own, value, keeps)
    return named


def _as_named(name, own, value, keeps):
    """A page's value as an own name means it: ceil_mode is a truth value, mode a word."""
    if own == "mode" and name == "training":
        return "train" if value else "test"
    if own == "ceil_mode" or own == "count_include_pad":
        return value in ("ceil", "padding")
    return 1 - value if name == "rate" and (keeps or own in KEEPS) else value


class Settings(dict):
    """A dict of settings that records which names were read."""

    def __init__(self, values):
        super().__init__(values)
        self.read = set()

    def __getitem__(self, name):
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name, default=None):
        self.read.add(name)
        return super().get(name, default)

    def setdefault(self, name, default=None):
        self.read.add(name)
        return super().setdefault(name, default)

    def pop(self, name, *default):
        self.read.add(name)
        return super().pop(name, *default)

    def keys(self):  # ** calls this before it reads each item
        return super().keys()

    def values(self):
        self.read.update(self)
        return super().values()

    def items(self):
        self.read.update(self)
        return super().items()


def naming_keys(error, dicts):
    """Let a KeyError for a key that a dict of settings lacks name the keys there are."""
    for told in dicts:
        if error.args and error.args[0] in told.read - set(told):
            error.args = (f"{error.args[0]!r}; the dict of settings has "
                          f"{', '.join(map(repr, told)) or 'nothing'}",)
