"""Style transfer: a photo painted like a painting (Gatys, Ecker & Bethge 2015, 2016).

``method="strotss"`` is another one, which `vis.strotss` explains; what follows is Gatys'.

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

Masks say which part of the photo is painted like which part of a painting (`vis.regions`; Gatys et
al. 2017). Each region has a Gram matrix of its own at each layer, of features times the mask; tiles
then join the layers to whole ones.

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
style_seg, content_seg  `style_mask`, `mask` (of neural-style's segmentation variants)
num_iterations 1000     `steps`, at each size
init random             `start`: noise; image: content
optimizer lbfgs         `optimizer`; lbfgs_num_correction: `memory`; learning_rate: `rate`
pooling max             `pooling`
style_scale 1           `style_scale`
original_colors         `colours` = "luminance"
======================= ===========================================================================
"""

from dataclasses import dataclass, fields, replace
from typing import Any

from minicnn import images
from minicnn.ascent import objectives
from minicnn.ascent.objectives.changed import guided, times
from minicnn.files.digests import digest, of_arrays
from minicnn.files.unfinished import Unfinished
from minicnn.vis import coarse_to_fine, memory, regions, strotss
from minicnn.vis.coarse_to_fine import SynthesisOptions
from minicnn.vis.colours import match_covariance, with_colours_of
from minicnn.vis.options import OptionsError, option, takes
from minicnn.vis.record import Record
from minicnn.vis.texture import STATISTICS, texture_loss

STYLE_LAYERS = 5  # the first ReLU of so many blocks of layers
CONTENT_BLOCK = 4  # the content is the second ReLU of this block: relu4_2
DEFAULTS = {  # of options whose default depends on the method
    "gatys": {"steps": 100, "sizes": 2, "rate": 6.0, "pooling": "average"},
    "strotss": {"steps": strotss.STEPS, "rate": strotss.RATE, "pooling": "max"}}
GATYS_ONLY = ("style_weight", "tv_weight", "optimizer", "memory", "start", "statistic", "tile")


@dataclass(frozen=True, kw_only=True)
class StyleOptions(SynthesisOptions):
    """Options of `style`."""

    method: str = option("gatys", "Gram matrices and a content layer (gatys); or relaxed optimal "
                         "transport and self-similarity, which takes longer and a network such as "
                         "VGG-16 (strotss)", choices=tuple(DEFAULTS))
    content_weight: float = option(1.0, "weight of the content's relative error; with strotss, of "
                                   f"alpha = {strotss.ALPHA:g} at the first size", least=0)
    style_weight: float = option(40.0, "weight of the style's relative error", least=0)
    tv_weight: float = option(0.1, "weight of the total variation of pixels in 0..1", least=0)
    steps: int = option(None, "steps of the optimiser at each size", kind="int", least=1,
                        otherwise=f"100; {strotss.STEPS} with strotss")
    sizes: int = option(None, "number of sizes, each twice the one before and the last one as "
                        "wanted; the content's weight is doubled for each that follows",
                        kind="int", least=1,
                        otherwise=f"2; with strotss from {strotss.SMALLEST} pixels on")
    rate: float = option(None, "step size of Adam and RMSprop, and of the first step of L-BFGS: "
                         "about the change of a pixel, in grey levels (0..255)", kind="float",
                         above=0,
                         otherwise=f"6; {strotss.RATE:g} with strotss, half of it at the last size")
    pooling: str = option(None, "kind of pooling that replaces max pooling; max keeps it",
                          choices=("average", "max"), otherwise="average; max with strotss")
    blend: Any = option(None, "weights of the styles, or of the regions of a mask",
                        kind="sequence of float", otherwise="all alike")
    mask: Any = option(None, "regions of the photo: one picture of its size in which each grey "
                       "level is a region, or several, white for what belongs to each",
                       kind="path, array, or sequence of these", otherwise="one region")
    style_mask: Any = option(None, "regions of the painting, as in mask: of the same grey levels, "
                             "or as many pictures; several go with as many paintings",
                             kind="path, array, or sequence of these",
                             otherwise="all of a painting for each region of the photo")
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

    @property
    def known_by_grams(self):
        """As in `SynthesisOptions`; with a mask each region has one."""
        return super().known_by_grams and self.mask is None

    def resolved(self):
        """The options with the method's defaults, checked against the method."""
        if self.method == "strotss":
            foreign = [one.name for one in fields(self) if one.name in GATYS_ONLY
                       and getattr(self, one.name) != one.default]
            if foreign:
                raise OptionsError(f"style: {', '.join(foreign)}: only method gatys has it; leave "
                                   "it out with strotss")
        if self.mask is not None and self.statistic != "gram":
            raise OptionsError(f"style: mask goes with statistic gram, whose means can be taken "
                               f"over a region, not with {self.statistic}")
        return replace(self, **{name: value for name, value in DEFAULTS[self.method].items()
                                if getattr(self, name) is None})


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
        matter. By default `default_layers`. With strotss, `style_layers` are the hypercolumns'
        layers, of which both are made.
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
        silent, masks that do not fit (`regions.regions`).
    """
    options = options.resolved()
    by_transport = options.method == "strotss"
    content_layers, style_layers = _layers(network, content_layers, style_layers, by_transport)
    network = coarse_to_fine.pooled(network, options)
    styles = _several(styles)
    photo, *paintings = (images.pictures.to_pixels(each) for each in (image, *styles))
    parts = regions.regions(options.mask, options.style_mask, photo, paintings)
    blend = _shares("blend", options.blend or [1] * len(parts), len(parts))
    side = (max(photo.shape[:2]) if options.size == "keep" else
            options.size or max(network.input_shape[:2]))
    if options.colours == "match":
        paintings = [match_covariance(painting, photo) for painting in paintings]
    scene = regions.Scene(photo, paintings, parts, blend, options.style_scale)
    whole = regions.fitted(photo, side)
    sizes = coarse_to_fine.ladder(whole, options.sizes or strotss.count_of_sizes(whole))
    border = coarse_to_fine.border(network, style_layers, content_layers, options)
    memory.check("style", network, sizes[-1], style_layers, content_layers, options,
                 memory.transport if by_transport else memory.synthesis)
    if by_transport:
        x = strotss.start(network, scene, sizes[0])
        ascent = strotss.ascent(network, sizes, scene, list(style_layers), border, options)
    else:
        x = _start(network, scene, sizes[0], options)
        ascent = coarse_to_fine.search(network, sizes, lambda k: -gatys_loss(
            network, scene, sizes[k], content_layers, style_layers, border, options,
            options.content_weight * 2 ** (len(sizes) - 1 - k)), border, options)
    settings = options.settings() | {
        "styles": [regions.plain(each) for each in styles], "mask": regions.plain(options.mask),
        "style_mask": regions.plain(options.style_mask),
        "content_layers": content_layers or None, "style_layers": style_layers}
    kept = None if folder is None else Unfinished(folder, settings | {
        "weights": digest(network), "blend": blend, "mask": None, "style_mask": None,
        "styles": of_arrays({str(k): each for k, each in enumerate(_arrays(scene))})})
    taken = coarse_to_fine.steps(network, sizes, ascent, x, options, kept)
    end = coarse_to_fine.follow(taken, len(sizes) * options.steps, whole, progress, "style", watch)
    made = network.restore(end.image)[0]
    if options.colours == "luminance":
        made = with_colours_of(made, images.resize(photo, whole))
    if kept is not None and not end.interrupted:
        kept.remove()
    return Record(image=made, caption=_caption(network, end, by_transport)
                  + f" after {coarse_to_fine.told(end, len(sizes), options)}", settings=settings,
                  x=end.image, trace=end.trace, by_term=end.by_term, minus_loss=True,
                  interrupted=end.interrupted)


def gatys_loss(network, scene, size, content_layers, style_layers, border, options, content_weight):
    """The loss for images of a size (H, W), an Objective.

    Parameters
    ----------
    network : Network
    scene : regions.Scene
    size : (H, W)
    content_layers, style_layers : dict of str to float
    border : coarse_to_fine.Border
    options : StyleOptions
    content_weight : float
    """
    content = border.seen(network, scene.photo_at(network, size))
    looks = [border.seen(network, x) for x in scene.paintings_at(network, size)]

    def of_region(part, name):
        seen = looks[part.painting][name]
        if part.style is not None:
            seen = times(seen, regions.guide(part.style, seen.shape[1:3]))
        loss = texture_loss({name: seen}, [name], options.statistic)
        if part.content is None:
            return loss
        return guided(loss, {name: regions.guide(part.content, content[name].shape[1:3])})

    loss = content_weight * _sum(weight * objectives.distance(name, content[name])
                                 for name, weight in content_layers.items())
    loss += options.style_weight * _sum(
        share * weight * of_region(part, name)
        for part, share in zip(scene.parts, scene.shares, strict=True)
        for name, weight in style_layers.items())
    return loss + options.tv_weight / (255 * network.grey_level) ** 2 * (
        objectives.total_variation())


def _start(network, scene, size, options):
    """The first image (1, H, W, C)."""
    begin = {"content": scene.photo, "style": scene.paintings[0]}.get(options.start)
    return (coarse_to_fine.noise(network, size, options.seed) if begin is None else
            network.prepare(images.resize(begin, size), "keep"))


def _arrays(scene):
    """All pictures and masks that the image depends on."""
    masks = [mask for part in scene.parts for mask in (part.content, part.style)]
    return [scene.photo, *scene.paintings, *(mask for mask in masks if mask is not None)]


def _caption(network, end, by_transport):
    """What is left of the losses at the end of an ascent."""
    ends = {name: -float(value[-1, 0]) for name, value in end.by_term.items()}
    if by_transport:
        shares = ", ".join(f"{name} {value:.3g}" for name, value in ends.items())
        return f"{network.name} style by transport: E {sum(ends.values()):.3g} ({shares})"
    shares = {what: sum(value for name, value in ends.items()
                        if name.endswith("distance") == (what == "content")
                        and name != "total variation") for what in ("content", "style")}
    return (f"{network.name} style: content {shares['content']:.3g}, style {shares['style']:.3g}")


def default_layers(network):
    """The layers of content and of style.

    Blocks of layers end at max poolings. The style is the first ReLU of each of the first five, the
    content the second ReLU of the fourth; where that is missing, the last ReLU that there is up to
    it. In VGG these are relu4_2, and relu1_1, relu2_1, ... relu5_1.
    """
    blocks = coarse_to_fine.relu_blocks(network)
    to_content = [name for block in blocks[: CONTENT_BLOCK - 1] for name in block]
    to_content += [name for block in blocks[CONTENT_BLOCK - 1 : CONTENT_BLOCK]
                   for name in block[:2]]
    return to_content[-1:], [block[0] for block in blocks[:STYLE_LAYERS]]


def _layers(network, content_layers, style_layers, by_transport):
    """The layers of content and of style, {name: weight} of names checked."""
    if by_transport:
        weights = style_layers.values() if isinstance(style_layers, dict) else ()
        if content_layers is not None or len(set(weights)) > 1:
            raise OptionsError("style: strotss compares hypercolumns of one set of layers, without "
                               "weights; name them in style_layers, and leave out content_layers")
        layers = strotss.default_layers(network) if style_layers is None else style_layers
        return {}, _weights(network, layers)
    return [_weights(network, default if given is None else given) for given, default in
            zip((content_layers, style_layers), default_layers(network), strict=True)]


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


def _sum(terms):
    first, *rest = terms
    return sum(rest, first)
