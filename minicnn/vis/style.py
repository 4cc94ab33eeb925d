"""Style transfer: a photo painted like a painting (Gatys, Ecker & Bethge 2015, 2016).

1. Run the photo through the network and keep the activations P of a deep layer: the content.
2. Run the painting through it and keep Gram matrices G^l of several layers: the style.
3. Change an image, here the photo itself, until it has both, by making small

       loss = content_weight mean of |F - P|^2 / |P|^2
            + style_weight mean over layers l of w_l E_l        E_l: `objectives.gram`
            + tv_weight TV                                      TV: `objectives.total_variation`

At several sizes (`vis.coarse_to_fine`) the strokes of the small images stay in the large ones. At
each size the content counts twice as much as at the next, since what is lost in a small image does
not come back (as in STROTSS: Kolkin, Salavon & Shakhnarovich 2019).

A large image is painted in tiles (`vis.tiles`), by the same loss and gradient. What would not fit
into memory is refused before the work (`vis.memory`).

Both errors are relative: 1 if nothing is active, 0 at the goal (see `vis.texture`). So the weights
mean the same in every network, and style_weight / content_weight is the one number to turn. TV is
that of pixels in 0..1.

In the paper the sums are not relative, for a network whose weights were rescaled to a mean
activation of 1, and the ratio of the weights was 1e3 to 1e5 there. Names that other programs have
made familiar, those of neural-style, are here

======================= ===========================================================================
content_image           `image`
style_image             `styles`: one or several; style_blend_weights: `blend`, whose sum is made 1
image_size              `size`, the longer side; `sizes` = 1 makes it at this size only
content_layers          `content_layers`, relu4_2 there
style_layers            `style_layers`, relu1_1 ... relu5_1 there
content_weight 5        `content_weight`, of (F - P)^2, a mean over its numbers
style_weight 100        `style_weight`, of the mean square of F^T F / (M C) - target
tv_weight 1e-3          `tv_weight`, of the sum of squares of differences
num_iterations 1000     `steps`, at each size
init random             `start`: noise; image: content
optimizer lbfgs         `optimizer`; lbfgs_num_correction: `memory`; learning_rate: `rate`
pooling max             `pooling`
style_scale 1           `style_scale`
original_colors         `colours` = "luminance"
======================= ===========================================================================
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import images
from minicnn.ascent import objectives
from minicnn.files.digests import digest, of_arrays
from minicnn.files.unfinished import Unfinished
from minicnn.network.layers import MaxPool, ReLU
from minicnn.vis import coarse_to_fine, memory
from minicnn.vis.coarse_to_fine import SynthesisOptions
from minicnn.vis.colours import match_covariance, with_colours_of
from minicnn.vis.options import OptionsError, option, takes
from minicnn.vis.record import Record
from minicnn.vis.texture import STATISTICS, texture_loss

STYLE_LAYERS = 5  # the first ReLU of so many blocks of layers
CONTENT_BLOCK = 4  # the content is the second ReLU of this block: relu4_2


@dataclass(frozen=True, kw_only=True)
class StyleOptions(SynthesisOptions):
    """Options of `style`."""

    content_weight: float = option(1.0, "weight of the content's relative error", least=0)
    style_weight: float = option(40.0, "weight of the style's relative error", least=0)
    tv_weight: float = option(0.1, "weight of the total variation of pixels in 0..1", least=0)
    sizes: int = option(2, "number of sizes, each twice the one before and the last one as wanted; "
                        "the content's weight is doubled for each that follows", least=1)
    blend: Any = option(None, "weights of the styles", kind="sequence of float",
                        otherwise="all alike")
    size: Any = option(None, "longer side in pixels of the image to make; 'keep' for the photo's "
                       "own size", kind='int or "keep"', otherwise="the network's own")
    style_scale: float = option(1.0, "longer side of the paintings as a share of that of the "
                                "image: smaller for smaller strokes", above=0)
    start: str = option("content", "where to begin: the photo, noise, or the first painting",
                        choices=("content", "noise", "style"))
    colours: str = option("style", "whose colours: the paintings'; the photo's, to which those of "
                          "the paintings are matched first (match); or the photo's, under the "
                          "brightness of the result (luminance)",
                          choices=("style", "match", "luminance"))
    statistic: str = option("gram", "what of a style is matched, see `texture`",
                            choices=tuple(STATISTICS))


@takes(StyleOptions)
def style(network, image, styles=None, content_layers=None, style_layers=None, *, options,
          folder=None, progress=False, watch=None):
    """Paint a photo in the style of paintings.

    Parameters
    ----------
    network : Network
    image : path or uint8 array (H, W, 3)
        The content.
    styles : path, array, or sequence of these
        The paintings; of any sizes.
    content_layers, style_layers : sequence of str, or dict of str to float, optional
        Where content and style are compared; a dict gives weights, of which only the ratios
        matter. By default `default_layers`.
    **options
    folder : path, optional
        Where the image is kept while it is worked on: the same call goes on from there after it
        was killed, and loses at most the steps since.
    progress : bool
        Show a bar on standard error.
    watch : callable, optional
        Called with each step of the ascent as it comes, see `loop.follow`.

    Returns
    -------
    Record
        `trace` holds minus the loss, `by_term` what each layer's content and style contribute; at
        each size it is another loss. Ctrl-C leaves the image that was reached, whose loss is the
        lowest so far with L-BFGS.

    Raises
    ------
    ValueError
        No painting, an option out of range, a layer that is not there, has no feature maps or is
        silent.
    """
    content_layers, style_layers = (
        _weights(network, default if given is None else given) for given, default in
        zip((content_layers, style_layers), default_layers(network), strict=True))
    network = coarse_to_fine.pooled(network, options)
    styles = _several(styles)
    blend = _shares("blend", options.blend or [1] * len(styles), len(styles))
    photo, *paintings = (images.pictures.to_pixels(each) for each in (image, *styles))
    side = (max(photo.shape[:2]) if options.size == "keep" else
            options.size or max(network.input_shape[:2]))
    if options.colours == "match":
        paintings = [match_covariance(painting, photo) for painting in paintings]
    whole = _fitted(photo, side)
    sizes = coarse_to_fine.ladder(whole, options.sizes)
    border = coarse_to_fine.border(network, style_layers, content_layers, options)
    memory.check("style", network, sizes[-1], style_layers, content_layers, options)

    def seen(picture, size):
        return border.seen(network, network.prepare(images.resize(picture, size), "keep"))

    def minus_loss(k):  # at the k-th size
        content, share = seen(photo, sizes[k]), max(sizes[k]) * options.style_scale
        looks = [seen(painting, _fitted(painting, share)) for painting in paintings]
        loss = options.content_weight * 2 ** (len(sizes) - 1 - k) * _sum(
            weight * objectives.distance(name, content[name])
            for name, weight in content_layers.items())
        loss += options.style_weight * _sum(
            part * weight * texture_loss(look, [name], options.statistic)
            for look, part in zip(looks, blend, strict=True)
            for name, weight in style_layers.items())
        return -loss - options.tv_weight / (255 * network.grey_level) ** 2 * (
            objectives.total_variation())

    start = {"content": photo, "style": paintings[0]}.get(options.start)
    x = (coarse_to_fine.noise(network, sizes[0], options.seed) if start is None else
         network.prepare(images.resize(start, sizes[0]), "keep"))
    settings = {"styles": [str(each) if not hasattr(each, "shape") else each for each in styles],
                "content_layers": content_layers, "style_layers": style_layers,
                **options.settings()}
    kept = None if folder is None else Unfinished(folder, {
        "weights": digest(network), **settings, "blend": blend,
        "styles": of_arrays({str(k): each for k, each in enumerate((photo, *paintings))})})
    ascent = coarse_to_fine.steps(network, sizes, minus_loss, x, border, options, kept)
    end = coarse_to_fine.follow(ascent, len(sizes) * options.steps, whole, progress, "style", watch)
    made = network.restore(end.image)[0]
    if options.colours == "luminance":
        made = with_colours_of(made, images.resize(photo, whole))
    if kept is not None and not end.interrupted:
        kept.remove()
    return Record(image=made, caption=_caption(network, end), settings=settings, x=end.image,
                  trace=end.trace, by_term=end.by_term, minus_loss=True,
                  interrupted=end.interrupted)


def _caption(network, end):
    """What is left of both losses at the end of an ascent."""
    shares = {what: sum(float(value[-1, 0]) for name, value in end.by_term.items()
                        if name.endswith("distance") == (what == "content")
                        and name != "total variation") for what in ("content", "style")}
    return (f"{network.name} style: content {-shares['content']:.3g}, style "
            f"{-shares['style']:.3g} after {len(end.trace) - 1} steps")


def default_layers(network):
    """The layers of content and of style.

    Blocks of layers end at max poolings. The style is the first ReLU of each of the first five, the
    content the second ReLU of the fourth; where that is missing, the last ReLU that there is up to
    it. In VGG these are relu4_2, and relu1_1, relu2_1, ... relu5_1.
    """
    blocks = [[]]
    for name in network.trunk:
        if isinstance(network[name], MaxPool):
            blocks.append([])
        elif isinstance(network[name], ReLU) and len(network.shapes[name]) == 3:
            blocks[-1].append(name)
    blocks = [block for block in blocks if block]
    if not blocks:
        raise ValueError(f"style: network {network.name} has no rectified feature maps in its "
                         "trunk; name content_layers and style_layers")
    to_content = [name for block in blocks[: CONTENT_BLOCK - 1] for name in block]
    to_content += [name for block in blocks[CONTENT_BLOCK - 1 : CONTENT_BLOCK]
                   for name in block[:2]]
    return to_content[-1:], [block[0] for block in blocks[:STYLE_LAYERS]]


def _weights(network, layers):
    """{layer: its share}, of names checked."""
    layers = [layers] if isinstance(layers, str) else layers
    weights = dict(layers) if isinstance(layers, dict) else dict.fromkeys(layers, 1.0)
    names = [network.find(name) for name in weights]
    return dict(zip(names, _shares("layers", list(weights.values()), len(names)), strict=True))


def _shares(what, weights, count):
    """Weights divided by their sum."""
    if len(weights) != count or not count or min(weights) < 0 or not sum(weights) > 0:
        raise OptionsError(f"style: {what} must be {count or 'some'} weights of at least 0, not "
                           f"all 0, got {list(weights)}")
    return [float(weight) / sum(weights) for weight in weights]


def _several(styles):
    if styles is None or isinstance(styles, (list, tuple)) and not styles:
        raise ValueError("style: no painting was given; name at least one in styles")
    return list(styles) if isinstance(styles, (list, tuple)) else [styles]


def _fitted(picture, side):
    """(H, W) with the picture's shape whose longer side has so many pixels."""
    h, w = picture.shape[:2]
    return tuple(max(1, int(np.rint(each * side / max(h, w)))) for each in (h, w))


def _sum(terms):
    first, *rest = terms
    return sum(rest, first)
