# %% [markdown]
# # 05 · ReLU and its three ways back
# Three ways lead back from a unit to the pixels. Which one is a gradient, and what do the others do
# instead? We make again the pictures of the lecture "Visualization of convolutional networks and
# neural style transfer" in which a deconvnet projects units into the photos that excite them. To
# project a unit is to send its number back down, layer by layer, until numbers for pixels arrive.
# Minutes: 15. A page to step through, every number by hand: `minicnn lesson 5 --figure`.
# %%
import matplotlib.pyplot as plt
import numpy as np

from minicnn import gradcheck, vis
from minicnn.course import ask, network, photo, source
from minicnn.network.layers import Conv, ReLU
from minicnn.ops import relu

net = network()
LAYER = [name for name, layer, _ in net.rows  # the last rectifier that still has positions
         if isinstance(layer, ReLU) and len(net.shapes[name]) == 3][-1]
run = net.forward(net.prepare(photo()), to=LAYER)
shown = {rule: vis.deconvnet(net, run, LAYER, relu=rule) for rule in relu.RULES}
figure, axes = plt.subplots(1, 4, figsize=(13, 4), layout="constrained")
pictures = [shown["gradient"].photo, *(record.image for record in shown.values())]
for place, name, picture in zip(axes, ("the photo", "A", "B", "C"), pictures, strict=True):
    place.imshow(picture)
    place.set(title=name, xticks=(), yticks=())
figure.suptitle(f"The strongest unit of {LAYER} in this photo, followed down to the pixels in three"
                " ways.\nGrey is zero. Where do you recognise the photo? Which would you trust?")
# %% [markdown]
# A, B and C come from one pass up and one way down: same unit, same kernels, same switches. Only
# one line differs, the rule at the ReLUs. Six numbers are enough to see it: `x` on the way up,
# and `dy`, which arrives on the way down. All four combinations of signs are here, and a zero.
# %%
x, dy = np.array([[2.0, -1.0, 3.0, -2.0, 0.0, 1.0],
                  [4.0, 5.0, -6.0, -7.0, 8.0, 9.0]])
y, cache = relu.forward(x)
dx = {rule: relu.backward(dy, cache, rule) for rule in relu.RULES}

def row(name, numbers):
    print(f"{name:<15}", *(f"{number:4.0f}" for number in numbers))

for name, numbers in {"x": x, "y = max(x, 0)": y, "dy": dy}.items():
    row(name, numbers)
# %% [markdown]
# Begin with calculus. Where x is above zero, y is x: its slope is 1. Where x is below zero, y is
# constant: its slope is 0; at zero the page takes 0. The chain rule: slope times what arrives.
# %%
ask("By the chain rule, what is dx[2], where x = 3 and dy = -6?", dx["gradient"][2],
    wrong={0.0: "You rectified dy. The slope depends on x, not on the sign of what arrives.",
           6.0: "The slope is 1: dy passes as it is, with its sign.",
           -18.0: "You multiplied by x. The factor is the slope of max(x, 0) at 3, which is 1."},
    hints=("Is x[2] above zero? Then the ReLU did nothing on the way up.",
           "dx = slope * dy", "slope = _, so dx[2] = _ * (-6)"))
# %%
row("dx, gradient", dx["gradient"])
source(*relu.RULES.values(), relu.backward)
# %% [markdown]
# The page has three rules in three lines. Each says where dy passes; `positive` is the memory of
# the way up: where x was above zero. Zeiler and Fergus apply max(., 0) to dy itself, on the way
# down, instead of asking where x was above zero: feature maps are never negative, and the
# reconstruction of one should not be either.
# %%
ask("What is dx by the deconvnet's rule, all six numbers?", tuple(dx["deconvnet"]),
    wrong={tuple(map(int, dx["gradient"])): "That is the gradient, which asks where x was above "
           "zero. The deconvnet's rule does not look at x at all.",
           tuple(map(int, dx["guided"])): "You asked x and dy. That is guided backpropagation.",
           tuple(map(int, y)): "You rectified x. On the way down it is dy that is rectified."},
    hints=("Find the line that begins with deconvnet: what stands after its last colon?",
           "dx = dy where dy > 0, else 0", "(4, _, 0, _, 8, _)"))
# %%
for name, numbers in {"x": x, "dy": dy, **dx}.items():
    row(name, numbers)
for rule in relu.RULES:  # without x = 0, where max(x, 0) has no slope
    finding = gradcheck.check(relu.forward, lambda d, kept, rule=rule: relu.backward(
        d, kept, rule), {"x": np.delete(x, 4)})["central differences"]
    print(f"Is {rule} a gradient? The check by central differences {finding.status}.")
# %% [markdown]
# Where x < 0 and dy > 0, the deconvnet sends something back through a unit that was silent. Where
# x > 0 and dy < 0, it drops what speaks against. Guided backpropagation drops both.
# %%
print(f"The network reads an image of shape {run['image'].shape}.")
ask(f"{LAYER} has shape {run[LAYER].shape}. What shape has the projection of one of its units?",
    shown["deconvnet"].x.shape,
    wrong={run[LAYER].shape: "There we start, with one number that is not zero. Each step down "
           "has the shape of what the layer read.", (1, 1, 1, 1): "One number goes in, but each "
           "filter on the way down spreads it over the pixels that the unit sees."},
    hints=("The last step down ends at what the first layer reads.", "(N, H, W, C) of the input",
           f"(1, {run['image'].shape[1]}, _, _)"))
# %%
stages = {rule: vis.deconvnet.each_stage(net, run, LAYER, relu=rule)[1] for rule in relu.RULES}
print("share of the numbers that are not zero after each rectifier on the way down:")
for k, stage in enumerate(stages["gradient"]):
    if "rectify" in stage.operation and k > len(stages["gradient"]) - 20:
        print(f"{stage.layer:<20}", *(f"{rule} {np.mean(stages[rule][k].array != 0):7.2%}  "
                                      for rule in relu.RULES))
print("and the projections:", *(record.x.shape for record in shown.values()))
# %% [markdown]
# Read a row so: of what arrives, the gradient drops what meets a silent unit, the deconvnet what is
# negative, guided both. A gradient is linear in dy: send minus the unit down, and minus the picture
# arrives. Now by the deconvnet's rule: start with -a, not +a, at the unit whose activation is a.
# %%
seed = stages["gradient"][0].array
minus = {rule: run.backward({LAYER: -seed}, relu=rule) for rule in relu.RULES}
CHOICES = ("the same picture with all signs turned", "only zeros", "the same picture")
ask("By the deconvnet's rule, what arrives at the pixels when minus the unit goes down?",
    CHOICES[0 if minus["deconvnet"].any() else 1], choices=CHOICES, wrong={
        CHOICES[0]: "That is the gradient, which is linear in dy. max(dy, 0) is not.",
        CHOICES[2]: "A rectifier is no absolute value: it removes what is negative."},
    hints=("Follow the one number that is not zero through the first step down.",
           "dx = dy where dy > 0, else 0", "dy = -activation, so dy > 0 is _, so dx = _"))
# %% [markdown]
# What does a rule know of the photo? The same seed goes down through the photo and through its
# mirror image. Where a layer asks what it read on the way up, the two ways part.
# %%
print("numbers that are not zero:", {rule: int((dx != 0).sum()) for rule, dx in minus.items()})
mirrored, parts = net.forward(net.prepare(photo()[:, ::-1]), to=LAYER), {}  # where two ways part
for rule in ("gradient", "deconvnet"):
    both = zip(stages[rule], vis.deconvnet.descend(mirrored, LAYER, seed, rule), strict=True)
    parts[rule] = next(one.layer for one, two in both if (one.array != two.array).any())
    print(f"{rule}: the same numbers for both photos until {parts[rule]} (",
          type(net[parts[rule]]).__name__, ")", sep="")
# %% [markdown]
# The deconvnet's rectifiers do not ask what was active; of the photo it knows only a pooling's
# switches (it skips an LRN, lesson 06). Nor is it a deconvolution: at a convolution all three
# rules use conv.backward. Now the test of trust. Go a small step h along a gradient g and the unit
# should rise by h times |g|, g's length. Each picture promises this slope; we measure what it has.
# %%
exact = net.until(LAYER).astype("float64")
point, where = net.prepare(photo()).astype("float64"), np.unravel_index(seed.argmax(), seed.shape)
up, slopes = exact.forward(point), {}
figure, axes = plt.subplots(1, 3, figsize=(11, 5.2), layout="constrained")
for place, (rule, record) in zip(axes, shown.items(), strict=True):
    dx = up.backward({LAYER: (seed > 0).astype("float64")}, relu=rule)
    values = [exact.forward(point + h * dx / np.linalg.norm(dx), caches=False).output[where]
              for h in (1e-6, -1e-6)]
    slopes[rule] = np.linalg.norm(dx), (values[0] - values[1]) / 2e-6
    place.imshow(record.image)
    place.set(title="{}\nslope promised {:.3g}\nslope measured {:.3g}".format(rule, *slopes[rule]),
              xticks=(), yticks=())
figure.suptitle("A, B, C by name: which one keeps its promise? Which measured slope is largest?")
# %% checks of what this lesson claims
assert np.isclose(*slopes["gradient"], rtol=1e-3), "the gradient is the slope"
assert max(slope for _, slope in slopes.values()) <= 1.001 * slopes["gradient"][1], "the steepest"
assert not minus["deconvnet"].any(), "the deconvnet drops what speaks against"
assert np.array_equal(minus["gradient"], -shown["gradient"].x), "the gradient is linear in dy"
assert not isinstance(net[parts["deconvnet"]], (ReLU, Conv)), "its rectifiers do not ask the photo"
# %% [markdown]
# Say in one sentence what the deconvnet does otherwise than the gradient. Then try: does the rule
# whose picture looks most like the photo know the unit best? Ask a network that has learnt nothing:
# `vis.deconvnet.each_rule(minicnn.models.minivgg().initialize(1), photo(), "relu4_2")`.
