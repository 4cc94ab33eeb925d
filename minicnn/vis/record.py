"""The one kind of result: what every method returns, a picture and how it came about."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Record:
    """What a method found, and all that it takes to find it again.

    A method that finds more than this returns a subclass that adds fields of its own. What a
    method has nothing to say about stays as it is here.

    Attributes
    ----------
    image : (H, W, 3) uint8 or None
        The picture, red first; None where there are several, or only numbers.
    caption : str
        Network, layer, unit, value, rule.
    settings : dict
        Every argument that made it, by name, with what was chosen where nothing was given; not the
        networks and the photos.
    photo : (H, W, 3) uint8 or None
        What the network saw of the one photo that the method asked about.
    x : array (N, H, W, C) or None
        The picture in the network's own numbers, unrounded and signed.
    trace : (steps + 1, N) array or None
        The objective before each step and after the last, where there were steps.
    by_term : dict of str to (steps + 1, N) array, or None
        Each term's share of the trace, by its name.
    skipped : sequence of str
        One line for each photo that could not be read, saying why.
    interrupted : bool
        Whether Ctrl-C ended it early; the record is of what was done until then.
    """

    image: Any = None
    caption: str = ""
    settings: dict = field(default_factory=dict)
    photo: Any = None
    x: Any = None
    trace: Any = None
    by_term: Any = None
    skipped: tuple = ()
    interrupted: bool = False

    def __repr__(self):
        return f"{type(self).__name__}({self.caption!r})"
