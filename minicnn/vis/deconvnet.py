"""The deconvnet: from one unit back to the pixels that drove it (Zeiler & Fergus 2014).

Section 2.1 of the paper step by step, and the line of this library that does it:

=====================================  ===========================================================
record the switches on the way up      ``network.forward``; besides the switches only the input
                                       and the scale of an LRN are used on the way down
all other activations set to zero      `seed_unit`
unpool: each value to its switch       `ops.pool.unpool`
rectify: max(dy, 0)                    `ops.relu.backward` with the rule "deconvnet": whatever the
                                       sign of the forward activation was
filter with the transposed kernels,    `ops.conv.backward`: from a layer's output to its input
flipped both ways
again and again, down to the pixels    ``run.backward(seeds, relu="deconvnet")``
=====================================  ===========================================================

Biases play no part on the way down. The paper does not say what happens at the contrast
normalisation; here it is a named choice, see `ops.lrn.RULES`. With the rule "gradient" at the
ReLUs the same walk gives the gradient (Simonyan et al. 2014) times the unit's value, with "guided"
guided backpropagation (Springenberg et al. 2015): only the rectification differs.
"""

import numpy as np

from minicnn import display, images
from minicnn.backend import array_module, to_host
from minicnn.vis.record import Record


def deconvnet(network, image, layer, channel=None, position=None, relu="deconvnet", lrn="gradient",
              size=None):
    """Project one unit of one layer down to the pixels of one photo.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    layer : str
    channel : int, optional
        The feature map, counted from 0; where not given, the one with the strongest activation.
    position : (row, column), optional
        Where in the map; at its strongest activation where not given.
    relu : {"deconvnet", "gradient", "guided"}
        What the ReLUs do on the way down.
    lrn : {"gradient", "through", "scale"}
        What local response normalisations do on the way down.
    size : int, (H, W) or "keep", optional
        As for `Network.prepare`.

    Returns
    -------
    Record
        `x` is the projection in the network's channel order; `image` shows it with zero as grey.

    Raises
    ------
    ValueError
        Unknown layer, channel or position; a unit that is not active in this photo.
    """
    settings = {k: v for k, v in locals().items() if k not in ("network", "image")}
    x = network.prepare(image, size)
    layer = network.find(layer)
    run = network.forward(x, to=layer)
    channel = strongest_channel(run[layer]) if channel is None else channel
    position = strongest_position(run[layer], layer, channel) if position is None else position
    seed, value = seed_unit(run[layer], layer, channel, position)
    projection = to_host(run.backward({layer: seed}, relu=relu, lrn=lrn))
    where = f" at {tuple(position)}" if len(position) else ""
    caption = f"{network.name} {layer} channel {channel}{where}: value {value:.4g}, rule {relu}"
    settings |= {"channel": channel, "position": tuple(position)}
    return Record(_picture(projection, network.preprocessing), caption, settings, projection)


def region(projection, share=0.05):
    """The rectangle that holds all of a projection that is not faint.

    Parameters
    ----------
    projection : array (1, H, W, C)
    share : float
        Faint is what stays below this share of the largest magnitude; 0 gives all that is not
        zero, the unit's receptive field as far as switches and rectification let anything through.

    Returns
    -------
    top, bottom, left, right : int
        As in ``photo[top:bottom, left:right]``; the whole photo for a projection of zeros.
    """
    strength = np.abs(projection[0]).max(axis=2)  # H,W,C -> H,W
    visible = strength > share * strength.max()
    if not visible.any():
        return 0, strength.shape[0], 0, strength.shape[1]
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _picture(projection, preprocessing):
    """Zero is grey; the strongest 2 in 1000 may saturate, or one pixel would rule."""
    rgb = images.to_rgb(projection, preprocessing)[0]
    strength = np.abs(rgb[rgb != 0])
    limit = float(np.quantile(strength, 0.998)) if strength.size else None
    return display.signed_to_uint8(rgb, limit)


def strongest_channel(activation):
    """The channel that holds the largest value of the first image's activation."""
    return int(to_host(activation)[0].argmax()) % activation.shape[-1]  # H,W,C are in that order


def strongest_position(activation, layer, channel):
    """(row, column) of a map's largest value; () at a dense layer, which has no positions."""
    _check_channel(activation, layer, channel)
    plane = to_host(activation)[0, ..., channel]
    return tuple(int(i) for i in np.unravel_index(plane.argmax(), plane.shape))


def seed_unit(activation, layer, channel, position):
    """All activations set to zero but one.

    Returns
    -------
    seed : array of the activation's shape
    value : float
        The unit's activation.
    """
    _check_channel(activation, layer, channel)
    sides = activation.shape[1:-1]
    if len(position) != len(sides) or not all(0 <= p < s for p, s in zip(position, sides,
                                                                        strict=True)):
        raise ValueError(f"deconvnet: {layer} has {'x'.join(map(str, sides)) or 'no'} positions, "
                         f"counted from 0; there is no {tuple(position)}")
    unit = (0, *position, channel)
    value = float(activation[unit])
    if value <= 0:
        raise ValueError(f"deconvnet: channel {channel} of {layer} is silent there (value "
                         f"{value:.4g}); choose another channel, position or photo")
    seed = array_module(activation).zeros_like(activation)
    seed[unit] = activation[unit]
    return seed, value


def _check_channel(activation, layer, channel):
    if not 0 <= channel < activation.shape[-1]:
        raise ValueError(f"deconvnet: {layer} has {activation.shape[-1]} channels, counted from 0; "
                         f"there is no {channel}")
