"""What lectures, posts and examples say of networks, and what comes out here.

A claim is a function that measures it. Its docstring is what is said; what it needs it takes by
name: `net`, `photo`, `seed`, `outline` (where the thing in the photo is, (H, W) bool, known of the
drawn ladybird alone), or a stop of the tour, for the record that it found. It returns an Answer, or
raises ValueError where the claim cannot be measured. `report.tour` collects the answers.
"""

from typing import Any, NamedTuple

import numpy as np

from minicnn import images, models, vis
from minicnn.foreign.load import load
from minicnn.network import Network
from minicnn.network.layers import Conv, Dense
from minicnn.ops import conv, pool
from minicnn.report import chosen, recorded
from minicnn.vis.convolutional import convolutional
from minicnn.vis.hypercolumn_maps import hypercolumn_maps
from minicnn.vis.survey import statistics
from minicnn.vis.zoom import nearer

YES, PART, NO, NONE = "confirmed", "confirmed in part", "not confirmed", "not measured"

LECTURE = ("Zazo and Protopapas, lecture “Visualization of convolutional networks and neural style "
           "transfer” (AC 209B)")
KERAS = "Kuan-Ting Lai, lecture “Convolutional Neural Network” (2020)"
POST = ("post “What Neural Networks look” on Wolfram's message boards, after a talk by Markus van "
        "Almsick")
MATLAB = "MATLAB's example of deepDreamImage, with AlexNet"
ARTICLE = ("article “Deep learning: Features extracted at each level of the convolutional neural "
           "network and the training process”")
SETTLED = 0.95  # correlation with the responses at the end from which a layer counts as settled
WHY = (". Grad-CAM weighs each map by its mean slope; this network's dense layer reads each place "
       "of a map with a weight of its own, so that the mean says little")


class Answer(NamedTuple):
    """One of YES, PART, NO, NONE; words with the figures; a picture by its file name, if any."""

    verdict: str
    words: str
    pictures: dict = {}


class Claim(NamedTuple):
    """A claim: what measures it, who says it, and, of a record, the command that made it."""

    measure: Any
    source: str
    record: str = ""


def parameter_totals():
    """A network for digits, VGG-16's convolutions, and these with a head of two dense layers have
    93,322, 14,714,688 and 16,812,353 parameters."""
    counts = [models.lecture_mnist().count(), models.vgg16(top=False, size=150).count(),
              models.lecture_vgg16().count()]
    same = counts == [93_322, 14_714_688, 16_812_353]
    return Answer(YES if same else NO, f"lecture_mnist {counts[0]:,}, VGG-16's convolutions "
                  f"{counts[1]:,}, with the lecture's head {counts[2]:,}")


def separable_convolution():
    """A separable convolution of 5x5 from 3 to 256 channels has (5*5*1)*3 + 1*1*3*256 = 843
    weights in place of 5*5*3*256 = 19,200."""
    whole = Network("whole", [("conv", Conv(256, 5, bias=False))], (9, 9, 3))
    apart = Network("apart", [("depthwise", Conv(3, 5, groups=3, bias=False)),
                              ("pointwise", Conv(256, 1, bias=False))], (9, 9, 3))
    counts = whole.count(), apart.count()
    return Answer(YES if counts == (19_200, 843) else NO,
                  f"{counts[1]:,} in place of {counts[0]:,}")


def sure_of_its_picture(net, grown_classes):
    """The network calls the picture that was made for a class by that class, with 100 %."""
    if net.shapes[net.logits][-1] == 1:
        raise ValueError("a network with one score cannot take a picture for another class")
    shares = np.array([net.probabilities(net.prepare(one.image))[0, one.settings["channel"]]
                       for one in grown_classes])
    full = int((shares >= 0.995).sum())
    return Answer(YES if full == len(shares) else PART if full else NO,
                  f"{full} of {len(shares)} pictures reach 99.5 %, which is written as 100 %; the "
                  f"least sure one has {shares.min():.1%}")


def pelican():
    """The picture that was made for the class pelican is a pelican with 100 %."""
    share = recorded.CLASSES["pelican"]
    return Answer(YES if share["own"] >= 0.995 else NO,
                  f"GoogLeNet's picture of a pelican: {share['own']:.0%} by itself, and "
                  f"{share['other']:.0%} by SqueezeNet, which had no part in it")


def richer_with_depth(grown_filters):
    """The pictures of filters, ten of each of VGG-16's 13 convolutions, become more complex
    patterns as the layer becomes deeper."""
    layers = _several(grown_filters.layers)
    counts = [float(np.median([waves(one) for one in row.pictures])) for row in layers]
    ranks = np.argsort(np.argsort(counts))
    alike = float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1])  # Spearman
    told = ", ".join(f"{row.layer} {count:.0f}" for row, count in zip(layers, counts, strict=True))
    verdict = YES if (np.diff(counts) > 0).all() else PART if alike > 0 else NO
    return Answer(verdict, f"plane waves that hold 90 % of a picture's power, median of "
                  f"{len(layers[0].pictures)} filters of each layer: {told}; rank correlation with "
                  f"depth {alike:.2f}" + "; not every layer has more than the one before"
                  * (verdict == PART))


def _several(layers):
    """The layers, if there is a depth to compare."""
    if len(layers) < 2:
        raise ValueError("this needs at least two layers of rectified feature maps")
    return layers


def waves(picture, share=0.9):
    """How many plane waves, the strongest first, hold a share of a picture's power: few of stripes,
    many of what is irregular. The mean colour does not count."""
    pixels = picture.astype(float) - picture.mean(axis=(0, 1))  # H,W,3
    power = np.sort((np.abs(np.fft.fft2(pixels, axes=(0, 1))) ** 2).sum(axis=2).ravel())[::-1]
    if power.sum() < 1e-9:
        return 0  # of one colour
    return -(-int(np.searchsorted(np.cumsum(power), share * power.sum()) + 1) // 2)  # pairs +-k


def equal_increments(seed):
    """Iteration by iteration the activation of conv1 grows by the same amount, 35.56 or 35.57; that
    of conv2 by 8.35, then 7.14, and at last by 2.76."""
    alex, told, grown = load("minialex"), [], []
    for layer in ("conv1", "conv2"):
        found = _whole(vis.deepdream_image(alex, layer, range(30), pyramid_levels=1, seed=seed))
        grows = np.diff(found.trace.reshape(len(found.trace), -1).mean(axis=1))
        grown.append(grows)
        told.append(f"{layer} grows by {', '.join(f'{one:.4f}' for one in grows)}")
    first, second = (float(np.ptp(grows) / grows.mean()) for grows in grown)
    alike, falls = first < 1e-4 < 0.1 < second, (np.diff(grown[1]) < 0).all()  # 1e-6 is rounding
    verdict = YES if alike and falls else PART if alike else NO
    more = "and fall each time" if falls else "but do not fall each time"
    return Answer(verdict, f"minialex in ten iterations: {'; '.join(told)}. Those of conv1 differ "
                  f"by {first:.1g} of their mean, which is rounding; those of conv2 differ, {more}")


def first_layers_settle_first():
    """While a network learns, low layers converge after a few epochs; the fifth layer does not
    until very many."""
    early, late = recorded.SETTLED[5], recorded.SETTLED[40]
    ordered = all((np.diff(one) < 0).all() for one in (early, late))
    settled = early[0] > SETTLED
    told = (f"the layers between lie {'' if ordered else 'not '}in order, and after 5 epochs the "
            f"first has {'' if settled else 'not '}settled")
    return Answer(YES if ordered and settled else PART if ordered else NO,
                  "minialex, correlation of a layer's responses with those after 64 epochs: "
                  f"after 5 epochs {early[0]:.2f} in the first layer and {early[4]:.2f} in the "
                  f"fifth, after 40 epochs {late[0]:.2f} and {late[4]:.2f}; {told}")


def features_change_places():
    """Lower layers may change what their features correspond to after they have converged."""
    share, alike = recorded.JUMPS[40], recorded.SETTLED[40][0]
    return Answer(YES if alike > SETTLED and share > 0 else NO,
                  "minialex after 40 epochs: its first layer's responses have a correlation "
                  f"of {alike:.2f} with the last ones, and still {share:.0%} of its channels have "
                  "another strongest photo than at the snapshot before")


def fewer_dead_filters():
    """With filters of 7x7 and stride 2 in place of 11x11 and stride 4, fewer filters are dead."""
    fine, coarse = recorded.FIRST_LAYER[7, 2], recorded.FIRST_LAYER[11, 4]
    none = ": our small networks have none to lose, so they cannot show it"
    return Answer(YES if fine["dead"] < coarse["dead"] else NO,
                  f"{fine['dead']} of {fine['filters']} filters are dead with 7x7 and "
                  f"{coarse['dead']} of {coarse['filters']} with 11x11"
                  + none * (fine["dead"] == coarse["dead"] == 0))


def less_aliasing():
    """With filters of 7x7 and stride 2 there is less aliasing than with 11x11 and stride 4."""
    fine, coarse = recorded.FIRST_LAYER[7, 2], recorded.FIRST_LAYER[11, 4]
    less = [fine[of] < coarse[of] for of in ("filter_aliasing", "response_aliasing")]
    return Answer(YES if all(less) else PART if any(less) else NO,
                  f"aliased power of the filters {fine['filter_aliasing']:.0%} in place of "
                  f"{coarse['filter_aliasing']:.0%}, of their responses "
                  f"{fine['response_aliasing']:.0%} in place of {coarse['response_aliasing']:.0%}")


def blank_with_depth(net, photo):
    """The deeper the layer, the more of its filters are blank."""
    layers = _several(chosen.spread(net, 6))
    found = statistics(vis.activations(net, photo, layers).maps)
    blank = [one.blank for one in found]
    steps = np.diff(blank)
    verdict = YES if (steps >= 0).all() and any(steps) else PART if blank[-1] > blank[0] else NO
    return Answer(verdict, "channels that are blank for this photo: "
                  + ", ".join(f"{one.layer} {one.blank:.1%}" for one in found))


def precise_and_coarse(net, photo, outline):
    """The first layer is too precise and lacks meaning, the last is too coarse; hypercolumns are
    better than both."""
    columns = hypercolumn_maps(net, photo)
    first, *_, last = columns.maps
    inside = seen(net, outline)
    right = {"hypercolumns": told_apart(columns.balanced().stack(), inside > 0.5)} | {
        name: told_apart(hypercolumn_maps(net, photo, [name]).stack(), inside > 0.5)
        for name in (first, last)}
    whole, edge = ({name: float(places[where].mean()) for name, places in right.items()}
                   for where in (np.ones_like(inside, bool), _near_edge(inside > 0.5)))
    holds = (edge[first] > edge["hypercolumns"] > edge[last],
             whole["hypercolumns"] > max(whole[first], whole[last]))
    told = "; ".join(f"{name} {whole[name]:.1%}, near the outline {edge[name]:.1%}"
                     for name in (first, last, "hypercolumns"))
    return Answer(PART if any(holds) else NO, "pixels put rightly to beetle or leaf by the nearer "
                  f"of the two means: {told}. That the first layer lacks meaning cannot be seen on "
                  "a red beetle, which its colours tell from the leaf")


def seen(net, outline):
    """The share of each pixel that the outline's inside covers, as the network sees the photo: (H,
    W) in 0..1, resized and cut like it."""
    white = np.repeat(outline[..., None], 3, axis=2).astype(np.uint8) * 255
    return net.restore(net.prepare(white))[0].mean(axis=2) / 255


def _near_edge(inside):
    """Whether each pixel has the edge within a twentieth of the side, along rows or columns."""
    reach = range(-max(1, len(inside) // 20), max(1, len(inside) // 20) + 1)
    return np.any([np.roll(inside, k, axis) != inside for k in reach for axis in (0, 1)], axis=0)


def told_apart(columns, inside):
    """Where the nearer of the two means, of what is inside and outside, is that of its side.

    Parameters
    ----------
    columns : array (H, W, C)
    inside : (H, W) bool

    Returns
    -------
    (H, W) bool
    """
    far = [((columns - columns[side].mean(axis=0)) ** 2).sum(axis=2) for side in (inside, ~inside)]
    return (far[0] < far[1]) == inside


def mass_on_the_thing(net, photo, outline, evidence):
    """Grad-CAM shows which parts of the photo belong to its class, and can localize the object."""
    alex, told, on_it = load("minialex"), [], []
    for one, heat in ((net, evidence.map), (alex, vis.gradcam(alex, photo).map)):
        inside = seen(one, outline)
        share = float((heat * inside).sum() / max(heat.sum(), 1e-12))
        on_it.append(share > inside.mean())
        told.append(f"{one.name}: {share:.0%} of the map's mass lies on the beetle, which covers "
                    f"{inside.mean():.0%} of the photo: {'more' if on_it[-1] else 'less'} than by "
                    "chance")
    return Answer(YES if all(on_it) else PART if any(on_it) else NO,
                  "; ".join(told) + WHY * (_reads_each_place(net) and not on_it[0]))


def _reads_each_place(net):
    """Whether a dense layer stands right above feature maps."""
    return any(isinstance(layer, Dense) and len(net.shapes.get(inputs[0], ())) == 3
               and max(net.shapes[inputs[0]][:2]) > 1 for _, layer, inputs in net.rows)


def arm_of_the_dumbbell(net, seed):
    """A picture made for the class dumbbell always has an arm with it."""
    found = _whole(vis.maximize(net, target=net.find_class("dumbbell"), seed=seed))
    other = recorded.CLASSES["dumbbell"]
    return Answer(NONE, f"no class of the network is an arm, so nothing can be counted; "
                  f"{net.name}'s picture is here for your own eyes. From a record: GoogLeNet calls "
                  f"its own one a dumbbell with {other['own']:.0%}, SqueezeNet with "
                  f"{other['other']:.0%}", {"dumbbell.png": images.enlarged(found.image)})


def fed_back(net, photo, dreamt):
    """What a layer sees a little of, the dream makes it see more of: a feedback loop."""
    (layer, *_), size = dreamt.settings["layers"], dreamt.image.shape[:2]
    wide = convolutional(net, [layer])
    before, after = (float((wide.forward(wide.prepare(one, size), to=layer)[layer] ** 2).mean())
                     for one in (photo, dreamt.image))
    if before <= 0:
        raise ValueError(f"{layer} does not see anything in the photo")
    return Answer(YES if after > 2 * before else NO,  # less could be the noise of a few steps
                  f"the mean of {layer}'s squared activations "
                  f"is {before:.3g} for the photo and {after:.3g} for the dream, "
                  f"{after / before:.1f} times as much")


def new_impressions(zoomed):
    """Dreaming and zooming again and again gives an endless stream of new impressions, even from
    noise."""
    frames, settings = zoomed.frames.astype(np.float32), zoomed.settings
    enlarged, alike, kept = frames[:1], [], []
    for k in range(1, len(frames)):
        enlarged = nearer(enlarged, settings["scale"], settings["turn"])
        before = nearer(frames[k - 1 : k], settings["scale"], settings["turn"])
        alike.append(np.corrcoef(enlarged.ravel(), frames[k].ravel())[0, 1])
        kept.append(np.corrcoef(before.ravel(), frames[k].ravel())[0, 1])
    strength = zoomed.trace[-1] / zoomed.trace.max()
    return Answer(PART if alike[-1] < 0.5 < strength else NO,  # half is new, at half the strength
                  f"correlation with the first frame enlarged as far: {alike[0]:.2f} in frame 2, "
                  f"{alike[-1]:.2f} in frame {len(frames)}; with the frame before, {kept[-1]:.2f}: "
                  f"it goes on smoothly. The layer's energy in the last frame is {strength:.0%} of "
                  f"the highest. {len(frames)} frames show no end, and cannot prove that there is "
                  "none")


def photographic_layers(inverted):
    """Layers retain an accurate photographic representation of the image."""
    told = [f"{one.settings['layers']} {one.psnr:.1f} dB" for one in inverted]
    good = [one.psnr >= 25 for one in inverted]  # where photos begin to look alike
    return Answer(YES if all(good) else PART if any(good) else NO,
                  f"photos made again from one layer: {', '.join(told)}; above 25 dB two photos "
                  "look much alike")


def order_of_the_ways():
    """To tell two kinds of pets: from scratch, with augmentation, with frozen VGG-16, with a
    fine-tuned block 5; each step is there to do better than the one before."""
    ways, told = list(recorded.LECTURE), []
    for way in ways:
        mean, deviation = recorded.LECTURE[way]
        step = recorded.STEPS.get(way)
        better = step is not None and step[0] > 2 * step[1]
        more = "" if step is None else " (better)" if better else " (within chance)"
        told.append(f"{way} {mean} ± {deviation} %{more}")
    sure = [by > 2 * error for by, error in recorded.STEPS.values()]
    return Answer(YES if all(sure) else PART if any(sure) else NO,
                  "500 photos to learn from, 600 to test, mean and deviation of 3 seeds: "
                  + "; ".join(told))


def gradient_is_transposed(seed):
    """The transposed convolution, with filters flipped both ways, is what backpropagation of the
    gradient does."""
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(1, 9, 8, 3)), rng.normal(size=(3, 3, 3, 5))
    y, cache = conv.forward(x, w, pad=1)
    dy = rng.normal(size=y.shape)
    flipped = w[::-1, ::-1].swapaxes(2, 3)  # KH,KW,C,O -> KH,KW,O,C
    dx = conv.backward(dy, cache).dx
    away = float(np.abs(dx - conv.forward(dy, flipped, pad=1)[0]).max())
    return Answer(YES if away < 1e-12 else NO, f"largest difference of the two {away:.1g}, of "
                  f"numbers up to {np.abs(dx).max():.0f}, in double precision")


def unpooled_to_its_place(seed):
    """Switches record where the maxima were, and unpooling puts the features back there."""
    x = np.random.default_rng(seed).normal(size=(1, 8, 8, 3))
    y, cache = pool.forward(x, 2)
    back = pool.unpool(y, *cache)
    there = back != 0
    away = float(np.abs(back - x)[there].max())
    return Answer(YES if there.sum() == y.size and away == 0 else NO,
                  f"{there.sum()} maxima are back at their places, with a difference of {away:.0f};"
                  f" the other {(~there).sum()} places are 0")


def _whole(record):
    """The record, unless Ctrl-C ended it early."""
    if record.interrupted:
        raise KeyboardInterrupt
    return record


CLAIMS = (
    Claim(parameter_totals, KERAS),
    Claim(separable_convolution, KERAS),
    Claim(order_of_the_ways, KERAS, "bench lecture"),
    Claim(blank_with_depth, KERAS),
    Claim(mass_on_the_thing, KERAS),
    Claim(sure_of_its_picture, POST),
    Claim(pelican, POST, "bench classes"),
    Claim(richer_with_depth, POST),
    Claim(equal_increments, MATLAB),
    Claim(precise_and_coarse, ARTICLE),
    Claim(gradient_is_transposed, LECTURE),
    Claim(unpooled_to_its_place, LECTURE),
    Claim(first_layers_settle_first, LECTURE, "bench first-layer"),
    Claim(features_change_places, LECTURE, "bench first-layer"),
    Claim(fewer_dead_filters, LECTURE, "bench first-layer"),
    Claim(less_aliasing, LECTURE, "bench first-layer"),
    Claim(photographic_layers, LECTURE),
    Claim(arm_of_the_dumbbell, LECTURE),
    Claim(fed_back, LECTURE),
    Claim(new_impressions, LECTURE),
)
