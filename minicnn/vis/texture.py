"""Texture synthesis: a new image with the same feature statistics (Gatys, Ecker & Bethge 2015).

1. Run the texture through the network and take, at a few layers l, the Gram matrix G^l: how
   strongly every two feature maps are active together, averaged over all positions. Where things
   are is lost in the average; what goes with what remains.
2. Start from noise and change the image until its Gram matrices are the same, by making small

       loss = sum over layers of w_l E_l        E_l: `objectives.gram`

The paper gives all layers the same weight, for a network whose weights were rescaled to a mean
activation of 1. In other networks the losses differ by powers of ten, so each is divided here by
its value for an image without any activation: w_l = 1 / (sum of target^2 / 4 C^2), and w_l E_l is
a relative error.

As in the paper, average poolings replace the max poolings: a maximum passes its gradient to one
pixel in four, and the texture comes out dotted. As in the paper's program, the optimiser is L-BFGS,
the image is kept between black and white, and at the end its histograms of red, green and blue are
made those of the photo. Not in the paper: the image is made at several sizes
(`vis.coarse_to_fine`), other statistics than Gram matrices (`objectives.textures`), and a new image
that is larger than the photo or a tile without seams.

What is regular over more pixels than a unit sees, such as the rows of a wall, comes out crooked. A
second term, `spectrum_weight` times the relative distance from the photo's power spectrum, keeps it
straight (Gonthier, Gousseau & Ladjal 2022); 1 suits a wall seen from the front. Stones that lie as
they like are better without.
"""

from dataclasses import dataclass
from typing import Any

from minicnn import images
from minicnn.ascent import objectives
from minicnn.ascent.objectives.changed import relative
from minicnn.ascent.objectives.term import Gram
from minicnn.ascent.objectives.textures import cross_gram
from minicnn.network.layers import MaxPool, ReLU
from minicnn.vis import coarse_to_fine, memory
from minicnn.vis.coarse_to_fine import SynthesisOptions
from minicnn.vis.colours import match_histogram
from minicnn.vis.options import OptionsError, option, takes
from minicnn.vis.record import Record

STATISTICS = {  # each from a layer and the photo's activation there; all terms are made relative
    "gram": lambda layer, seen: objectives.gram(layer, (
        seen.matrix if isinstance(seen, Gram) else objectives.gram_matrix(seen, layer))[0]),
    "covariance": lambda layer, seen: 0.5 * (objectives.covariance(layer, seen)
                                             + objectives.means(layer, seen)),
    "shifted": objectives.shifted_gram,
    "wasserstein": objectives.wasserstein,
}
CROSS = "cross"  # Gram matrices of each layer, and of each with the next


@dataclass(frozen=True, kw_only=True)
class TextureOptions(SynthesisOptions):
    """Options of `texture`."""

    statistic: str = option("gram", "what is matched: Gram matrices; covariance matrices and means "
                            "(covariance); Gram matrices about the layer's mean (shifted); "
                            "the distributions of projections (wasserstein); or Gram matrices of "
                            "each layer and of each with the next (cross)",
                            choices=(*STATISTICS, CROSS))
    spectrum_weight: float = option(0.0, "weight of the relative distance from the photo's power "
                                    "spectrum, for what is regular over many pixels; a layer's "
                                    "error has weight 1", least=0)
    size: Any = option(None, "side in pixels of the photo; 'keep' for the photo's own size",
                       kind='int, (H, W) or "keep"', otherwise="the network's own")
    new_size: Any = option(None, "side in pixels of the image to make, which may be larger than "
                           "the photo", kind="int or (H, W)", otherwise="that of the photo")
    colours: str = option("photo", "the image's colours at the end: with the photo's histograms of "
                          "red, green and blue, or as they came out (free)",
                          choices=("photo", "free"))


@takes(TextureOptions)
def texture(network, image, layers=None, *, options, progress=False, watch=None):
    """Make a new image with the texture of a photo.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    layers : sequence of str, optional
        Where Gram matrices are matched. By default, `default_layers`.
    **options
    progress : bool
        Show a bar on standard error.
    watch : callable, optional
        Called with each step of the ascent as it comes, see `loop.follow`.

    Returns
    -------
    Record
        `trace` holds minus the loss; at each size it is another loss. `x` is the end of the
        ascent, before the histograms are matched.

    Raises
    ------
    ValueError
        An option out of range, a layer that is not there, has no feature maps or is silent for the
        photo.
    """
    layers = default_layers(network) if layers is None else [network.find(n) for n in layers]
    network = coarse_to_fine.pooled(network, options)
    photo = network.restore(network.prepare(image, options.size))[0]
    whole = photo.shape[:2] if options.new_size is None else images.height_width(options.new_size)
    if options.spectrum_weight and whole != photo.shape[:2]:
        raise OptionsError(f"texture: spectrum_weight compares images of one size, but the photo "
                           f"has {photo.shape[0]}x{photo.shape[1]} pixels and new_size is "
                           f"{whole[0]}x{whole[1]}; leave one of the two out")
    sizes = coarse_to_fine.ladder(whole, options.sizes)
    border = coarse_to_fine.border(network, layers, [], options)
    memory.check("texture", network, sizes[-1], layers, [], options)

    def minus_loss(k):  # at the k-th size
        small = images.resize(photo, [max(1, round(side * sizes[k][0] / whole[0]))
                                      for side in photo.shape[:2]])
        seen = border.seen(network, network.prepare(small, "keep"))
        loss = texture_loss(seen, layers, options.statistic)
        if options.spectrum_weight:
            pixels = network.prepare(images.resize(photo, sizes[k]), "keep")
            loss += options.spectrum_weight * relative(objectives.spectrum(pixels), pixels)
        return -loss

    ascent = coarse_to_fine.steps(
        network, sizes, coarse_to_fine.search(network, sizes, minus_loss, border, options),
        coarse_to_fine.noise(network, sizes[0], options.seed), options)
    end = coarse_to_fine.follow(ascent, len(sizes) * options.steps, whole, progress, "texture",
                                watch)
    made = network.restore(end.image)[0]
    caption = (f"{network.name} texture from {', '.join(layers)}: loss {-end.trace[0, 0]:.4g} -> "
               f"{-end.trace[-1, 0]:.4g} in {coarse_to_fine.told(end, len(sizes), options)}")
    return Record(image=match_histogram(made, photo) if options.colours == "photo" else made,
                  caption=caption, settings={"layers": layers, **options.settings()}, x=end.image,
                  trace=end.trace, by_term=end.by_term, minus_loss=True,
                  interrupted=end.interrupted)


def default_layers(network):
    """The first ReLU and the first four poolings; where there are none, the last feature maps."""
    relus, pools = ([name for name in network.trunk if isinstance(network[name], kind)]
                    for kind in (ReLU, MaxPool))
    spatial = [name for name in network.names if len(network.shapes[name]) == 3]
    if not spatial:
        raise ValueError(f"texture: network {network.name} has no layer with feature maps, which a "
                         f"texture is made of; its layers are {', '.join(network.names)}")
    return [name for name in relus[:1] + pools[:4] if name in spatial] or spatial[-1:]


def texture_loss(seen, layers, statistic="gram"):
    """The sum over the layers of relative errors, with the statistics of `seen` as targets.

    Parameters
    ----------
    seen : Run, or dict of str to array (1, H, W, C)
        The photo's activations.
    layers : sequence of str
    statistic : str
        A key of `STATISTICS`, or `CROSS`.
    """
    of_layer = STATISTICS["gram" if statistic == CROSS else statistic]
    terms = [relative(of_layer(name, seen[name]), seen[name]) for name in layers]
    if statistic == CROSS:
        order = sorted(layers, key=lambda name: -seen[name].shape[1])  # the largest maps first
        terms += [relative(cross_gram(a, b, seen[a], seen[b]), seen[a], seen[b])
                  for a, b in zip(order, order[1:], strict=False)]
    return sum(terms[1:], terms[0])
