"""Ways to look inside a network, one method a file, each readable beside its paper.

What belongs here: what a method does, step by step. What does not: loops over an image (they all
use `ascent.loop`), drawing of sheets and pages (`minicnn.report`), files (`minicnn.images`).

A method's file is called like the method, and can be called itself: ``vis.deconvnet(net, photo,
...)`` is the method, ``vis.deconvnet.region(...)`` a smaller function of its file.

Every method returns a Record: the picture, a caption that says what it shows, and the settings that
made it. Those that find more return a subclass with fields of its own, such as the raw numbers.
"""

import importlib
import inspect
from types import ModuleType

from minicnn.rooms import listed, offered
from minicnn.vis import (
    activations,
    compare,
    deconvnet,
    deepdream_image,
    dream,
    evolution,
    filters,
    gradcam,
    hypercolumns,
    invert,
    kernels,
    maximize,
    occlusion,
    saliency,
    strongest,
    style,
    survey,
    texture,
    zoom,
)
from minicnn.vis.record import Record

__all__ = ["Record", "activations", "compare", "deconvnet", "deepdream_image", "dream",
           "evolution", "filters", "gradcam", "hypercolumns", "invert", "kernels", "maximize",
           "occlusion", "saliency", "strongest", "style", "survey", "texture", "zoom"]
__getattr__, __dir__ = offered(__name__)


class Method(ModuleType):
    """A method's module, which can be called itself: it calls the function of the same name.

    Its signature is that function's; ``help(vis.deconvnet)`` shows the whole file's documentation,
    the function's with it. Pickle, which takes no other module, sends its name.
    """

    def __call__(self, *arguments, **settings):
        return self._function(*arguments, **settings)

    def __dir__(self):
        return listed(self)

    def __reduce__(self):
        return importlib.import_module, (self.__name__,)

    @property
    def __signature__(self):
        return inspect.signature(self._function)

    @property
    def options(self):
        """The class of its options, None where it has none (`vis.options`)."""
        return getattr(self._function, "options", None)

    @property
    def _function(self):
        return getattr(self, self.__name__.rpartition(".")[2])


for _method in [value for value in map(globals().get, __all__) if isinstance(value, ModuleType)]:
    _method.__class__ = Method
