"""Grad-CAM: where the evidence for a class is (Selvaraju et al. 2017).

Let A^k be the feature maps of a late layer, S the score of a class before the softmax, and Z the
number of positions. Section 3, equations 1 and 2:

    g^k[i, j] = dS / dA^k[i, j]
    a_k       = 1/Z sum over i, j of g^k[i, j]     how much the class wants feature k
    raw       = sum over k of a_k A^k              where the features are that it wants
    map       = max(raw, 0)                        without what speaks against the class

The map has the layer's resolution. After the ReLU it is enlarged bilinearly to the photo's, as if
the layer's cells tiled the photo.

Where the score is linear in the mean of each feature map, S = sum over k of w_k mean(A^k) + b, as
after a global average pooling with one dense layer, g^k = w_k / Z everywhere. The raw map is then
1/Z times the class activation map of Zhou et al. (2016), sum over k of w_k A^k, and adds up to
S - b.

Grad-CAM++ (Chattopadhyay et al. 2018) gives the positions weights, too. It looks for coefficients
alpha such that

    Y = sum over k of (a_k sum over a, b of A^k[a, b]),   a_k = sum over i, j of alpha dY/dA^k[i, j]

The second derivative of both sides by A^k[i, j], with the coefficients held constant, is

    d2Y = 2 alpha d2Y + (sum over a, b of A^k[a, b]) alpha d3Y

Then the paper assumes that Y = exp(S), and that S is piecewise linear in A, as with ReLUs: S has no
second derivative, so d2Y = exp(S) g^2 and d3Y = exp(S) g^3. exp(S) cancels, and

    alpha = g^2 / (2 g^2 + (sum of A^k) g^3) = 1 / (2 + (sum of A^k) g)      their equation 19
    a_k   = exp(S) sum over i, j of alpha max(g, 0)                          their equation 5

The factor exp(S) is the same for the whole map. It is left out, because it overflows where the
network is sure. Only slopes above zero count and no feature may be below zero, so the denominator
is at least 2.

Guided Grad-CAM (Selvaraju et al., section 3.2) is the product of the enlarged map and guided
backpropagation from the same score: as fine as the latter, and about one class, as the former.
Local response normalisations are passed through on the way down, as in the deconvnet: by their
gradient what is faint in the photo would get as bright as what spoke for the class.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.backend import array_module, to_host
from minicnn.images import display
from minicnn.images.display import ColourBar, signed
from minicnn.images.markup import View
from minicnn.network.layers import LRN
from minicnn.ops import resize
from minicnn.ops.lrn import RULES as LRN_RULES
from minicnn.vis import attribution
from minicnn.vis.arguments import check_choice
from minicnn.vis.attribution import ARBITRARY, SHARE
from minicnn.vis.deconvnet import limit, signed_picture
from minicnn.vis.options import Options, option, photo_size, takes
from minicnn.vis.record import Record

METHODS = ("gradcam", "gradcam++")


@dataclass(frozen=True, kw_only=True)
class GradcamOptions(Options):
    """Options of `gradcam`."""

    guided: bool = option(False, "also make guided Grad-CAM")
    lrn: str = option("through", "guided: what local response normalisations do on the way down, "
                      "as for `deconvnet`", choices=LRN_RULES)
    size: Any = photo_size()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GradCAM(Record):
    """Where in one photo the evidence for one class is.

    `image` is the map in grey: black is zero, white the strongest evidence for or against. `x` is
    guided Grad-CAM, where asked for, in the network's channel order, signed.

    Attributes
    ----------
    raw : array (h, w)
        At the layer's resolution, before the ReLU: negative where features speak against the class.
    map : array (H, W)
        After the ReLU, at the photo's resolution. Never negative; not scaled to 0..1.
    weights : array (K,)
        How much the class wants each feature map.
    signed : (H, W, 3) uint8 or None
        x as a picture: zero is mid-grey.
    score : float
        The class's score.
    """

    raw: Any
    map: Any
    weights: Any
    signed: Any
    score: float
    main = "evidence"

    @property
    def evidence(self):
        """Whether anything in the photo speaks for the class."""
        return bool(self.map.any())

    def views(self):
        """The photo, the map on it, the raw map at the layer's resolution, guided Grad-CAM."""
        high = float(np.abs(self.raw).max())  # for or against: what is faint shall look faint
        unit = SHARE if self.settings["method"] == "gradcam" else ARBITRARY
        views = [
            View("photo", "photo", self.photo),
            View("evidence", "evidence" if self.evidence else "no positive evidence",
                 attribution.overlay(self.photo, self.map, high),
                 ColourBar(0, high, unit, "inferno")),
            View("raw", "raw map, zero is grey",
                 np.stack([display.signed_to_uint8(self.raw)] * 3, axis=2), signed(high, unit),
                 blocks=True)]
        return views if self.signed is None else [*views, View(
            "guided", "guided Grad-CAM", self.signed, signed(limit(self.x[0]), ARBITRARY))]


@takes(GradcamOptions)
def gradcam(network, image, target=None, layer=None, method="gradcam", *, options):
    """Find where in a photo the evidence for a class is.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    target : int or str, optional
        The class, by its number or its name (`Network.find_class`). By default, the one with
        the highest score.
    layer : str, optional
        A layer with feature maps. By default, the last that computes them, see
        `attribution.feature_layer`: a convolution, or the ReLU, Concat or Add after it.
    method : {"gradcam", "gradcam++"}
        The second needs feature maps that are not negative: a layer after its ReLU.
    **options

    Returns
    -------
    GradCAM
        Where nothing speaks for the class, the map is zero, the picture black, and the caption says
        so.

    Raises
    ------
    ValueError
        Unknown class, layer or method; a layer without feature maps, or after the class scores.
    """
    check_choice("gradcam", "method", method, METHODS)
    x, layer = network.prepare(image, options.size), attribution.feature_maps(network, layer)
    run = network.forward(x, to=attribution.score_layer(network), keep=[layer])
    c = attribution.find_target(network, target, run.output)
    score, seeds = attribution.seed_score(run, c)  # S
    a, g = run[layer], run.backward(seeds, to=layer)  # A^k and g^k = dS / dA^k: 1,h,w,K
    weights = g[0].mean(axis=(0, 1)) if method == "gradcam" else plus_plus(a, g, layer)  # a_k: K
    raw = a[0] @ weights  # sum over k of a_k A^k: h,w
    heat = enlarged(raw, x.shape[1:3])  # H,W
    sharp = None
    if options.guided:
        sharp = to_host(run.backward(seeds, "guided", options.lrn) * heat[None, :, :, None])

    least, most = float(raw.min()), float(raw.max())
    normalised = options.guided and any(isinstance(row.layer, LRN) for row in network.rows)
    found = "" if most > 0 else ": no positive evidence"
    return GradCAM(
        image=attribution.grey(to_host(heat), max(-least, most)),
        caption=f"{network.name} {layer}, evidence for {attribution.unit(network, c)}, score "
                f"{score:.4g}{found}; raw map {least:.4g} to {most:.4g}, rule {method}"
                + (f", LRN {options.lrn}" if normalised else ""),
        settings={"target": c, "layer": layer, "method": method, **options.settings()},
        raw=to_host(raw), map=to_host(heat), weights=to_host(weights), x=sharp,
        signed=signed_picture(sharp, network.preprocessing) if options.guided else None,
        photo=network.restore(x)[0], score=score)


def enlarged(raw, sides):
    """A raw map (h, w) after the ReLU, at the photo's resolution: (H, W)."""
    positive = array_module(raw).maximum(raw, 0)
    return resize.forward(positive[None, :, :, None], sides)[0][0, :, :, 0]  # h,w -> H,W


def guided_gradcam(network, x, index, lrn=GradcamOptions.lrn):
    """Guided Grad-CAM alone, from the last feature maps.

    Parameters
    ----------
    network : Network
    x : array (1, H, W, C)
        As `Network.prepare` gives it.
    index : int
        The class.
    lrn : str
        As for `gradcam`.

    Returns
    -------
    array (1, H, W, C)
        Zeros where nothing speaks for the class.
    """
    layer = attribution.feature_maps(network)
    run = network.forward(x, to=attribution.score_layer(network), keep=[layer])
    _, seeds = attribution.seed_score(run, index)
    raw = run[layer][0] @ run.backward(seeds, to=layer)[0].mean(axis=(0, 1))  # h,w,K @ K -> h,w
    return run.backward(seeds, "guided", lrn) * enlarged(raw, x.shape[1:3])[None, :, :, None]


def plus_plus(a, g, layer="the layer"):
    """Grad-CAM++'s weights (K,), without the factor exp(S); a and g are (1, h, w, K)."""
    if a.min() < 0:
        raise ValueError(f"gradcam++: the feature maps of {layer} go down to {float(a.min()):.4g}, "
                         "and none may be below zero; choose a layer after its ReLU")
    xp = array_module(a)
    g = xp.maximum(g[0], 0)  # 1,h,w,K -> h,w,K
    alpha = 1 / (2 + a[0].sum(axis=(0, 1)) * g)  # K * h,w,K -> h,w,K
    return (alpha * g).sum(axis=(0, 1))  # h,w,K -> K
