"""Known wrong layers: right layers as a good student writes them, and edits that make them wrong.

A base is a Python file of this folder: `forward(x, ..., settings) -> (y, cache)` and
`backward(dy, cache) -> gradients`, as on the op's page, with NumPy only. The TOML file beside it
names the op and lists the wrong layers, each as one or two edits of the base's text.

>>> import numpy as np
>>> [mistake] = [one for one in known("relu") if one.kind == "mask of dy"]
>>> mistake.cause, mistake.words
('mask', 'dx passes where dy is positive, not where x is')
>>> y, cache = mistake.forward(np.array([-1.0, 2.0]))
>>> mistake.backward(np.array([3.0, -4.0]), cache)
array([ 3., -0.])
"""

import tomllib
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

HERE = Path(__file__).parent
CAUSES = {
    "overlap": "where windows overlap, or a value is used several times, contributions replace "
               "each other instead of being added",
    "padding": "the border is handled wrongly: what the padding holds, how much there is, or "
               "where it is cut off",
    "stride": "the stride is ignored or applied wrongly",
    "dilation": "the dilation is ignored or applied wrongly",
    "flip": "a kernel or a window is mirrored",
    "swap": "height and width are exchanged",
    "groups": "groups are ignored, or a group reads or writes the channels of another",
    "channels": "channels or features are exchanged, transposed or mixed up",
    "factor": "a whole array is wrong by a constant factor",
    "batch": "the number of images is wrong in a sum or mean, or only some of the images count",
    "sign": "a sign is wrong",
    "upstream": "the gradient dy that comes in is ignored, or used twice",
    "missing": "a gradient, or a part of it, is not computed",
    "cross term": "the way through a shared sum, mean or variance is wrong or missing",
    "formula": "the function itself, or its derivative, is another one",
    "mask": "what passes is decided by the wrong array or the wrong way round",
    "ties": "only equal maxima, exact zeros or other kinks go wrong",
    "rounding": "the number of windows is wrong: it is rounded the wrong way",
    "bias": "only the bias, or its gradient, is wrong",
    "arguments": "an argument, or an array in the cache, is overwritten",
    "memory": "a result shares its memory with an argument, another result or the next call",
    "state": "the result depends on earlier calls",
    "layout": "it is right only for arrays that lie contiguously in memory",
    "dtype": "the results have another dtype than the arguments, or a lower precision",
    "overflow": "large or small numbers overflow, cancel or are swamped",
    "range": "large sizes go wrong: an index type is too small, or a maximum is built in",
    "refuse": "what must be refused is computed silently",
    "random": "the random mask is drawn anew, does not follow its seed, or is scaled wrongly",
    "statistics": "the running statistics, or training and use, are confused",
    "shape": "a gradient has another shape than its argument",
}


class Mistake(NamedTuple):
    """A known wrong layer; a base, which is right, has no kind and no cause.

    Relatives share their `kind`, also across bases and ops. `also` is a second cause that is right,
    too, or "". `source` is the text of the layer, `shows` says where the mistake shows.
    """

    op: str
    base: str
    kind: str
    cause: str
    also: str
    words: str
    source: str
    shows: str = ""

    def fresh(self):
        """A new module with the layer's `forward` and `backward`, which has seen no call yet."""
        module = ModuleType(f"{self.base}: {self.kind}" if self.kind else self.base)
        exec(compile(self.source, f"{self.base}.py", "exec"), vars(module))
        return module

    @property
    def forward(self):
        """forward(arrays, settings) -> (y, cache), in a module that is made once."""
        return _once(self).forward

    @property
    def backward(self):
        """backward(dy, cache) -> gradients."""
        return _once(self).backward


_once = cache(Mistake.fresh)


def known(op=None):
    """All wrong layers, or those of one op: a tuple of Mistake."""
    return tuple(one for one in _read()[1] if op in (None, one.op))


def bases(op=None):
    """The right layers, or those of one op: a tuple of Mistake."""
    return tuple(one for one in _read()[0] if op in (None, one.op))


@cache
def _read():
    """(bases, wrong layers) of all TOML files of this folder."""
    right, wrong = [], []
    for path in sorted(HERE.glob("*.toml")):
        listed = tomllib.loads(path.read_text(encoding="utf-8"))
        text = path.with_suffix(".py").read_text(encoding="utf-8")
        base = Mistake(listed["op"], path.stem, "", "", "", text.split('"""')[1], text)
        right.append(base)
        wrong += [base._replace(source=_edited(base, one), kind=one["kind"], cause=one["cause"],
                                also=one.get("also", ""), words=one["words"],
                                shows=one.get("shows", "")) for one in listed["wrong"]]
    return right, wrong


def _edited(base, one):
    """The base's text after the edits of one entry; ValueError unless each is found once."""
    text = base.source
    for old, new in one.get("edits") or [(one["old"], one["new"])]:
        if text.count(old) != 1:
            raise ValueError(f"{base.base}, {one['kind']}: an edit must be found once, but is "
                             f"found {text.count(old)} times: {old!r}")
        text = text.replace(old, new)
    return text
