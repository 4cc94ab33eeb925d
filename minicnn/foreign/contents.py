"""`Foreign`, the result of reading another program's file, before the conversion to a network.

A reader (one module here per format) only reads: the arrays under the file's names and in its
layout, and whatever else the file states. `minicnn.foreign.convert` finds the network that the
arrays fit and changes their layout.
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
        "OIHW" or "HWIO", the axes of convolution kernels. With "OIHW", dense weights are (out, in)
        and the first dense layer reads an image in the order C,H,W; with "HWIO", they are (in, out)
        and it reads H,W,C.
    layers : list of (str, Layer) or None
        The architecture, by the file's own names; None if the file describes none.
    input_shape : (H, W, C) or None
    preprocessing : images.Preprocessing or None
        None if the file does not say how photos were prepared.
    labels : list of str or None
    says : dict
        What else the file states about itself: producer, versions, source.
    notes : list of str
        Remarks for the user on how the file was read, one sentence each.
    unread : str
        Why `layers` is None although the file describes layers; also one of the notes.
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
