"""Functions that the explanations of a decision share: saliency, Grad-CAM and occlusion.

Each asks what a photo, or a part of it, says for or against one class. This file finds that class
and its score, the network's last feature maps, and a plain colour in the network's numbers.
"""

import numpy as np

from minicnn.ascent import objectives
from minicnn.backend import to_device, to_host
from minicnn.images import display
from minicnn.network.layers import Add, BatchNorm, Concat, Conv, ReLU, Tanh

FEATURES = (Conv, BatchNorm, ReLU, Tanh, Concat, Add)  # a pooling only thins features out
MID_GREY = 128
BLANK = 255  # where nothing was computed
ARBITRARY, SHARE = "arbitrary unit", "units of the score"  # of maps


def score_layer(network):
    """The layer of the class scores, before softmax or sigmoid; ValueError if there is none."""
    shape = network.shapes[network.logits]
    if positions(shape) > 1:
        raise ValueError(f"network {network.name} ends at layer {network.logits}, which has "
                         f"{shape[0]}x{shape[1]} positions instead of one score per class; use a "
                         "network that includes its classification layers")
    return network.logits


def find_target(network, target, scores):
    """The number of a class.

    Parameters
    ----------
    network : Network
    target : int, str or None
        A number, counted from 0; a name, see `Network.find_class`; None for the class with the
        highest score.
    scores : array (1, K) or (1, H, W, K)
        With several positions their mean counts.
    """
    count = scores.shape[-1]
    if target is None:
        return int(to_host(scores).reshape(-1, count).mean(axis=0).argmax())  # 1,H,W,K -> K
    if isinstance(target, str):
        return network.find_class(target)
    if not 0 <= target < count:
        raise ValueError(f"network {network.name} has {count} classes, counted from 0; there is "
                         f"no {target}")
    return int(target)


def seed_score(run, index):
    """A class's score in a run, and the seeds from which `Run.backward` gives its gradient.

    The seed is 1 at the class and 0 at all others. It stands at the score, not at the probability:
    where the network is sure, the gradient of the probability vanishes.

    Returns
    -------
    score : float
    seeds : dict of str to array
    """
    value = objectives.channel(run.network.logits, index).evaluate(run)
    return float(value.total[0]), value.gradients


def unit(network, index):
    """A class in words, for a caption: 'loss3/classifier 285 (Egyptian cat)'."""
    name = f" ({short_name(network, index)})" if network.labels else ""
    return f"{network.logits} {index}{name}"


def short_name(network, index):
    """A class's name up to the first comma: 'tiger cat' of 'tiger cat, Felis tigrina'."""
    return network.label(index).partition(",")[0]


def positions(shape):
    """How many positions a layer with an output (H, W, C) has; 0 for (D,)."""
    return shape[0] * shape[1] if len(shape) == 3 else 0


def feature_layer(network):
    """The last layer that computes features at several positions.

    A convolution, the batch normalisation or ReLU after it, or the Concat or Add where paths meet:
    the layer just before the last pooling or the first dense layer.
    """
    names = [name for name in network.trunk
             if isinstance(network[name], FEATURES) and positions(network.shapes[name]) > 1]
    if not names:
        raise ValueError(f"network {network.name} has no layer that computes feature maps of more "
                         f"than one position: {', '.join(network.names)}")
    return names[-1]


def feature_maps(network, layer=None):
    """The name of a layer with feature maps that the class scores are computed from.

    `layer` if it is one, ValueError if it is not; `feature_layer` for None.
    """
    if layer is None:
        return feature_layer(network)
    layer, order = network.find(layer), network.names
    if order.index(layer) > order.index(network.logits):
        raise ValueError(f"{layer} comes after the class scores, {network.logits}; choose a layer "
                         f"before them, such as {feature_layer(network)}")
    if positions(network.shapes[layer]) < 2:
        raise ValueError(f"{layer} has no feature maps of more than one position, its output is "
                         f"{network.shapes[layer]}; choose an earlier layer, such as "
                         f"{feature_layer(network)}")
    return layer


def plain(network, colour, shape):
    """An image of one colour, in the network's input values.

    Parameters
    ----------
    network : Network
    colour : number or (R, G, B) in 0..255, or None
        None is the mean colour, which the preprocessing makes zero. Where it subtracts no mean
        zero is black, and None is mid-grey.
    shape : (N, H, W, C)
        Of a prepared photo.

    Returns
    -------
    array (1, H, W, C)
    """
    if colour is None and np.any(network.needed_preprocessing().mean):
        return to_device(np.zeros((1, *shape[1:]), np.float32), network.device)
    rgb = np.asarray(MID_GREY if colour is None else colour)
    numbers = rgb.dtype.kind in "iuf" and rgb.shape in ((), (3,))
    if not numbers or not ((rgb >= 0) & (rgb <= 255)).all():  # written so that NaN fails too
        raise ValueError(f"a colour is a number or (R, G, B) in 0..255, got {colour!r}")
    pixels = np.broadcast_to(np.rint(rgb).astype(np.uint8), (*shape[1:3], 3))
    return network.prepare(pixels, "keep")


def grey(heat, high):
    """A map (H, W) as a grey picture (H, W, 3) uint8: zero and below are black, `high` is white.

    NaN is black, too, and so is a map where nothing is above zero.
    """
    levels = heat_levels(np.nan_to_num(heat), 0, high)
    return np.repeat(levels[..., None], 3, axis=2)  # H,W -> H,W,3


def heat_levels(heat, low, high):
    """0..255 from `low` to `high`; zeros where these are the same."""
    return display.to_uint8(heat, low, high) if high > low else np.zeros(heat.shape, np.uint8)


def viridis(heat):
    """A map in colours from its least to its largest number; NaN is blank."""
    known, (least, most) = np.isfinite(heat), ends(heat)
    pixels = display.coloured(heat_levels(np.where(known, heat, least), least, most))
    pixels[~known] = BLANK
    return pixels


def ends(values):
    """The least and the largest number that is not NaN."""
    return float(np.nanmin(values)), float(np.nanmax(values))


def overlay(photo, heat, high=None, opacity=0.8):
    """A photo in dim grey, with a heat map that glows where it is above zero.

    Parameters
    ----------
    photo : (H, W, 3) uint8
    heat : array (H, W)
        Where it is zero or below the photo stays as it is.
    high : number above 0, optional
        The heat that is bright yellow; less heat goes through red to black. By
        default, the map's largest.
    opacity : float in 0..1
        Of bright yellow.

    Returns
    -------
    (H, W, 3) uint8
    """
    if heat.shape != photo.shape[:2]:
        raise ValueError(f"overlay: the heat map {heat.shape} and the photo {photo.shape} must "
                         "have the same height and width")
    if not 0 <= opacity <= 1:
        raise ValueError(f"overlay: opacity is within 0..1, got {opacity}")
    grey = 0.7 * photo.mean(axis=2, keepdims=True)  # H,W,3 -> H,W,1
    levels = heat_levels(heat, 0, heat.max() if high is None else high)
    cover = opacity * levels[..., None] / 255
    mixed = (1 - cover) * grey + cover * display.coloured(levels, "inferno")
    return np.rint(mixed).astype(np.uint8)
