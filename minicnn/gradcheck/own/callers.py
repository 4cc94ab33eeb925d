"""The callers of own code: a pair of functions, and a class.

A caller gets arrays in the own code's layout, without copying them:

    run(given, settings, sizes) -> (y, own)     `own` is the cache, or the layer object
    back(dy, own, extras) -> {array: gradient}
"""

import sys
from typing import NamedTuple

from minicnn.gradcheck.own.calls import (
    EMPTY,
    Settings,
    aliases,
    flat,
    naming_keys,
    others,
    pairs_of,
    read,
    renamed,
)
from minicnn.gradcheck.own.known import ALIASES, ARRAYS, BEYOND, LOSSES, SIZES
from minicnn.gradcheck.own.names import PAIRS, methods_of, names_of
from minicnn.gradcheck.own.sources import CannotDo, FormError, OwnError

GRADIENTS = {
    "w": ("dw", "dW", "dweight", "dweights", "grad_w", "grad_W", "grad_weight", "grad_weights",
          "w_grad", "W_grad", "weight_grad", "weights_grad", "d_w", "d_W", "gw", "gW"),
    "b": ("db", "dbias", "dbiases", "grad_b", "grad_bias", "b_grad", "bias_grad", "d_b", "gb"),
    "gamma": ("dgamma", "grad_gamma", "dweight", "gamma_grad", "d_gamma", "ggamma"),
    "beta": ("dbeta", "grad_beta", "dbias", "beta_grad", "d_beta", "gbeta")}
OF_INPUT = ("dx", "dX", "d_x", "grad_x", "x_grad", "gx", "dinput", "dinputs", "grad_input",
            "dA_prev", "dA", "x", "X", "input", "inputs")
HOLDERS = ("params", "parameters", "weights", "_params")
GRADS = ("grads", "gradients", "grad", "_grads", "dparams")
STATISTICS = ("mean", "variance")
MODES = ("training", "train", "is_training")  # attributes that say whether a layer is trained


class Again(NamedTuple):
    """The arguments of a forward that returns no cache; backward takes them again."""

    arrays: list
    named: dict


class Pair:
    """A forward and a backward function, or one function that returns a loss and its gradient."""

    def __init__(self, piece, about, where):
        self.forward, self.backward = piece.forward, piece.backward
        self.call = read(piece.forward, piece.op, about, where)
        self.arrays, self.takes, self.others = self.call.arrays, self.call.takes, self.call.others
        self.is_loss = piece.backward is None and piece.op in LOSSES
        back = [] if self.is_loss else [*names_of(piece.backward)]
        self.again = len(back) > 1 and back[1] in (*names_of(piece.forward),)[:1]  # naive's
        self.back_takes = back
        self.keeps, self.keyed, self.pairs = False, False, pairs_of(piece.forward)
        self.in_dicts = {name for keys in self.call.dicts.values() for name in keys}

    def run(self, given, settings, sizes=None):
        """Call forward."""
        positional = [given[name] for name in self.arrays
                      if name not in self.in_dicts and name in given]
        values = settings | {name: given[name] for name in self.in_dicts if name in given
                             and given[name] is not None}
        dicts = {own: Settings(renamed({name: values[name] for name in keys if name in values},
                                       keys, self.keeps))
                 for own, keys in self.call.dicts.items()}
        named = renamed({name: values[name] for name in values if name in self.call.settings
                         and name not in self.in_dicts}, self.call.settings, self.keeps,
                        self.pairs)
        try:
            result = self.forward(*positional, **named, **dicts)
        except KeyError as error:
            naming_keys(error, dicts.values())
            raise
        return self._two(result, positional, named, dicts)

    def _two(self, result, positional, named, dicts):
        """(y, cache) of what forward returned."""
        self.dicts = dicts
        if result is None:
            return None, None
        if self.again and not (isinstance(result, tuple) and len(result) == 2):
            return result, Again(positional, named)
        if not isinstance(result, tuple) or len(result) != 2:
            got = (f"{len(result)} things" if isinstance(result, tuple) else
                   f"one of type {type(result).__name__}")
            raise OwnError("expected forward to return two things, the output and a cache, got "
                           f"{got}")
        return result

    def back(self, dy, own, extras=None):
        """Call backward; the gradients by the arrays' names."""
        if self.is_loss:
            return {self.arrays[0]: dy * own}
        if isinstance(own, Again):
            named = {name: value for name, value in own.named.items() if name in self.back_takes}
            found = self.backward(dy, *own.arrays, **named)
        else:
            found = self.backward(dy, own, **(extras or {}))
        return self.named(found)

    def named(self, found):
        """Gradients by the arrays' names."""
        if keyed(found):
            self.keyed = True
            return keyed(found)(self.arrays)
        if not isinstance(found, (tuple, list)) or self.arrays == ("parts",):
            found = [found]
        return {name: gradient for name, gradient in zip(self.arrays, found, strict=False)
                if gradient is not None}

    def statistics(self, own, dicts):
        """Running (mean, variance), or None."""
        for told in dicts.values():
            if {"running_mean", "running_var"} <= set(told):
                return dict.__getitem__(told, "running_mean"), dict.__getitem__(told, "running_var")
        return None


class Layer:
    """A class with forward and backward, made anew for each forward pass.

    It gets its arrays in its constructor or in forward, or makes them from sizes; those are then
    replaced.
    """

    def __init__(self, piece, about, where):
        self.of, self.op, self.about, self.keeps = piece.forward, piece.op, about, False
        self.in_dicts, self.dicts, self.keyed = set(), {}, False
        self.methods = methods_of(self.of) or PAIRS[0]
        made = names_of(self.of)
        torch = sys.modules.get("torch")
        if self.of.__init__ in (object.__init__, torch and torch.nn.Module.__init__):
            made = {}
        called = names_of(getattr(self.of, self.methods[0]))
        called = dict([*called.items()][1:])  # without self
        self.pairs = pairs_of(getattr(self.of, self.methods[0])) | {
            name for name in pairs_of(self.of) if name in made}
        self._read(made, called, where)

    def _read(self, made, called, where):
        """Sort the parameters of the constructor and of forward."""
        about, first = self.about, self.about.arrays[0]
        self.sizes = aliases(SIZES, [name for name in made if name != "**"], SIZES)
        if not {"in", "out", "features"} & set(self.sizes) or len(about.arrays) < 2:
            self.sizes = {}
        wanted = about.arrays[1:]
        self.by_made = aliases([n for n in wanted if not self.sizes or n in STATISTICS], made,
                               ARRAYS)
        left = [name for name in wanted if name not in self.by_made]
        settings = (*about.settings, *BEYOND.get(self.op, ()))
        sized, rest = flat(self.sizes), list(called)[1:]
        free = [n for n in made if n not in sized | flat(self.by_made)]
        self.set_made = aliases(settings, free, ALIASES)
        self.set_called = aliases([n for n in settings if n not in self.set_made], rest, ALIASES)
        free = [n for n in rest if n not in flat(self.set_called)]
        self.by_called = {} if not free else aliases(left, free, ARRAYS) or {
            name: own for name, own in zip(left, free, strict=False) if called[own] is EMPTY}
        self.placed = [name for name in left if self.sizes and name not in self.by_called]
        self.flags = [n for n in made if self.sizes and isinstance(made[n], bool)
                      and n.endswith("bias")]
        keyed = [*sized, *flat(self.by_made), *self.flags]
        self.others = others(made, self.set_made, keyed, where) | {
            name: default for name, default in others(
                called, self.set_called, [*list(called)[:1], *flat(self.by_called)], where).items()}
        self.arrays = (first, *(n for n in wanted if n in self.by_made or n in self.by_called
                                or n in self.placed))
        self.takes = self.set_made | self.set_called
        switches = (getattr(self.of, name, None) for name in ("train", "eval"))
        if self.op in BEYOND and all(map(callable, switches)):
            self.takes.setdefault("training", "train")

    def make(self, given, settings, sizes):
        """A layer object with these arrays."""
        named = renamed({name: value for name, value in settings.items() if name in self.set_made},
                        self.set_made, self.keeps, self.pairs)
        named |= {own: given[name] for name, own in self.by_made.items() if name in given}
        named |= renamed({part: sizes[part] for part in self.sizes if part in sizes}, self.sizes,
                         pairs=self.pairs)
        named |= {flag: given.get("b", given.get("beta")) is not None for flag in self.flags}
        try:
            return self.of(**named)
        except TypeError as error:
            if isinstance(named.get(self.sizes.get("kernel")), tuple):
                raise CannotDo(f"class {self.of.__name__} takes one number for the height and "
                               "width of its kernels") from error
            raise

    def run(self, given, settings, sizes=None):
        """Make a layer, put the arrays where it keeps its own, and call forward."""
        layer = self.make(given, settings, sizes or {})
        for name in self.placed:
            if given.get(name) is not None:
                put(layer, self.about.arrays, name, given[name])
        self.dicts = {}
        return self.forward_of(layer, given, settings)

    def forward_of(self, layer, given, settings):
        """(y, layer, or (layer, cache) if forward returns a cache)."""
        named = renamed({n: v for n, v in settings.items() if n in self.set_called},
                        self.set_called, self.keeps, self.pairs)
        named |= {own: given[name] for name, own in self.by_called.items() if name in given}
        training = settings.get("training")
        if training is not None and "training" not in self.set_made | self.set_called:
            set_mode(layer, training)
        y = getattr(layer, self.methods[0])(given[self.arrays[0]], **named)
        if isinstance(y, tuple) and len(y) == 2 and len(names_of(
                getattr(layer, self.methods[1]))) > 1:
            return y[0], (layer, y[1])
        return y, layer

    def back(self, dy, own, extras=None):
        """Call backward; the gradients by the arrays' names, returned or kept in the layer."""
        layer, *cache = own if isinstance(own, tuple) else (own,)
        backward = getattr(layer, self.methods[1])
        takes = names_of(backward)
        found = backward(dy, *cache) if takes else backward()
        if not takes:  # a loss's: there is nothing but 1 that it could be given
            found = dy * found
        if keyed(found):
            self.keyed = True
            return keyed(found)(self.arrays)
        if isinstance(found, tuple):
            return {n: g for n, g in zip(self.arrays, found, strict=False) if g is not None}
        found = {self.arrays[0]: found}
        for name in self.arrays[1:]:
            found[name] = stored(layer, self.about.arrays, name)
        return {name: gradient for name, gradient in found.items() if gradient is not None}

    def statistics(self, own, dicts):
        """Running (mean, variance), or None."""
        layer = own[0] if isinstance(own, tuple) else own
        found = [next((getattr(layer, one) for one in ARRAYS[name][1:]
                       if getattr(layer, one, None) is not None), None) for name in STATISTICS]
        return None if found[0] is None or found[1] is None else tuple(found)


def set_mode(layer, training):
    """Switch a layer to training or to use, by its methods or its attribute, if it has any."""
    switch = getattr(layer, "train" if training else "eval", None)
    if callable(switch):
        switch()
    for name in MODES:
        if isinstance(getattr(layer, name, None), bool):
            setattr(layer, name, training)


def mode_of(layer):
    """The name of the attribute that says whether a layer is trained; None without one."""
    return next((name for name in MODES if isinstance(vars(layer).get(name), bool)), None)


# ---- gradients in a dict

def keyed(found):
    """For a dict of gradients, or dx and such a dict, a function of the arrays' names that returns
    {array: gradient}; None for anything else."""
    if isinstance(found, dict):
        return lambda arrays: _of_keys(found, arrays, arrays[0])
    if isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], dict):
        return lambda arrays: {arrays[0]: found[0], **_of_keys(found[1], arrays[1:], None)}
    return None


def _of_keys(found, arrays, first):
    """{array: gradient} of a dict; `first` is the input of the layer."""
    known = {name: OF_INPUT if name == first else (
        *GRADIENTS.get(name, (f"d{name}", f"grad_{name}")), *ARRAYS.get(name, (name,)))
        for name in arrays}
    gradients = {name: found[key] for name, keys in known.items()
                 for key in [next((key for key in keys if key in found), None)] if key is not None}
    if not gradients and arrays:
        raise OwnError(f"backward returned a dict with the keys {', '.join(map(str, found))}; "
                       f"expected {', '.join(keys[0] for keys in known.values())}")
    return {name: value for name, value in gradients.items() if value is not None}


# ---- the arrays that a layer object keeps

def place_of(layer, arrays, name):
    """(container, key) of an array that a layer keeps, or None: an attribute, an item of its
    params, or the data of a parameter object."""
    own = vars(layer)
    for called in ARRAYS.get(name, (name,)):
        for key in (called, f"_{called}"):
            if own.get(key) is not None:
                return _inside(own, key)
    for holder in HOLDERS:
        kept = own.get(holder)
        if isinstance(kept, dict):
            for called in ARRAYS.get(name, (name,)):
                if kept.get(called) is not None:
                    return _inside(kept, called)
        if isinstance(kept, list) and arrays.index(name) <= len(kept):
            return _inside(kept, arrays.index(name) - 1)
    return None


def _inside(container, key):
    """Where the array is: here, or inside a parameter object."""
    value = container[key]
    if not hasattr(value, "shape") or not hasattr(value, "dtype"):
        for inner in ("data", "value"):
            if hasattr(value, inner):
                return vars(value), inner
    return container, key


def put(layer, arrays, name, array):
    """Replace one of a layer's own arrays, wherever the layer keeps it."""
    place = place_of(layer, arrays, name)
    if place is None:
        raise FormError(f"class {type(layer).__name__} makes its own arrays, but keeps no {name}; "
                        f"expected an attribute {' or '.join(ARRAYS.get(name, (name,))[:4])}")
    container, key = place
    old = container[key]
    for one in (vars(layer), *[v for v in vars(layer).values() if isinstance(v, (dict, list))]):
        for at, value in list(one.items() if isinstance(one, dict) else enumerate(one)):
            if value is old:
                one[at] = array
    container[key] = array


def stored(layer, arrays, name):
    """The gradient with respect to one of its arrays that a layer object has stored."""
    kept = next((getattr(layer, one) for one in GRADS if getattr(layer, one, None) is not None),
                None)
    if isinstance(kept, (tuple, list)):
        return dict(zip(arrays[1:], kept, strict=False)).get(name)
    for called in GRADIENTS.get(name, (f"d{name}", f"grad_{name}")):
        if getattr(layer, called, None) is not None:
            return getattr(layer, called)
    if isinstance(kept, dict):
        names = (*ARRAYS.get(name, (name,)), *GRADIENTS.get(name, (f"d{name}",)))
        return next((kept[key] for key in names if key in kept), None)
    place = place_of(layer, arrays, name) if hasattr(layer, "__dict__") else None
    owners = [v for v in vars(layer).values() if place and getattr(v, "__dict__", 0) is place[0]]
    return getattr(owners[0], "grad", None) if owners else None
