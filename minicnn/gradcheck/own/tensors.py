"""Callers of own code in PyTorch: modules, autograd Functions, and functions on tensors.

Their gradient is autograd's through them, so a Function's own backward is checked, too. PyTorch is
never imported here: it is there if the own file has imported it.
"""

import inspect

import numpy as np

from minicnn.gradcheck.own.callers import STATISTICS, Layer, Pair, set_mode
from minicnn.gradcheck.own.calls import aliases, flat, others, pairs_of, read, renamed
from minicnn.gradcheck.own.known import ALIASES, ARRAYS
from minicnn.gradcheck.own.names import names_of
from minicnn.gradcheck.own.sources import FormError


class Graph:
    """What autograd needs on the way back: the output, and the tensors it came from.

    It is never copied: a graph has no copies.
    """

    def __init__(self, y, leaves, module=None, dx=None):
        self.y, self.leaves, self.module, self.dx = y, leaves, module, dx

    def __deepcopy__(self, memo):
        return self


def to_tensor(torch, array):
    """A tensor that shares an array's memory, where PyTorch can."""
    if isinstance(array, list):
        return [to_tensor(torch, part) for part in array]
    if not isinstance(array, np.ndarray):
        return array
    if not array.flags.writeable or any(stride < 0 for stride in array.strides):
        array = array.copy()
    return torch.from_numpy(array)


def to_array(value):
    """A NumPy array from a tensor; anything else as it is."""
    if isinstance(value, (tuple, list)):
        return type(value)(to_array(part) for part in value)
    return value.detach().numpy() if hasattr(value, "detach") else value


class OnTensors:
    """Lets a caller of NumPy code call code of the same form that is written for tensors."""

    def __init__(self, caller, torch):
        self.caller, self.torch = caller, torch

    def __getattr__(self, name):
        if name in ("caller", "torch"):
            raise AttributeError(name)
        return getattr(self.caller, name)

    def run(self, given, settings, sizes=None):
        """Call forward with tensors."""
        given = {name: to_tensor(self.torch, array) for name, array in given.items()}
        y, own = self.caller.run(given, settings, sizes)
        return to_array(y), own

    def back(self, dy, own, extras=None):
        """Call backward with a tensor."""
        found = self.caller.back(to_tensor(self.torch, np.asarray(dy)), own, extras)
        return {name: to_array(gradient) for name, gradient in found.items()}

    def statistics(self, own, dicts):
        """Running (mean, variance), or None."""
        found = self.caller.statistics(own, dicts)
        return found and to_array(found)


class Autograd:
    """What all three share: leaves in, autograd back. `fixed` names arrays that ask for no
    gradient, as the images of a first layer do."""

    fixed = ()

    def leaves(self, given):
        """Tensors of the arrays, of which the floats ask for a gradient."""
        found = {name: to_tensor(self.torch, array) for name, array in given.items()}
        for name, tensor in found.items():
            for part in tensor if isinstance(tensor, list) else [tensor]:
                if hasattr(part, "requires_grad_") and part.is_floating_point() \
                        and name not in (*STATISTICS, *self.fixed):
                    part.requires_grad_(True)
        return found

    def ended(self, y, leaves, module=None):
        """(y as an array, Graph); a loss may come with its gradient."""
        dx = None
        if isinstance(y, tuple) and len(y) == 2:
            y, dx = y
        return to_array(y), Graph(y, leaves, module, dx)

    def back(self, dy, own, extras=None):
        """Autograd's gradients at the leaves, and at the parameters of a module."""
        dy = to_tensor(self.torch, np.asarray(dy))
        if own.dx is not None:
            return {self.arrays[0]: to_array(own.dx * dy)}
        names, flat_leaves = [], []
        for name, leaf in own.leaves.items():
            for part in leaf if isinstance(leaf, list) else [leaf]:
                if getattr(part, "requires_grad", False):
                    names.append(name)
                    flat_leaves.append(part)
        if not own.y.requires_grad:
            return {}
        found = self.torch.autograd.grad(own.y, flat_leaves, dy.to(own.y.dtype).reshape(
            own.y.shape), retain_graph=True, allow_unused=True)
        gradients = {}
        for name, gradient in zip(names, found, strict=True):
            if isinstance(own.leaves[name], list):
                gradients.setdefault(name, []).append(to_array(gradient))
            elif gradient is not None:
                gradients[name] = to_array(gradient)
        return gradients


class Plain(Autograd):
    """A function on tensors, without a backward of its own."""

    def __init__(self, piece, about, where, torch):
        self.torch, self.function, self.keeps = torch, piece.forward, False
        self.call = read(piece.forward, piece.op, about, where)
        self.pair = Pair(piece._replace(backward=_none), about, where)
        self.arrays, self.takes, self.others = self.call.arrays, self.call.takes, self.call.others
        self.dicts, self.in_dicts, self.pairs = {}, self.pair.in_dicts, self.pair.pairs

    def run(self, given, settings, sizes=None):
        """Call the function."""
        leaves, self.pair.keeps = self.leaves(given), self.keeps
        self.pair._two = lambda result, *rest: result
        return self.ended(self.pair.run(leaves, settings), leaves)

    def statistics(self, own, dicts):
        """None: a function keeps nothing."""
        return None


def _none(dy, cache):
    """Stands for the backward that a function on tensors does not have."""


class Function(Autograd):
    """A torch.autograd.Function, called by its `apply`, which takes everything by position."""

    def __init__(self, piece, about, where, torch):
        self.torch, self.of, self.keeps = torch, piece.forward, False
        defaults = names_of(piece.forward.forward)
        if next(iter(defaults), None) in ("ctx", "context", "self"):
            defaults = dict([*defaults.items()][1:])
        self.defaults, names = defaults, list(defaults)
        self.settings = aliases(about.settings, names[1:], ALIASES)
        free = [name for name in names if name not in flat(self.settings)]
        named = aliases(about.arrays[1:], free[1:], ARRAYS)
        if len(named) < min(len(free), len(about.arrays)) - 1:  # some unknown name: by position
            named = dict(zip(about.arrays[1:], free[1:], strict=False))
        self.own = {about.arrays[0]: free[0], **named}
        self.arrays, self.takes, self.dicts = (*self.own,), self.settings, {}
        self.others = others(defaults, self.settings, self.own.values(), where)
        self.in_dicts, self.pairs = set(), pairs_of(piece.forward.forward)

    def run(self, given, settings, sizes=None):
        """Apply the Function."""
        leaves = self.leaves(given)
        values = {**self.others, **{own: leaves.get(name) for name, own in self.own.items()},
                  **renamed({name: value for name, value in settings.items()
                             if name in self.settings}, self.settings, self.keeps, self.pairs)}
        arguments = [values.get(name, default)
                     for name, default in self.defaults.items()]
        while arguments and arguments[-1] is inspect.Parameter.empty:
            arguments.pop()
        return self.ended(self.of.apply(*arguments), leaves)

    def statistics(self, own, dicts):
        """None: a Function keeps nothing."""
        return None


class Module(Autograd, Layer):
    """A torch.nn.Module, made from sizes or from arrays; its parameters are replaced."""

    def __init__(self, piece, about, where, torch):
        self.torch = torch
        Layer.__init__(self, piece._replace(forward=piece.forward), about, where)
        if not self.sizes and len(about.arrays) > 1:  # arrays of its own, of a fixed size
            self.placed = []

    def run(self, given, settings, sizes=None):
        """Make a module, replace its parameters, and call it."""
        leaves = self.leaves(given)
        module = self.make(leaves, settings, sizes or {})
        dtype = next(t.dtype for t in leaves.values() for t in (t if isinstance(t, list) else [t]))
        module.to(dtype)
        for name in self.placed:
            if leaves.get(name) is not None:
                owner, key = self.place(module, name)
                if key in owner._parameters:
                    leaf = self.torch.nn.Parameter(leaves[name].detach())
                    owner._parameters[key], leaves[name] = leaf, leaf
                else:
                    owner._buffers[key] = leaves[name].detach()
        for name, own in self.by_made.items():  # an nn.Parameter made of an array is another leaf
            kept = getattr(module, own, None)
            if isinstance(kept, self.torch.nn.Parameter):
                leaves[name] = kept
        set_mode(module, settings.get("training", True))
        self.dicts = {}
        called = {name: value for name, value in settings.items() if name in self.set_called}
        named = renamed(called, self.set_called, self.keeps, self.pairs)
        named |= {own: leaves[name] for name, own in self.by_called.items()}
        return self.ended(module(leaves[self.arrays[0]], **named), leaves, module)

    def place(self, module, name):
        """(submodule, name) of the parameter or buffer that is an array of the page."""
        for called in ARRAYS.get(name, (name,)):
            found = [(owner, key) for owner in module.modules()
                     for key in (*owner._parameters, *owner._buffers) if key == called]
            if len(found) == 1:
                return found[0]
        raise FormError(f"Module {type(module).__name__} has no {name} of its own; expected one "
                        f"parameter called {' or '.join(ARRAYS.get(name, (name,)))}")

    def statistics(self, own, dicts):
        """Running (mean, variance), or None."""
        return Layer.statistics(self, own.module, dicts)


def caller(piece, about, where, torch):
    """The caller of a piece of kind "torch"."""
    if not isinstance(piece.forward, type):
        return Plain(piece, about, where, torch)
    is_module = issubclass(piece.forward, torch.nn.Module)
    return (Module if is_module else Function)(piece, about, where, torch)
