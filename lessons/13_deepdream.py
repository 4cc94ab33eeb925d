# %% [markdown]
# # 13 · DeepDream
# What if nobody said what to look for? In lesson 12 we chose a filter or a class, and a picture
# grew for it. Here the network gets a photo, and does more of whatever it sees there. We make
# again what a well-known lecture shows: strokes from a low layer, forms from a high one, and the
# zoom that begins from noise.
#
# Minutes: 20
# %%
import matplotlib.pyplot as plt
import numpy as np

from minicnn import vis
from minicnn.ascent import loop, objectives
from minicnn.ascent.optimizers import SGD
from minicnn.course import ask, network, photo, source
from minicnn.network import Network, receptive
from minicnn.network.layers import Add, Concat, Conv, ReLU
from minicnn.ops import resize

# %% [markdown]
# ## Two channels
# The smallest network that can choose: one pixel x of two numbers, two kernels of length 1, a
# ReLU. The kernels' dot product is negative: what one likes, the other dislikes. The objective is
# the layer's energy, E = 1/2 sum a^2. Its gradient at the layer is the activation a itself: the
# network's own answer is the direction. At the image this is g = a0 w0 + a1 w1.
# %%
two = Network("two", [("conv", Conv(2, 1)), ("relu", ReLU())], (1, 1, 2))
w0, w1 = np.array([1, 0.0]), np.array([-0.6, 0.8])
two.params["conv"] = {"w": np.stack([w0, w1], axis=1)[None, None], "b": np.zeros(2)}  # 1,1,C,O
x = np.array([2, 2.75]).reshape(1, 1, 1, 2)
source(objectives.energy)
goals = {"the energy: the network chooses": objectives.energy("relu"),
         "a0 + a1: we want both": objectives.channel("relu", 0) + objectives.channel("relu", 1)}
ways = [np.array([two.forward(step.image).output[0, 0, 0] for step in
                  loop.steps(two, goal, x, SGD(0.2), 8)]) for goal in goals.values()]  # x + 0.2 g
(a, after, *_), of_sum = ways
print("w0 . w1 =", w0 @ w1, "  a =", a)
moves = ("Both grow, the larger by more.", "The larger grows, the smaller falls.",
         "The smaller catches up.")
ask("The image takes a step, x + 0.2 g. What do the two activations do?",
    moves[0] if after[1] > a[1] else moves[1], choices=moves,
    wrong={moves[0]: "They would, if the kernels did not overlap. The larger channel's part of the "
           "step, a0 w0, is also a push against channel 1, and stronger than its own.",
           moves[2]: "The energy's gradient is a: the larger channel pushes harder."},
    hints=("g has two parts, and each kernel sees both.", "a1' = a1 + 0.2 (a0 w0 . w1 + a1)",
           "a1' = 1 + 0.2 (2 * _ + 1)"))
# %%
fig, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
for axis, goal, way in zip(axes, goals, ways, strict=True):
    axis.plot(way, marker="o", label=["channel 0", "channel 1"])
    axis.set(title=goal, xlabel="step", ylabel="activation")
axes[0].legend()
# %% [markdown]
# Left the larger grows faster and faster, and the smaller dies in its ReLU; right, where we asked
# for the sum, both grow alike. Left is the lecture's feedback loop: a cloud that looks a little
# like a bird becomes one.
#
# ## Jitter
# Now the network, at the layer that `vis.dream` takes by default. Shift the photo, take the
# gradient, shift it back. Is it the same? Units stand only every so many pixels.
# %%
net = network()
layer, side = vis.dream.default_layer(net), max(192, *net.input_shape[:2])
x, stride = net.prepare(photo(), side), receptive.field(net, layer).stride[0]


def look(image, shift):
    """(The layer's energy for an image shifted both ways; the gradient, shifted back.)"""
    value, g = loop.look(net, objectives.energy(layer), np.roll(image, (shift, shift), (1, 2)))
    return float(value.total[0]), np.roll(g, (-shift, -shift), (1, 2))


middle, shifts = np.s_[:, side // 4 : -side // 4, side // 4 : -side // 4], range(2 * stride + 1)
gradients = [look(x, s)[1][middle].ravel() for s in shifts]
alike = np.array([np.corrcoef(gradients[0], g)[0, 1] for g in gradients])
ask(f"After how many pixels of shift is the gradient of {layer} (nearly) the same again?",
    1 + int(alike[1 : stride + 1].argmax()),
    wrong={1: "A unit one pixel further on would have to be there; strides left it out."},
    hints=("When does a unit stand where another one stood?",
           "the product of all strides below the layer", f"print(receptive.field(net, {layer!r}))"))
# %%
still, rolled = (vis.dream(net, photo(), layer, size=side, octaves=1, steps=20, jitter=j)
                 for j in (0, stride))
fig, axes = plt.subplots(1, 2, figsize=(10, 3.2))
axes[0].plot(alike, marker="o")
axes[0].set(title="the gradient at a shifted photo", ylabel="correlation with no shift")
kept = np.array([[look(dream.x, s)[0] for s in shifts] for dream in (still, rolled)])
kept /= kept[:, :1]
axes[1].plot(kept.T, marker="o", label=["without jitter", "with jitter"])
axes[1].set(title="does the layer still see a shifted dream?", ylabel="share of energy", ylim=0)
axes[1].legend()
[axis.set_xlabel(f"shift in pixels (stride: {stride})") for axis in axes]
# %% [markdown]
# Without jitter a dream is written for one grid of units: move it a pixel and the layer loses much
# of it. Jitter rolls the photo before each look, so only what all grids agree on grows.
#
# ## Octaves
# One step changes mostly fine detail. So the dream begins with a small photo, and carries its
# detail over to the next larger one: large things first.
# %%
source(vis.dream.carried)
octaves = vis.dream.shrunk(x, 4, 1.4)
sides = [octave.shape[1] for octave in octaves]
ask(f"The photo is {x.shape}. What shape has the smallest of 4 octaves, of scale 1.4?",
    octaves[0].shape, wrong={(1, round(side / 1.4**4), round(side / 1.4**4), 3):
                             "The first of the four is the photo itself."},
    hints=("The largest octave is the photo.", "side / 1.4^(octaves - 1)", f"{side} / 1.4^_"))
ask("All four get as many steps. How much work is that, if the last octave alone is 1?",
    sum(s**2 for s in sides) / side**2,
    wrong={4.0: "A small octave is cheap: time goes with its pixels.",
           sum(sides) / side: "You added sides; a photo has side times side pixels."},
    hints=("Time goes with the number of pixels.", "the sum of 1 / 1.4^(2k) for k = 0 ... 3",
           "1 + 1 / _ + 1 / _^2 + 1 / _^3"))
# %%
print("sides:", sides, "  work:", round(sum(s**2 for s in sides) / side**2, 2), "of the last alone")
one, four = (vis.dream(net, photo(), layer, size=side, octaves=n, steps=40 // n) for n in (1, 4))
changes = [dream.x - x for dream in (one, four)]  # how much of them survives at a quarter size?
small = [resize.forward(change, (side // 4, side // 4))[0] for change in changes]
coarse = [16 * (s**2).sum() / (d**2).sum() for s, d in zip(small, changes, strict=True)]
fig, axes = plt.subplots(1, 2, figsize=(10, 5.2))
for axis, dream, share, n in zip(axes, (one, four), coarse, (1, 4), strict=True):
    axis.imshow(dream.image)
    axis.set_title(f"40 steps, octaves: {n}; {share:.0%} of the change is coarse")
    axis.axis("off")
# %% [markdown]
# ## Which layer, and how far?
# Low layers give strokes, high ones whole forms: of what the network was trained to tell apart.
# %%
maps = [name for name in net.trunk if isinstance(net[name], ReLU | Concat | Add)]
maps = maps[: maps.index(layer) + 1]
places = maps[len(maps) // 4], maps[len(maps) // 2], layer
dreams = [vis.dream(net, photo(), name, size=side, steps=15) for name in places]
zoom = vis.zoom(net, layers=layer, size=side * 2 // 3, frames=10, steps=5, octaves=3, scale=0.08)
fig, axes = plt.subplots(2, 3, figsize=(12, 8.4))
for axis, image, title in zip(axes.flat, [d.image for d in dreams] + [*zoom.frames[[0, 3, 9]]],
                              [*places, "zoom from noise: 1", "4", "10 dreams"], strict=True):
    axis.imshow(image)
    axis.set_title(title)
    axis.axis("off")
# %%
assert after[0] > a[0] and after[1] < a[1] and np.isclose(*of_sum[-1] - of_sum[0]), "who grows"
assert alike[stride] > alike[1:stride].max(), "the gradient comes back after the stride"
assert kept[1, 1:].mean() > kept[0, 1:].mean(), "a dream with jitter bears shifts better"
assert coarse[1] > coarse[0], "octaves change larger things"
assert all(d.trace[-1, 0] > d.trace[0, 0] for d in (*dreams, one, still)), "each energy rose"
assert np.abs(zoom.frames[9].astype(int) - zoom.frames[0]).mean() > 10, "the zoom went somewhere"
# %% [markdown]
# Lower row: the zoom began from noise, so everything in it came from the network. Try a `guide`:
# `vis.dream(net, photo(), layer, guide=...)` with a photo of your own. What does it borrow?
