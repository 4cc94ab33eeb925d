"""minicnn: convolutional networks in plain NumPy, written to be read.

=============  ===================================================================================
``load``       a network with trained weights: ``net = minicnn.load("minivgg")``
``show``       pictures and records side by side, in a window or a notebook
``estimate``   the memory that a method takes: ``minicnn.estimate(net, 1024, "style")``, in bytes
``Network``    layers in rows, and their arrays; ``Run`` is what one forward pass recorded
``models``     architectures as literal rows: ``minicnn.models.vgg16()``
``vis``        one way to look inside a file: ``minicnn.vis.deconvnet(net, photo, "conv3_2")``
``ascent``     an image optimised: the loop, objectives, optimisers, transforms, parametrisations
``train``      data sets, augmentation, the training loop, evaluation; networks of your own
``report``     contact sheets, figures, animations and pages of what was computed
``gradcheck``  proof that a gradient is right: ``minicnn.gradcheck.check(forward, backward, x)``
``course``     lessons to step through, and assignments: ``minicnn lesson``, ``minicnn course``
``ops``        every operation, forward and backward; ``naive`` has the same as nested loops
``fast``       threads, memory used again, and faster ways of some operations
``network``    the kinds of layers, the pass up and down the rows, summaries, receptive fields
``images``     photos in and out, and what a network's preprocessing makes of them
``files``      our own form: weights in HDF5, probes that tell whether they compute as they should
``foreign``    other programs' weight files as networks; official ones brought
``backend``    NumPy or CuPy, how many threads; ``doctor`` tells what a machine has for it
=============  ===================================================================================

Every name of this table is there after ``import minicnn``; a room is imported when its name is
first used, so that a program waits only for what it needs. The files of a room are imported by
name, as in ``from minicnn.ops import pool``; what belongs in a room its own docstring says.
"""

from minicnn.rooms import offered

TYPE_CHECKING = False  # for checkers of types; importing `typing` takes longer than all of this
if TYPE_CHECKING:
    from minicnn import (
        ascent,
        backend,
        course,
        doctor,
        fast,
        files,
        foreign,
        gradcheck,
        images,
        models,
        naive,
        network,
        ops,
        report,
        train,
        vis,
    )
    from minicnn.foreign.load import load
    from minicnn.images import show
    from minicnn.network import Network, Run
    from minicnn.vis.estimate import estimate

__version__ = "0.1.0"
__all__ = ["Network", "Run", "ascent", "backend", "course", "doctor", "estimate", "fast", "files",
           "foreign", "gradcheck", "images", "load", "models", "naive", "network", "ops", "report",
           "show", "train", "vis"]
_HOMES = {"load": "minicnn.foreign.load", "show": "minicnn.images", "Network": "minicnn.network",
          "Run": "minicnn.network", "estimate": "minicnn.vis.estimate"}
__getattr__, __dir__ = offered(__name__, _HOMES)
