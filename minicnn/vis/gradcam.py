"""Grad-CAM: where the evidence for a class is (Selvaraju et al. 2017).

Let A^k be the feature maps of a late layer, S the score of a class before the softmax, and Z the
number of positions. Section 3, equations 1 and 2, and the line of this file that does it:

=============================================  ====================================================
g^k[i, j] = dS / dA^k[i, j]                    ``run.backward(seeds, to=layer)``
a_k = 1/Z sum over i, j of g^k[i, j]           `mean_slopes`: how much the class wants feature k
raw = sum over k of a_k A^k                    `weighed`: where the features are that it wants
map = max(raw, 0)                              what speaks against the class is left out
=============================================  ====================================================

The map has the layer's resolution; it is enlarged to the photo's bilinearly, after the ReLU, as if
the layer's cells tiled the photo.

Where the score is linear in the mean of each feature map, S = sum over k of w_k mean(A^k) + b, as
after a global average pooling with one dense layer, g^k = w_k / Z everywhere. The raw map is then
1/Z times the class activation map of Zhou et al. (2016), sum over k of w_k A^k, and adds up to
S - b.

Grad-CAM++ (Chattopadhyay et al. 2018) weighs positions, too. It looks for coefficients such that

    Y = sum over k of (a_k sum over a, b of A^k[a, b]),   a_k = sum over i, j of alpha dY/dA^k[i, j]

The second derivative of both sides by A^k[i, j], with the coefficients held constant, is

    d2Y = 2 alpha d2Y + (sum over a, b of A^k[a, b]) alpha d3Y

Then the paper assumes Y = exp(S), and that S is piecewise linear in A, as with ReLUs: S has no
second derivative of its own, so d2Y = exp(S) g^2 and d3Y = exp(S) g^3. exp(S) cancels, and

    alpha = g^2 / (2 g^2 + (sum of A^k) g^3) = 1 / (2 + (sum of A^k) g)      their equation 19
    a_k   = exp(S) sum over i, j of alpha max(g, 0)                          their equation 5

The factor exp(S) is the same for the whole map. It is left out: it overflows where the network is
sure. Only slopes above zero count and no feature may be below, so the denominator is at least 2.

Guided Grad-CAM (Selvaraju et al., section 3.2) is the product of the enlarged map and guided
backpropagation from the same score: fine as the second, but about one class as the first.
"""

from dataclasses import dataclass
from typing import Any

from minicnn.backend import array_module, to_host
from minicnn.ops import resize
from minicnn.vis import attribution
from minicnn.vis.arguments import check_choice, settings_of
from minicnn.vis.deconvnet import signed_picture
from minicnn.vis.record import Record


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GradCAM(Record):
    """Where in one photo the evidence for one class is.

    `image` is the map in grey: zero is black, white as strong as the strongest evidence for or
    against. `x` is guided Grad-CAM, where asked for, in the network's channel order, signed.

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

    @property
    def evidence(self):
        """Whether anything in the photo speaks for the class."""
        return bool(self.map.any())


def gradcam(network, image, target=None, layer=None, method="gradcam", guided=False, size=None):
    """Ask where in a photo the evidence for a class is.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    target : int or str, optional
        The class, by its number or its name (`Network.find_class`); the one with the highest score
        where not given.
    layer : str, optional
        One with feature maps; where not given the last that computes any, see
        `attribution.feature_layer`: a convolution, or the ReLU, Concat or Add after it.
    method : {"gradcam", "gradcam++"}
        The second wants feature maps that are not negative: a layer after its ReLU.
    guided : bool
        Make guided Grad-CAM, too: `GradCAM.x`.
    size : int, (H, W) or "keep", optional
        As for `Network.prepare`.

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
    settings = settings_of(locals())
    check_choice("gradcam", "method", method, METHODS)
    x, layer = network.prepare(image, size), attribution.feature_maps(network, layer)
    run = network.forward(x, to=attribution.score_layer(network), keep=[layer])
    index = attribution.find_target(network, target, run.output)
    score, seeds = attribution.seed_score(run, index)
    a, g = run[layer], run.backward(seeds, to=layer)
    weights = METHODS[method](a, g, layer)
    raw = weighed(a, weights)
    heat = enlarged(raw, x.shape[1:3])
    sharp = to_host(guided_map(run, seeds, heat)) if guided else None
    least, most = float(raw.min()), float(raw.max())
    found = "" if most > 0 else ": no positive evidence"
    return GradCAM(
        image=attribution.grey(to_host(heat), max(-least, most)),
        caption=f"{network.name} {layer}, evidence for {attribution.unit(network, index)}, score "
                f"{score:.4g}{found}; raw map {least:.4g} to {most:.4g}, rule {method}",
        settings=settings | {"target": index, "layer": layer},
        raw=to_host(raw), map=to_host(heat), weights=to_host(weights), x=sharp,
        signed=signed_picture(sharp, network.preprocessing) if guided else None,
        photo=network.restore(x)[0], score=score)


def mean_slopes(a, g, layer="the layer"):
    """Grad-CAM's weights (K,): the mean of each map's slope g (1, h, w, K) over the positions."""
    return g[0].mean(axis=(0, 1))  # h,w,K -> K


def plus_plus(a, g, layer="the layer"):
    """Grad-CAM++'s weights (K,), but for the factor exp(S); a and g are (1, h, w, K)."""
    if a.min() < 0:
        raise ValueError(f"gradcam++: the feature maps of {layer} go down to {float(a.min()):.4g}, "
                         "and it wants none below zero; choose a layer after its ReLU")
    xp = array_module(a)
    g = xp.maximum(g[0], 0)  # 1,h,w,K -> h,w,K
    alpha = 1 / (2 + a[0].sum(axis=(0, 1)) * g)  # K * h,w,K -> h,w,K
    return (alpha * g).sum(axis=(0, 1))  # h,w,K -> K


METHODS = {"gradcam": mean_slopes, "gradcam++": plus_plus}


def weighed(a, weights):
    """The sum of the feature maps a (1, h, w, K), weighed: the raw map (h, w)."""
    return a[0] @ weights  # (h, w, K) @ K -> h,w


def enlarged(raw, size):
    """What is above zero in a raw map (h, w), enlarged bilinearly to (H, W)."""
    positive = array_module(raw).maximum(raw, 0)
    return resize.forward(positive[None, :, :, None], size)[0][0, :, :, 0]  # 1,H,W,1 -> H,W


def guided_map(run, seeds, heat):
    """Guided Grad-CAM (1, H, W, C): guided backpropagation times the enlarged map (H, W)."""
    return run.backward(seeds, relu="guided") * heat[None, :, :, None]  # H,W -> 1,H,W,1
