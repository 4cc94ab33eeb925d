"""Texture synthesis: a new image with the same feature statistics (Gatys, Ecker & Bethge 2015).

1. Run the texture through the network and take, at a few layers l, the Gram matrix G^l: how
   strongly every two feature maps are active together, averaged over all positions. Where things
   are is lost in the average; what goes with what remains.
2. Start from noise and change the image until its Gram matrices are the same, by making small

       loss = sum over layers of w_l E_l        E_l: `objectives.gram`

The paper gives all layers the same weight, for a network whose weights were rescaled to a mean
activation of 1. In other networks the losses differ by powers of ten, so each is divided here by
its value for an image without any activation: w_l = 1 / (sum of target^2 / 4 C^2).

As in the paper, average poolings replace the max poolings: a maximum passes its gradient to one
pixel in four, and the texture comes out dotted. The paper steps with L-BFGS; here it is Adam, and
the image is kept between black and white.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import images
from minicnn.ascent import loop, objectives
from minicnn.ascent.optimizers import Adam
from minicnn.backend import to_device
from minicnn.network.layers import MaxPool, ReLU
from minicnn.vis.options import Options, option, takes
from minicnn.vis.record import Record


@dataclass(frozen=True, kw_only=True)
class TextureOptions(Options):
    """Options of `texture`."""

    steps: int = option(200, "steps of Adam", least=1)
    size: Any = option(None, "side in pixels of the photo and of the image made from it; 'keep' "
                       "for the photo's own size", kind='int, (H, W) or "keep"',
                       otherwise="the network's own")
    rate: float = option(6.0, "step size: about the change of a pixel per step, in grey levels "
                         "(0..255)", above=0)
    pooling: str = option("average", "kind of pooling that replaces max pooling; max keeps it",
                          choices=("average", "max"))
    seed: int = option(0, "seed of the noise that the image starts from, which has a standard "
                       "deviation of 10 grey levels", least=0)


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
        `trace` holds minus the loss.

    Raises
    ------
    ValueError
        An option out of range, a layer that is not there, has no feature maps or is silent for the
        photo.
    """
    layers = default_layers(network) if layers is None else [network.find(n) for n in layers]
    network = network.with_average_pooling() if options.pooling == "average" else network
    photo = network.prepare(image, options.size)
    loss = texture_loss(network.forward(photo, to=layers, keep=(), caches=False), layers)
    noise = np.random.default_rng(options.seed).normal(0, 10 * network.grey_level, photo.shape)
    ascent = loop.steps(network, -loss, to_device(noise.astype(np.float32), network.device),
                        Adam(options.rate * network.grey_level), options.steps,
                        bounds=images.bounds(network.preprocessing, photo.shape))
    end = loop.follow(ascent, options.steps, progress, "texture", watch)
    caption = (f"{network.name} texture from {', '.join(layers)}: loss {-end.trace[0, 0]:.4g} -> "
               f"{-end.trace[-1, 0]:.4g} in {len(end.trace) - 1} steps")
    return Record(image=network.restore(end.image)[0], caption=caption,
                  settings={"layers": layers, **options.settings()}, x=end.image, trace=end.trace,
                  by_term=end.by_term, interrupted=end.interrupted)


def default_layers(network):
    """The first ReLU and the first four poolings; where there are none, the last feature maps."""
    relus, pools = ([name for name in network.trunk if isinstance(network[name], kind)]
                    for kind in (ReLU, MaxPool))
    spatial = [name for name in network.names if len(network.shapes[name]) == 3]
    if not spatial:
        raise ValueError(f"texture: network {network.name} has no layer with feature maps, which a "
                         f"texture is made of; its layers are {', '.join(network.names)}")
    return [name for name in relus[:1] + pools[:4] if name in spatial] or spatial[-1:]


def texture_loss(run, layers):
    """The sum of w_l E_l over the layers, with the Gram matrices of `run` as targets."""
    terms = []
    for name in layers:
        target = objectives.gram_matrix(run[name], name)[0]  # G^l: 1,C,C -> C,C
        silent = float((target * target).sum()) / (4 * len(target) ** 2)  # E_l without activation
        if silent == 0:
            raise ValueError(f"texture: {name} is silent for this photo; leave it out")
        terms.append(1 / silent * objectives.gram(name, target))
    return sum(terms[1:], terms[0])
