"""Ways to look inside a network, one method a file, each readable beside its paper.

What belongs here: what a method does, step by step. What does not: loops over an image (they all
use `ascent.loop`), drawing of sheets and pages (`minicnn.report`), files (`minicnn.images`).

Here `vis.deconvnet` and its like are the methods themselves; the smaller functions of a file are
imported from it: ``from minicnn.vis.deconvnet import region``.

A method that makes one picture returns a Record: the picture, a caption that says what it shows,
and the settings that made it. Those that find more return a small class of their own, with the raw
numbers, and the picture if there is one.
"""

from minicnn.vis.activations import activations
from minicnn.vis.compare import compare
from minicnn.vis.deconvnet import deconvnet
from minicnn.vis.deepdream_image import deepdream_image
from minicnn.vis.dream import dream
from minicnn.vis.filters import filters
from minicnn.vis.gradcam import gradcam
from minicnn.vis.hypercolumns import hypercolumns
from minicnn.vis.kernels import kernels
from minicnn.vis.maximize import maximize
from minicnn.vis.occlusion import occlusion
from minicnn.vis.record import Record
from minicnn.vis.saliency import saliency
from minicnn.vis.strongest import strongest
from minicnn.vis.survey import survey
from minicnn.vis.texture import texture
from minicnn.vis.zoom import zoom

__all__ = ["Record", "activations", "compare", "deconvnet", "deepdream_image", "dream",
           "filters", "gradcam", "hypercolumns", "kernels",
           "maximize", "occlusion", "saliency", "strongest", "survey", "texture", "zoom"]
