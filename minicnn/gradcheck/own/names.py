"""What a source has that looks like a layer: pairs of functions and classes, recognised by name.

    conv_forward_naive, conv_backward_naive     a pair; also _fwd and _bwd, forward_conv and
                                                backward_conv, conv and conv_backward
    batchnorm_forward, batchnorm_backward_alt   a second backward is another variant of the pair
    softmax_loss, svm_loss                      one function that returns (loss, dx)
    Convolution, MaxPool2D                      a class with forward and backward
    Conv2d(torch.nn.Module), conv2d(x, w, b)    a module, and a function on tensors, if the source
                                                imports torch: its gradient is autograd's
"""

import inspect
import re
import sys
from functools import wraps
from typing import NamedTuple

from minicnn.gradcheck.own.glue import table
from minicnn.gradcheck.own.known import LOSSES, OPS, known, op_of
from minicnn.gradcheck.own.sources import FormError, OwnError

PAIRS = (("forward", "backward"), ("fwd", "bwd"), ("forward_pass", "backward_pass"))
METHODS = (PAIRS[0], PAIRS[2], ("__call__", "backward"))  # of a class
FOREIGN = ("numpy", "torch", "scipy", "builtins", "typing", "math")
ABSTRACT = ("layer", "module", "function", "op", "operation", "base")


class Piece(NamedTuple):
    """A pair of functions or a class that a source has.

    `op` is None if its name says none; `stem` is then its name in lower case. `kind` is "page",
    "course", "class" or "torch"; `backward` is None where one thing is both.
    """

    op: object
    stem: str
    variant: str
    kind: str
    forward: object
    backward: object
    what: str
    inputs: object = None

    @property
    def name(self):
        """A name that no other piece of the source has."""
        return self.variant if self.kind == "class" else f"{self.stem}_{self.variant}".strip("_")


def named_in(source):
    """The ops with a page that a source defines, recognised by name."""
    found = {piece.op for piece in pieces(source)}
    return [op for op in OPS if op in found]


def pick(source, op, kind=None, variant=None):
    """The Piece that is the op `op` of a source.

    Functions and classes named after the op come first: pairs before classes before a forward
    without a backward. A pair called forward and backward is taken for any op that is asked for,
    and so is a source that is itself a class.
    """
    found = source.found
    if inspect.isroutine(found):
        raise FormError(f"{source.name}: is one function; give the module, or the path of the "
                        "file, that has both forward and backward")
    if isinstance(found, type):
        return _of_class(found.__name__, found)._replace(op=op)
    every = [piece for piece in pieces(source) if fits(piece, kind)]
    for piece, own in zip(every, variants(every), strict=True):
        if variant == own and op == (piece.op or piece.stem):
            return piece
    there = [piece for piece in every if op in (piece.op, piece.op or piece.stem)
             and variant in (None, piece.variant, piece.name)]
    exactly = [piece for piece in there if variant == piece.variant]
    there = exactly if len(exactly) == 1 else there
    if there:
        return _chosen(there, op, source)
    if _is_pair(found) and kind in (None, "page"):
        return Piece(op, op, "", "page", found.forward, found.backward, "forward and backward")
    called = known(op).called if known(op) else (op,)
    raise FormError(
        f"{source.name}: has no {op}; expected functions {called[0]}_forward and "
        f"{called[0]}_backward, or a class with both whose name begins with "
        f"{' or '.join(called)}, or functions forward and backward")


def variants(pieces):
    """What tells each piece from the others of its op: no two of an op have the same."""
    found, taken = [None] * len(pieces), set()
    ways = (lambda piece: piece.variant, lambda piece: piece.name,
            lambda piece: piece.forward.__name__ if inspect.isfunction(piece.forward)
            else piece.name)
    for way in ways:
        left = [k for k, own in enumerate(found) if own is None]
        called = {k: (pieces[k].op or pieces[k].stem, way(pieces[k])) for k in left}
        for k in left:
            if [*called.values()].count(called[k]) == 1 and called[k] not in taken:
                found[k] = called[k][1]
        taken |= {called[k] for k in left if found[k] is not None}
    for k in (k for k, own in enumerate(found) if own is None):
        op, name = pieces[k].op or pieces[k].stem, pieces[k].name
        found[k] = next(own for number in range(2, len(pieces) + 3)
                        if (op, own := f"{name} {number}") not in taken)
        taken.add((op, found[k]))
    return found


def fits(piece, kind):
    """Whether a piece is of this form; a pair of functions is both of page and of course form."""
    pairs = ("page", "course")
    return kind in (None, piece.kind) or kind in pairs and piece.kind in pairs


def _chosen(there, op, source):
    """The piece that is meant; FormError if there are several."""
    lone = [piece for piece in there if "without" in piece.what]
    for some in ([p for p in there if p.backward and p not in lone],
                 [p for p in there if not p.backward and p not in lone], lone[:1]):
        usual = [piece for called in (known(op).called if known(op) else ())
                 for variant in ("", "naive") for piece in some
                 if piece.stem == called and piece.variant == variant]
        if some and len(some) > 1 and not usual:
            names = [piece.what.removeprefix("class ").split(" and ")[0] for piece in some]
            raise FormError(f"{source.name}: which of {', '.join(names)} is meant? Name one class, "
                            f"on the command line as FILE.py:{names[0]}")
        if some:
            return (usual or some)[0]
    return None


def pieces(source):
    """Every pair, loss and class of a source that its names show, in the order of the source.

    A source that is itself a class is the one piece. A module with functions forward and backward,
    as a page has them, is the op that its file's name says.
    """
    if isinstance(source.found, type):
        return [_of_class(source.found.__name__, source.found)]
    named = {name: value for name, value in _members(source.found)
             if callable(value) and not name.startswith("_") and not _is_foreign(value)}
    found = [*_pairs(named), *_classes(named)]
    found += _averages(found)
    used = {id(part) for piece in found for part in (piece.forward, piece.backward)}
    found += [_single(name, value, source) for name, value in named.items()
              if inspect.isfunction(value) and id(value) not in used]
    order = [id(value) for value in named.values()]
    found = sorted((piece for piece in found if piece is not None),
                   key=lambda piece: order.index(id(_whole(piece.forward)))
                   if id(_whole(piece.forward)) in order else -1)
    return _with_check(_as_page(found, source), source)


def _as_page(found, source):
    """The pieces, with forward and backward of a module as one more, if that is what it is for."""
    there, stem = source.found, source.name.removesuffix(".py").lower()
    op = op_of(stem, exactly=True)
    if not inspect.isroutine(getattr(there, "forward", None)) or not _is_pair(there) or (
            op is None and found):
        return found
    page = Piece(op, stem, "", "page", there.forward, there.backward, "forward and backward")
    return [page, *(piece for piece in found if piece.op is not None)]


def _with_check(found, source):
    """The pieces, changed as the source's own table CHECK says: each of its lines is one piece, and
    what it names is no other piece by its name."""
    there, told, used, ops = found, [], set(), set()
    for op, (parts, inputs) in table(source).items():
        plain = op.lower().replace("_", "")
        if parts is None:
            mine = [p for p in there if p.stem.replace("_", "") == plain]
            if not mine:
                raise FormError(f"{source.name}: CHECK[{op!r}]: there is no {op}_forward with "
                                f"{op}_backward, and no class {op}; give the functions, too")
            mine = [mine[0]._replace(op=None, stem=op, inputs=inputs)]
        elif isinstance(parts[0], type):
            mine = [_of_class(parts[0].__name__, parts[0])._replace(
                op=known(op) and op, stem=op, inputs=inputs)]
        else:
            backward = parts[1] if len(parts) > 1 else None
            kind = "course" if backward or not torch_of(source) else "torch"
            what = " and ".join(getattr(part, "__name__", "?") for part in parts)
            mine = [Piece(known(op) and op, op, "", kind, parts[0], backward, what, inputs)]
        told += mine
        used |= {id(part) for p in mine for part in (p.forward, p.backward)} - {id(None)}
        ops |= {op} if known(op) else set()
    return [p for p in there if not {id(p.forward), id(p.backward)} & used
            and p.op not in ops] + told


def _members(found):
    return vars(found).items() if hasattr(found, "__dict__") else ()


def _is_foreign(value):
    """Whether something in a file is NumPy's, PyTorch's or Python's own."""
    module = getattr(value, "__module__", None)
    return isinstance(module, str) and module.partition(".")[0] in FOREIGN


# ---- pairs of functions

def _pairs(named):
    """The pairs of forward and backward functions, and forwards without a backward."""
    for name, forward in named.items():
        split = None if isinstance(forward, type) else _split(name, 0)
        if split is None and not isinstance(forward, type) and any(
                (_split(own, 1) or ("",))[0] == name.lower() for own in named):
            split = name.lower(), ""  # conv and conv_backward
        if split is None:
            continue
        stem, ending = split
        backs = [(own, _split(own, 1)[1]) for own, value in named.items()
                 if not isinstance(value, type) and (_split(own, 1) or ("",))[0] == stem]
        others = {_split(own, 0)[1] for own, value in named.items()
                  if (_split(own, 0) or ("",))[0] == stem}
        fits = [(own, end) for own, end in backs if end == ending]
        if not fits:
            fits = [(own, end) for own, end in backs if end == ""]
        if ending in ("", "naive"):  # a second backward, such as batchnorm_backward_alt
            fits += [(own, end) for own, end in backs if end not in others | {"", "naive"}]
        if not fits:
            lacking = re.sub("(?i)forward", "backward", name).replace("fwd", "bwd")
            yield _piece(stem, ending, forward, _lacking(lacking), f"{name}, without {lacking},")
        for own, end in fits:
            variant = end if end not in ("", ending) else ending
            yield _piece(stem, variant, forward, named[own], f"{name} and {own}")


def _piece(stem, variant, forward, backward, what):
    op = op_of(stem, exactly=True)
    if op == "batch_norm" and stem.startswith("spatial"):
        variant = f"spatial_{variant}".strip("_")
    return Piece(op, stem, variant, "course", forward, backward, what)


def _averages(found):
    """The average pooling of a pair that is both poolings, as its parameter mode="max" says."""
    if any(piece.op == "average_pool" for piece in found):
        return
    for piece in found:
        if piece.op == "pool" and inspect.isfunction(piece.forward) and inspect.isfunction(
                piece.backward) and names_of(piece.forward).get("mode") == "max" and (
                    "mode" in names_of(piece.backward)):
            words = inspect.unwrap(piece.forward).__code__.co_consts
            word = next((one for one in ("average", "avg", "mean") if one in words), "average")
            yield piece._replace(op="average_pool", stem=f"{piece.stem}_{word}", forward=_with(
                piece.forward, mode=word), backward=_with(piece.backward, mode=word),
                what=f"{piece.what}, mode={word!r},")


def _with(function, **fixed):
    """A function with some of its parameters fixed; they are then its attribute `fixed`."""
    @wraps(function)
    def called(*given, **named):
        return function(*given, **named, **fixed)

    signature, called.whole = inspect.signature(function), function
    called.__signature__ = signature.replace(parameters=[
        one for name, one in signature.parameters.items() if name not in fixed])
    called.fixed = fixed
    return called


def _whole(function):
    """The function itself, if `_with` has fixed some of its parameters."""
    return vars(function).get("whole", function) if inspect.isfunction(function) else function


def _split(name, which):
    """(stem, ending) of conv_forward_naive: ("conv", "naive"); None if it is no such name."""
    for pair in PAIRS[:2]:
        word = pair[which]
        if match := re.fullmatch(f"(.+?)_{word}(?:_(.*))?", name.lower()):
            return match[1], match[2] or ""
        if match := re.fullmatch(f"{word}_(.+)", name.lower()):
            return match[1], ""
    return None


def _lacking(name):
    """A stand-in for a missing backward: it raises only when called, so forward passes work."""
    def backward(dy, cache):
        raise OwnError(f"there is no {name}; add {name}(dout, cache), which returns the gradients")
    return backward


def _single(name, value, source):
    """A loss that returns (loss, dx), or a function on tensors; None for any other function."""
    for ending in ("_naive", "_vectorized", "_fast"):
        plain, variant = name.removesuffix(ending), ending[1:] if name.endswith(ending) else ""
        if variant:
            break
    op = op_of(plain, exactly=True)
    if op is None or _split(name, 1):
        return None
    if torch_of(source) and getattr(value, "__module__", "") != "":
        return Piece(op, plain.lower(), variant, "torch", value, None, f"function {name}")
    if op in LOSSES and len(names_of(value)) > 1:
        return Piece(op, plain.lower(), variant, "course", value, None, f"{name} (loss, dx)")
    return None


# ---- classes

def _classes(named):
    classes = {name: value for name, value in named.items() if isinstance(value, type)}
    parents = {base for value in classes.values() for base in value.__mro__[1:]}
    for name, value in classes.items():
        if (value not in parents or op_of(name)) and name.lower() not in ABSTRACT:
            piece = _of_class(name, value)
            if piece is not None and (_is_pair(value) or piece.kind == "torch"):
                yield piece


def _of_class(name, value):
    """The piece that a class is."""
    op = None if re.search(r"(?i)(net|network|model|classifier|block\d+)$", name) else op_of(name)
    stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    torch = sys.modules.get("torch")
    if torch and issubclass(value, (torch.nn.Module, torch.autograd.Function)):
        base = "Module" if issubclass(value, torch.nn.Module) else "Function"
        return Piece(op, stem, name, "torch", value, None, f"{base} {name}")
    static = [isinstance(inspect.getattr_static(value, one, None), staticmethod)
              for one in PAIRS[0]]
    if all(static):
        return Piece(op, stem, name, "course", value.forward, value.backward, f"class {name}")
    return Piece(op, stem, name, "class", value, None, f"class {name}")


def _is_pair(found):
    return methods_of(found) is not None


def methods_of(found):
    """The names of the methods, or functions, that are its two passes; None if it has none."""
    return next((pair for pair in METHODS if all(_has(found, one) for one in pair)), None)


def _has(found, name):
    """Whether a class or module has a method; the __call__ of every class makes its objects."""
    if name == "__call__":
        return isinstance(found, type) and any(name in vars(one) for one in found.__mro__)
    return callable(getattr(found, name, None))


def torch_of(source):
    """The torch package, if a source uses it; it is never imported here."""
    torch = sys.modules.get("torch")
    used = torch is not None and any(
        value is torch or str(getattr(value, "__name__", "")).startswith("torch.")
        or str(getattr(value, "__module__", "")).partition(".")[0] == "torch"
        for _, value in _members(source.found))
    return torch if used else None


def names_of(function):
    """The parameters of a function or class: {name: default}. *args is called "*", **kwargs "**";
    without a default the value is `inspect.Parameter.empty`."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise FormError(f"{function!r}: its parameters cannot be read; wrap it in a function that "
                        "names them") from None
    any_of = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return {any_of.get(p.kind, p.name): p.default for p in parameters}
