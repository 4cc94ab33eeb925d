"""Texture synthesis: a new image with the same feature statistics (Gatys, Ecker & Bethge 2015).

1. Run the texture through the network and take, at a few layers, the Gram matrix: how strongly
   every two feature maps are active together, averaged over all positions. Where things are is
   averaged away; what goes with what remains.
2. Start from noise and change the image until its Gram matrices are the same,

       loss = sum over layers of w_l E_l        E_l: `objectives.gram`

The paper weighs all layers alike, for a network whose weights were rescaled to a mean activation
of 1. In others the losses differ by powers of ten, so each is divided here by what it is for an
image without any activation: w_l = 1 / (sum of target^2 / 4 C^2).

As in the paper, max poolings are made averages: a maximum passes its gradient to one pixel in
four, and the texture comes out dotted. The paper steps with L-BFGS; here it is Adam, and the image
is kept between black and white.
"""

import numpy as np

from minicnn import images
from minicnn.ascent import loop, objectives
from minicnn.ascent.optimizers import Adam
from minicnn.backend import to_device
from minicnn.network.layers import MaxPool, ReLU
from minicnn.vis.arguments import check_choice, settings_of
from minicnn.vis.record import Record

POOLINGS = ("average", "max")


def texture(network, image, layers=None, steps=200, size=None, rate=6.0, pooling="average",
            seed=0, progress=False, watch=None):
    """Make a new image with the texture of a photo.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    layers : sequence of str, optional
        Where Gram matrices are matched; `default_layers` where not given.
    steps : int
        Of Adam.
    size : int, (H, W) or "keep", optional
        Of the texture and of the image made from it; the network's own where not given.
    rate : float
        Step length in grey levels (of 0..255).
    pooling : {"average", "max"}
        "max" leaves the network's poolings as they are.
    seed : int
        For the noise it starts from, of a standard deviation of 10 grey levels.
    progress : bool
        Show a bar on standard error.
    watch : callable, optional
        Called with each step of the ascent as it comes, see `loop.follow`.

    Returns
    -------
    Record
        `trace` holds minus the loss.
    """
    settings = settings_of(locals())
    check_choice("texture", "pooling", pooling, POOLINGS)
    layers = default_layers(network) if layers is None else [network.find(n) for n in layers]
    network = network.with_average_pooling() if pooling == "average" else network
    x = network.prepare(image, size)
    loss = texture_loss(network.forward(x, to=layers, keep=(), caches=False), layers)
    noise = np.random.default_rng(seed).normal(0, 10 * network.grey_level, x.shape)
    ascent = loop.steps(network, -loss, to_device(noise.astype(np.float32), network.device),
                        Adam(rate * network.grey_level), steps,
                        bounds=images.bounds(network.preprocessing, x.shape))
    end = loop.follow(ascent, steps, progress, "texture", watch)
    caption = (f"{network.name} texture from {', '.join(layers)}: loss {-end.trace[0, 0]:.4g} -> "
               f"{-end.trace[-1, 0]:.4g} in {len(end.trace) - 1} steps")
    return Record(image=network.restore(end.image)[0], caption=caption,
                  settings=settings | {"layers": layers}, x=end.image, trace=end.trace,
                  by_term=end.by_term, interrupted=end.interrupted)


def default_layers(network):
    """The first ReLU and the first four poolings; where there are none, the last feature maps."""
    relus, pools = ([name for name in network.trunk if isinstance(network[name], kind)]
                    for kind in (ReLU, MaxPool))
    spatial = [name for name in network.names if len(network.shapes[name]) == 3]
    if not spatial:
        raise ValueError(f"texture: none of network {network.name}'s layers has feature maps: "
                         f"{', '.join(network.names)}")
    return [name for name in relus[:1] + pools[:4] if name in spatial] or spatial[-1:]


def texture_loss(run, layers):
    """The weighted sum of Gram losses whose targets are the activations of `run`."""
    terms = []
    for name in layers:
        target = objectives.gram_matrix(run[name], name)[0]  # 1,C,C -> C,C
        energy = float((target * target).sum()) / (4 * len(target) ** 2)
        if energy == 0:
            raise ValueError(f"texture: {name} is silent for this photo; leave it out")
        terms.append(1 / energy * objectives.gram(name, target))
    return sum(terms[1:], terms[0])
