"""The choice of the implementation of each row: a fast twin, the plain implementation (page),
or a user's own op.

    net.using("plain")                 every op by its page in `minicnn.ops`
    net.using(conv=mine)               every convolution by mine.forward and mine.backward
    net.using({"conv1_1": mine})       one row only

`minicnn.gradcheck.own.forms` says what `mine` may be and how it is called. The rules for a user's
own op:

    settings     The op gets the settings that it has parameters for. A setting that it lacks must
                 not change the row's result (one group, no padding, a rounding that makes no
                 difference). Otherwise an error names the rows and settings, or, with
                 missing="page", the page computes those rows. A missing bias is passed as zeros.
    results      y, dx, dw and db must have the page's shapes and dtypes, and be finite if the
                 page's are. They are copied, so the op may reuse its own arrays.
    rules        If a ReLU takes no `rule`, the other two rules are composed from its results:
                 deconvnet is max(dy, 0), guided is max(dx, 0). "through" skips an LRN.
    on a GPU     The op runs on the host, on copies.

What calls a user's own op is imported when there is one: it takes as long to import as a network.
"""

import warnings
from dataclasses import dataclass, field, replace
from importlib import import_module

from minicnn.fast import TWINS

FAST, PLAIN = "fast", "plain"
WORDS = (FAST, PLAIN)
MISSING = ("error", "page")


@dataclass(frozen=True, repr=False)
class Choice:
    """The implementation of each row: by the row's name, else by its op, else `otherwise`.

    Attributes
    ----------
    otherwise : {"fast", "plain"}
    ops, rows : dict of str to (str or Form)
        "fast", "plain", or the form of a user's own op.
    missing : {"error", "page"}
        What to do with rows whose settings a user's own op does not take.
    """

    otherwise: str = FAST
    ops: dict = field(default_factory=dict)
    rows: dict = field(default_factory=dict)
    missing: str = "error"

    def and_also(self, network, what, missing, ops):
        """This choice, extended by the arguments of `Network.using`."""
        missing = self.missing if missing is None else missing
        if missing not in MISSING:
            words = " or ".join(f'"{word}"' for word in MISSING)
            raise ValueError(f"using: the argument `missing` must be {words}, got {missing!r}")
        choice = self._with_rows(network, what)
        there = {layer.op for _, layer, _ in network.rows} - {None}
        for op in ops:
            if op not in there:
                raise ValueError(f"using: network {network.name} has no {op}; its ops are "
                                 f"{', '.join(sorted(there))}")
        return replace(choice, missing=missing, ops=choice.ops | {
            op: _given(mine, op, op) for op, mine in ops.items()})

    def _with_rows(self, network, what):
        """The choice that one word stands for, or this one with other rows."""
        if what is None:
            return self
        if isinstance(what, str):
            if what not in WORDS:
                raise ValueError(f"using: expected {' or '.join(WORDS)}, or ops or rows with their "
                                 f"implementations, as in conv=mine, got {what!r}")
            return Choice(what)
        if not isinstance(what, dict):
            raise ValueError("using: expected 'plain', 'fast' or a dict of rows, got "
                             f"{getattr(what, '__name__', type(what).__name__)}; name the op that "
                             "this computes, as in using(conv=mine)")
        return replace(self, rows=self.rows | {
            network.find(name): _given(mine, network[name].op, name)
            for name, mine in what.items()})

    def modules(self, network, tell=False):
        """The implementation of each row, by name: a module, an Own, or None for a row without op.

        Raises
        ------
        FormError
            Rows need settings that a user's own op does not take.
        """
        found, lacking = {}, []
        for name, layer, _ in network.rows:
            how = self.rows.get(name, self.ops.get(layer.op, self.otherwise))
            if _is_own(how) and how.op != layer.op:  # this row has another op by now
                how = self.otherwise
            if layer.op is None or how == PLAIN:
                found[name] = layer.op and page(layer.op)
            elif how == FAST:
                found[name] = TWINS.get(layer.op) or page(layer.op)
            else:
                from minicnn.network.own import Own

                found[name] = Own(how, name, layer)
                if lacks := found[name].lacks(network.input_shapes[name]):
                    found[name] = page(layer.op)
                    lacking.append((how, f"{name} ({', '.join(lacks)})"))
        self._say(lacking, tell)
        return found

    def _say(self, lacking, tell):
        """Raise for rows that a user's own op cannot compute, or warn that pages compute them."""
        for form in {id(form): form for form, _ in lacking}.values():
            rows = ", ".join(words for of, words in lacking if of is form)
            what = f"{form.told} does not take the settings of {rows}"
            if self.missing == "error":
                from minicnn.gradcheck.own.errors import FormError

                raise FormError(f'{what}; with missing="page" (--missing page) the plain '
                                "implementation (page) computes these")
            if tell:
                warnings.warn(f"{what}: the plain implementation (page) computes "
                              "these", stacklevel=4)

    def is_own(self):
        """Whether a user's own op is chosen for any op or row."""
        return any(map(_is_own, (*self.ops.values(), *self.rows.values())))

    def describe(self):
        """The choice as plain values, {} for the default; own ops have their file's SHA-256."""
        if self == Choice(missing=self.missing):
            return {}
        return {"otherwise": self.otherwise, "missing": self.missing,
                **{part: {name: how if isinstance(how, str) else
                          {"is": how.told, "sha256": how.source.sha256}
                          for name, how in getattr(self, part).items()}
                   for part in ("ops", "rows")}}

    def identity(self):
        """`describe`, and a token for each own op that its hash does not fully identify.

        For `files.digests`; None for the default.
        """
        tokens = [how.source.token for how in (*self.ops.values(), *self.rows.values())
                  if _is_own(how)]
        return [self.describe(), tokens] if self.describe() else None

    def __repr__(self):
        lines = [f"{name}: {how if isinstance(how, str) else how.told}"
                 for name, how in (self.ops | self.rows).items()]
        return "\n".join([*lines, f"all others: {self.otherwise}"])


def page(op):
    """The module of an op's page in `minicnn.ops`."""
    return import_module(f"minicnn.ops.{op}")


def _is_own(how):
    return not isinstance(how, str)


def _given(mine, op, name):
    """The implementation given for an op or a row, as a word or a Form."""
    if op is None:
        raise ValueError(f"using: layer {name} has no op that could be replaced")
    if mine in WORDS:
        return mine
    from minicnn.gradcheck.own.forms import Called, Form
    from minicnn.gradcheck.own.sources import Source

    if not isinstance(mine, Called):
        return Form(mine if isinstance(mine, Source) else Source(mine), op)
    if mine.op != op:
        raise ValueError(f"using: {name} is a {op}, got {mine.told} for a {mine.op}")
    return mine


def tell_of_the_host(network):
    """Warn that a network's own ops do not run on the GPU, if it is there and has some."""
    if network.device == "gpu" and network.choice.is_own():
        warnings.warn(f"network {network.name}: your own ops run on the host; their arrays are "
                      "copied from the GPU and back at every pass", stacklevel=3)
