"""Ways to look inside a network, one method a file, each readable beside its paper.

What belongs here: what a method does, step by step. What does not: loops over an image (they all
use `minicnn.ascend`), drawing of sheets and pages (`minicnn.report`), files (`minicnn.images`).

Here `vis.deconvnet` and its like are the methods themselves; the smaller functions of a file are
imported from it: ``from minicnn.vis.deconvnet import region``.

Every method returns a Record: a picture, a caption that says what it shows, and the settings that
made it.
"""

from minicnn.vis.deconvnet import deconvnet
from minicnn.vis.maximize import maximize
from minicnn.vis.record import Record
from minicnn.vis.texture import texture

__all__ = ["Record", "deconvnet", "maximize", "texture"]
