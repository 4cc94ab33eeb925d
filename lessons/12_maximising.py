# %% [markdown]
# # 12 · Maximising a filter and a class
# Three of the pictures below were made from nothing, each to please the network. How sure is it of
# them? We make again the pictures of the post "What Neural Networks look": the first filters of
# every layer, and an image of probability "100 %", there a pelican.
# Minutes: 25
# %%
import matplotlib.pyplot as plt
import numpy as np

from minicnn import images, vis
from minicnn.ascent import loop, objectives, optimizers
from minicnn.course import ask, network, photo, source
from minicnn.network import Network
from minicnn.network.layers import Conv
from minicnn.vis.filters import responses

net, seen = network(), photo()
chances = net.probabilities(net.prepare(seen))[0]
classes = [int(k) for k in np.argsort(-chances)[:3]]
made = vis.maximize(net, target=classes, preset="none")


def draw(pictures, titles, columns, side=2.3, above=0.6):
    rows = -(-len(pictures) // columns)
    _, axes = plt.subplots(rows, columns, figsize=(side * columns, (side + above) * rows),
                           layout="constrained")
    for place, picture, title in zip(axes.flat, pictures, titles, strict=True):
        place.imshow(picture, cmap="gray", vmin=-1, vmax=1)  # limits for grey ones
        place.set(title=title, xticks=(), yticks=())

def sure(picture, k):
    p = float(net.probabilities(net.prepare(picture, "keep"))[0, k])
    return f"{net.label(k).split(',')[0]} {p:.2%}"

draw([net.restore(net.prepare(seen))[0], *(one.image for one in made)], [
    f"photo\n{sure(net.restore(net.prepare(seen))[0], classes[0])}",
    *(f"from nothing\n{sure(one.image, k)}" for k, one in zip(classes, made, strict=True))], 4, 2.8)
# %% [markdown]
# Ask the smallest question: one filter, Sobel's, and an image x as large as the filter, all zeros.
# The filter answers y, the sum of w x. Gradient ascent changes x, not w, so that y grows: it adds
# rate * dy/dx to x, again and again.
# %%
SOBEL = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])

def climb(measure, bias, steps, rate=0.5):  # x and y after some steps
    one = Network("one filter", [("conv", Conv(1, 3))], (3, 3, 1))
    one.params["conv"] = {"w": SOBEL[:, :, None, None], "b": np.array([bias])}
    *_, last = loop.steps(one, objectives.channel("conv", 0, measure), np.zeros((1, 3, 3, 1)),
                          optimizers.SGD(rate), steps)
    return last.image[0, :, :, 0], float(one.forward(last.image).output.item())

x, y = climb("mean", 0.0, 4)
like = {"the kernel w": SOBEL, "the kernel turned by half a turn": SOBEL[::-1, ::-1],
        "white everywhere": np.ones((3, 3))}
ask("What will x look like after some steps?", max(like, key=lambda one: (like[one] * x).sum()),
    choices=tuple(like), wrong={
        "the kernel turned by half a turn": "Each pixel x meets the weight w at its own place, so "
        "dy/dx is w, unturned. It is turned only where one pixel is seen by many windows.",
        "white everywhere": "White raises y where w is above 0, and lowers it elsewhere."},
    hints=("Which way does y grow fastest?", "dy/dx = w", "x = 0 + rate * _"))
ask("How long is x, the root of the sum of its squares, after 4 steps with rate 0.5?",
    float(np.linalg.norm(x)),
    wrong={y: "That is y. It grows by rate * |w|^2 in each step, but x by rate * |w|.",
           float(np.linalg.norm(SOBEL)): "That is |w|. Each step adds rate * w."},
    hints=("The gradient is the same in every step.", "steps * rate * |w|", "4 * 0.5 * sqrt(_)"))
# %%
source(loop.steps)
print("x after 4 steps\n", x, "\nits length", np.linalg.norm(x), "and y", y)
# %% [markdown]
# Nothing stops it: the longer it goes, the larger is y. "The image that maximises y" needs a limit,
# such as black and white. The post maximises the sum of y^2, the lecture the mean of y. What is the
# difference? Give the filter a bias of -1, so that y = -1 where x is 0.
# %%
RESULTS = {"y": climb("mean", -1.0, 3, 0.05), "y^2": climb("squares", -1.0, 3, 0.05),
           "y^2, bias 0": climb("squares", 0.0, 3, 0.05)}
CHOICES = ("the kernel w", "minus the kernel, -w", "grey, it stays 0")
toward = float((RESULTS["y^2"][0] * SOBEL).sum())
ask("With a bias of -1, what does the image become that maximises y^2?",
    CHOICES[0 if toward > 0 else 1 if toward < 0 else 2], choices=CHOICES,
    wrong={CHOICES[0]: "The slope is 2 y w, and y begins at -1: the first step goes the other way. "
           "A very negative y has a large square, too.",
           CHOICES[2]: "So it would with a bias of 0: then 2 y w is 0 at the start."},
    hints=("What is the slope of y^2?", "2 * y * w", "2 * (-1) * _"))
# %%
draw([SOBEL / 2, *(x / max(abs(x).max(), 1e-9) for x, _ in RESULTS.values())],
     ["w", *(f"to maximise {name}\nreached: y = {y:.3g}" for name, (_, y) in RESULTS.items())], 4)
# %% [markdown]
# A unit of a second layer sees more pixels. Two convolutions of 3x3 without padding, and the middle
# unit of the second: only the pixels that it sees get a gradient.
# %%
two = Network("two", [("a", Conv(2, 3)), ("b", Conv(1, 3))], (9, 9, 1)).initialize(0)
_, dx = loop.look(two, objectives.neuron("b", 0), np.zeros((1, 9, 9, 1), np.float32))
touched = np.argwhere(dx[0, :, :, 0])
ask("What part of the 9x9 image changes, as (rows, columns)?", tuple(np.ptp(touched, axis=0) + 1),
    wrong={(3, 3): "It sees 3x3 places of the layer below, and each of these sees 3x3 pixels.",
           (6, 6): "The windows overlap: the next place is one pixel further.",
           (9, 9): "Pixels outside the receptive field do not act on it at all."},
    hints=("Begin at the unit and go down.", "3 + (3 - 1)", "3 places, and _ more on each side"))
# %% [markdown]
# Now the real network. In its first layer, the image that maximises one unit becomes its kernel
# (upper row: kernels; lower row: images from zeros). Below: the first filters of every layer, or of
# six if there are more, each by the root mean square of y where y is above 0.
# %%
print("pixels that change, first and last:", touched[0], touched[-1])
convs = responses(net)
w = np.moveaxis(net.params[convs[0]]["w"], 3, 0)[:6]
*_, last = loop.steps(net, objectives.neuron(convs[0], range(len(w))), np.zeros(
    (len(w), *net.input_shape), np.float32), optimizers.SGD(1.0), 3)
parts = [one[np.ix_(one.any(axis=(1, 2)), one.any(axis=(0, 2)))] for one in last.image]
agree = [np.corrcoef(part.ravel(), one.ravel())[0, 1] for part, one in zip(parts, w, strict=True)]
draw([images.to_rgb(0.5 + one / abs(one).max() / 2, net.preprocessing) for one in (*w, *parts)],
     [f"{name} {k}" for name in ("kernel", "image") for k in range(len(w))], len(w), 1.5, 0.3)
print("correlation of each image with its kernel:", np.round(agree, 4))
some = [convs[k] for k in np.unique(np.linspace(0, len(convs) - 1, 6).astype(int))]
found = vis.filters(net, some, count=5, steps=30).layers
draw([picture for layer in found for picture in layer.pictures],
     [f"{layer.layer}: {k}" for layer in found for k in layer.channels], 5, 1.6, 0.3)
# %% [markdown]
# From top to bottom: do patterns grow larger and less regular? And the classes? The post's way is
# the gradient and nothing else, by Adam. Ours also rolls the image by chance before each look and
# smooths it after each step. For one object each look is turned, moved, often from far away, and
# fine detail is scaled down. Test them: roll each picture a little. How sure is the network then?
# %%
ways = {"the post's way": vis.maximize(net, target=classes, preset="wolfram", steps=120),
        "ours": made,
        "one object": vis.maximize(net, target=classes, size=net.input_shape[:2], steps=80)}
draw([one.image for way in ways.values() for one in way], [
    f"{way}, {len(one.trace) - 1} steps\n{sure(one.image, k)}\nrolled: "
    + sure(np.roll(one.image, net.input_shape[0] // 12, (0, 1)), k).split()[-1]
    for way, records in ways.items() for k, one in zip(classes, records, strict=True)], 3, 2.8)
# %% [markdown]
# These images show what raises a score, not what the class looks like: they may repeat parts, or
# hold what often stands beside the thing. That the network is sure does not make them photos of it.
# %%  checks of what this lesson claims
assert min(agree) > 0.999, "in the first layer the image becomes the kernel"
assert toward < 0 < (RESULTS["y"][0] * SOBEL).sum(), "a square does not know its sign"
assert all(one.trace[-1, 0] > one.trace[0, 0] for way in ways.values() for one in way), "it climbs"
assert min(float(net.probabilities(net.prepare(one.image, "keep"))[0, k]) for k, one in zip(
    classes, made, strict=True)) > chances[classes[0]], "surer of these than of the photo"
# %% [markdown]
# Start from the photo: `vis.maximize(net, target=..., start=photo(), steps=5)`. How little must
# change until it is another class, and can you see it?
