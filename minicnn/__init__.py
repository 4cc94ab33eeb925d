"""minicnn: convolutional networks in plain NumPy, written to be read.

===================  =============================================================================
``load``             a network with trained weights: ``net = minicnn.load("minivgg")``
``models``           architectures as literal lists of layers: ``minicnn.models.vgg16()``
``Network, Run``     named layers in order; what one forward pass recorded
``models.convert``   another program's weight file as a network; ``foreign.fetch`` brings an
                     official one, ``files.probe`` tells whether it computes what it should
``vis``              one way to look inside a file: maximize, deconvnet, texture
``objectives``       what an optimised image is optimised for; ``ascend`` is the loop,
                     ``optimizers`` its steps, ``parametrize`` what is optimised,
                     ``transforms, moves`` what is done to the image before and after each
``gradcheck``        proof that a gradient is right: ``gradcheck.check(forward, backward, ...)``
``ops, naive``       every operation forward and backward; the same as scalar loops
``images, report``   photos in and out; contact sheets and pages
``train``            data, augmentation, the training loop
``formats``          weight files: minicnn's own, and a reader for each of other programs'
``backend``          NumPy or CuPy, how many threads; ``doctor`` tells what a machine has for it
===================  =============================================================================
"""

from minicnn import gradcheck, models, vis
from minicnn.foreign.load import load
from minicnn.network import Network, Run

__version__ = "0.1.0"
__all__ = ["Network", "Run", "gradcheck", "load", "models", "vis"]
