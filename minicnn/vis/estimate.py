"""How much memory a method takes, said before it is called.

    minicnn.estimate(net, 1024, "style")                 bytes, at 1024x1024 pixels
    minicnn.estimate(net, 1024, "style", tile=512)       in tiles

Nothing is computed: the passes are gone through with arrays that have a shape and no numbers
(`network.memory`), and what a method has besides is added (`vis.memory`).
"""

from dataclasses import fields, replace

from minicnn import images
from minicnn.ascent.lbfgs import LBFGS
from minicnn.network.memory import Dry, Ledger
from minicnn.vis import coarse_to_fine, memory, strotss
from minicnn.vis.convolutional import convolutional
from minicnn.vis.dream import DreamOptions, places
from minicnn.vis.invert import InvertOptions
from minicnn.vis.invert import default_layers as layers_to_invert
from minicnn.vis.memory import Looks
from minicnn.vis.options import Options, OptionsError
from minicnn.vis.presets import MaximizeOptions
from minicnn.vis.style import StyleOptions
from minicnn.vis.style import default_layers as layers_of_style
from minicnn.vis.texture import TextureOptions
from minicnn.vis.texture import default_layers as layers_of_texture
from minicnn.vis.tiles import InTiles

LIBRARIES = 4e6  # bytes: code that is loaded at the first call, stacks of threads


def estimate(network, size, method="forward", layers=None, **options):
    """The most memory that a method takes beyond what there is before the call.

    Parameters
    ----------
    network : Network
        With or without weights.
    size : int or (H, W)
        Pixels of the image.
    method : str
        forward: `Network.forward` with all that it keeps; backward: that, and `Run.backward`; or
        maximize, dream, invert, texture, style of `minicnn.vis`; or strotss, which is style by that
        method.
    layers : str or sequence of str, optional
        Where the method looks; by default its own default. For style, those of the style.
    **options
        The method's own options that matter for memory: `tile`, `memory`, `steps`, `padding`, ...

    Returns
    -------
    int
        Bytes, for one image in float32 on the CPU, by the ops that networks use unless told
        otherwise. It is right within 15 percent.

    Raises
    ------
    ValueError
        An unknown method, layer or option, an image too small for the network.

    Examples
    --------
    >>> from minicnn import models
    >>> net = models.vgg16()
    >>> estimate(net, 1024, "style", tile=512) < estimate(net, 1024, "style")
    True
    """
    if method not in METHODS:
        raise ValueError(f"estimate: method must be one of {', '.join(METHODS)}, got {method!r}")
    kind, count = METHODS[method]
    for name in options.keys() - {one.name for one in fields(kind)}:
        raise OptionsError(f"estimate: {method} has no option {name!r}")
    layers = [layers] if isinstance(layers, str) else layers
    for name in layers or ():
        network.find(name)
    return int(LIBRARIES + count(network, images.height_width(size), layers, kind(**options)))


def _forward(network, size, layers, options, backward=False):
    ledger = Ledger()
    dry, goals = Dry(network, ledger), layers or [network.rows[-1].name]
    network.check_size(size, goals)
    run = dry.forward(ledger.array(1, *size, network.input_shape[2]), goals, keep=network.names)
    if backward:
        dry.backward(run, {name: ledger.array(*run[name].shape) for name in goals})
    return ledger.peak


def _backward(*what):
    return _forward(*what, backward=True)


def _ascent(network, size, terms, images, tiles=None):
    """Looks at an image, and so many images besides."""
    network.check_size(size, list(terms))
    looks = Looks(network, size, terms, tiles)
    besides = looks.ledger.array(images, *looks.image)
    looks.look()
    del besides
    return looks.ledger.peak


def _maximize(network, size, layers, options):
    layers = layers or [network.logits]
    return _ascent(network, size, dict.fromkeys(layers, memory.energy), memory.WORK)


def _dream(network, size, layers, options):
    layers = layers or list(places(network))
    wide = convolutional(network, layers)
    tiles = None if options.tile is None else InTiles(wide, layers, options.tile, options.overlap)
    return _ascent(wide, size, dict.fromkeys(layers, memory.energy), memory.WORK, tiles)


def _invert(network, size, layers, options):
    layers = layers or layers_to_invert(network)
    count = memory.images_of(options.optimizer, LBFGS().memory, options.steps)
    return max(_ascent(network, size, {name: memory.distance}, count) for name in layers)


def _texture(network, size, layers, options):
    return _synthesis(network, size, layers or layers_of_texture(network), [], options)


def _style(network, size, layers, options):
    contents, styles = layers_of_style(network)
    return _synthesis(network, size, layers or styles, contents, options.resolved())


def _strotss(network, size, layers, options):
    options = replace(options, method="strotss").resolved()
    return memory.transport(coarse_to_fine.pooled(network, options), size,
                            layers or strotss.default_layers(network), [], options)


def _synthesis(network, size, layers, contents, options):
    return memory.synthesis(coarse_to_fine.pooled(network, options), size, layers, contents,
                            options)


METHODS = {"forward": (Options, _forward), "backward": (Options, _backward),
           "maximize": (MaximizeOptions, _maximize), "dream": (DreamOptions, _dream),
           "invert": (InvertOptions, _invert), "texture": (TextureOptions, _texture),
           "style": (StyleOptions, _style), "strotss": (StyleOptions, _strotss)}
