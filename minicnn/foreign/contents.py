"""What a reader of another program's file returns, before it is made a network.

A reader (one file here a format) only reads: arrays under the names and in the layout the file has,
and whatever else the file says. Which of our networks they fit, and turning them round, is
`minicnn.foreign.convert`'s.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Foreign:
    """The contents of another program's weight file.

    Attributes
    ----------
    format : str
        For people: "PyTorch state dict (zip)", "Caffe model (V1 layers)".
    arrays : dict of str to array
        By the file's own names, in the file's own order and layout.
    layout : str
        Of convolution kernels, "OIHW" or "HWIO"; dense weights are (out, in) with the first and
        (in, out) with the second, and the first dense layer reads an image in the order C,H,W with
        the first and H,W,C with the second.
    layers : list of (str, Layer) or None
        The architecture, where the file describes one, by the file's own names.
    input_shape : (H, W, C) or None
    preprocessing : images.Preprocessing or None
        Where the file says how photos were prepared.
    labels : list of str or None
    says : dict
        What else the file says of itself: producer, versions, source.
    notes : list of str
        What a user should know of how it was read, one sentence each.
    unread : str
        Why `layers` is None although the file describes some: one of the notes.
    """

    format: str
    arrays: dict = field(repr=False)
    layout: str
    layers: Any = field(default=None, repr=False)
    input_shape: Any = None
    preprocessing: Any = None
    labels: Any = field(default=None, repr=False)
    says: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)
    unread: str = ""
