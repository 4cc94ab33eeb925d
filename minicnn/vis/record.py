"""What every method returns."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Record:
    """A picture and how it came about.

    Attributes
    ----------
    image : (H, W, 3) uint8
        The picture, red first.
    caption : str
        Network, layer, unit, value, rule.
    settings : dict
        Every argument that made it, by name, with what was chosen where nothing was given; not the
        network and the photo.
    x : array (1, H, W, C)
        The same in the network's own numbers, unrounded.
    trace : (steps + 1, 1) array or None
        The objective before each step and after the last, where there were steps.
    interrupted : bool
        Whether Ctrl-C ended it early.
    """

    image: Any = field(repr=False)
    caption: str
    settings: dict = field(repr=False)
    x: Any = field(default=None, repr=False)
    trace: Any = field(default=None, repr=False)
    interrupted: bool = False
