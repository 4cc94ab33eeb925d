"""`Record`, the result of every method: a picture, and how it was made."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from minicnn import images
from minicnn.backend import to_host
from minicnn.images import markup
from minicnn.images.markup import View

MOST = 24  # records of a list that a notebook shows


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Record:
    """What a method found, and everything needed to reproduce it.

    ``vis.maximize(net, **record.settings)`` makes the same picture again; on the command line
    ``--keep-settings`` and ``minicnn replay`` do.

    A method that finds more than this returns a subclass that adds fields of its own. Fields
    that do not apply to a method keep their defaults.

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
        The picture in the network's input values, unrounded and signed.
    trace : (steps + 1, N) array or None
        The objective before each step and after the last, where there were steps.
    by_term : dict of str to (steps + 1, N) array, or None
        Each term's share of the trace, by its name.
    minus_loss : bool
        Whether the objective is minus a loss: a method that makes a loss small climbs this.
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
    minus_loss: bool = False
    skipped: tuple = ()
    interrupted: bool = False

    main: ClassVar[str] = ""  # the name of the one of its `views` that `images.show` draws

    def __repr__(self):
        return f"{type(self).__name__}({self.caption!r})"

    def save(self, path):
        """Write the picture, at its own size, as PNG or JPEG, whole or not at all."""
        images.save(path, self._picture("save"))

    def show(self):
        """Show the picture in a window, or in a notebook, with its caption: see `images.show`."""
        self._picture("show")
        return images.show(self)

    def views(self):
        """The pictures by which it shows itself in a notebook: a list of `images.markup.View`."""
        named = {"photo": self.photo, "": self.image}
        return [View(name, name, one) for name, one in named.items() if one is not None]

    def view(self):
        """What `images.show` draws: the picture, or of a map the view with its colours and bar."""
        views = self.views() if self.main else []
        return next((one for one in views if one.name == self.main), View("", "", self.image))

    def _numbers(self):  # what else it shows, as HTML
        return ""

    def _repr_html_(self):  # what a notebook asks for
        parts = [markup.side_by_side(self.views()), self._numbers(),
                 *map(markup.paragraph, self.caption.split("\n"))]
        if self.trace is not None:
            trace = np.asarray(to_host(self.trace))
            parts.append(markup.curve(trace.reshape(len(trace), -1).mean(axis=1), "objective:"))
        if self.settings:
            rows = [(name, f"{value!r:.300}") for name, value in self.settings.items()]
            parts.append(markup.folded("settings", markup.table(("setting", "value"), rows)))
        return "".join(parts)

    def _repr_png_(self):  # what a notebook without HTML asks for, and a printed one
        pixels = self.image
        while pixels is not None:
            data = images.encode(pixels)
            if len(data) <= markup.MOST_BYTES:
                return data
            pixels = images.resize(pixels, [max(1, side // 2) for side in pixels.shape[:2]], "box")

    def _picture(self, what):
        if self.image is None:
            raise ValueError(f"{what}: this {type(self).__name__} has no single picture; "
                             "minicnn.report draws sheets of it")
        return self.image


class Records(list):
    """A list of records, which a notebook shows as pictures beside each other."""

    def __getitem__(self, index):
        found = super().__getitem__(index)
        return Records(found) if isinstance(index, slice) else found

    def _repr_html_(self):
        shown = [View("", one.caption, one.image) for one in self[:MOST] if one.image is not None]
        return markup.side_by_side(shown) + markup.paragraph(
            f"{len(self)} records" + f", the first {MOST} shown" * (len(self) > MOST))
