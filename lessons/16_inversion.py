# %% [markdown]
# # 16 · Inversion
# What does a layer still know of a photo? Two of the pictures below were made from noise, so that
# one layer takes them for the photo. They are not the photo, and not each other: what the layer
# does not know is where they differ. We invert a pooling by hand, then every layer of the network
# (Mahendran & Vedaldi 2015).
#
# Minutes: 20
# %%
import matplotlib.pyplot as plt
import numpy as np

from minicnn import show, vis
from minicnn.ascent import loop, objectives
from minicnn.ascent.lbfgs import LBFGS
from minicnn.course import ask, network, photo, source
from minicnn.network import Network
from minicnn.network.layers import MaxPool

net = network()
layers = vis.invert.default_layers(net)
deep = [name for name in layers if len(net.shapes[name]) == 3][-1]
one, other = vis.invert(net, photo(), deep, starts=2, steps=40)
show(one.photo, one.image, other.image, titles=["photo", f"{deep}: start 0", "start 1"])
# %% [markdown]
# ## A pooling
# The smallest layer that forgets: a 2x2 maximum. Sixteen numbers go in, four come out: the code.
# An image with the same code is a *pre-image*, and the layer cannot tell it from this one.
# %%
pool = Network("pool", [("pool", MaxPool(2))], (4, 4, 1))
x = np.array([[1, 0, 2, 1], [5, 1, 0, 1], [0, 3, 1, 0], [2, 0, 0, 4.0]]).reshape(1, 4, 4, 1)
run = pool.forward(x)
code = run["pool"]
print(x[0, :, :, 0], "\n\ncode:\n", code[0, :, :, 0])
blocks = x.reshape(2, 2, 2, 2)  # 1,H,W,1 -> rows of blocks, row in it, columns of blocks, column
whole = np.ones((1, 2, 1, 2))
made = {"the photo turned by half a turn": x[:, ::-1, ::-1],
        "every block filled with its mean": blocks.mean((1, 3), keepdims=True) * whole,
        "every block filled with its maximum": blocks.max((1, 3), keepdims=True) * whole}
made = {words: image.reshape(x.shape) for words, image in made.items()}
same = [words for words, image in made.items() if (pool.forward(image)["pool"] == code).all()]
ask("Which of these has the same code?", same[0], choices=tuple(made), wrong={
    "the photo turned by half a turn": "A maximum forgets where in its window it was, but not in "
    "which window: the turn exchanges the windows.",
    "every block filled with its mean": "The maximum of a block of means is the mean."},
    hints=("The code is the largest number of each block.", "max of a filled block = what fills it",
           "which filling keeps 5, 2, 3 and 4?"))
# %% [markdown]
# The code's gradient says which numbers it depends on. A pooling sends it to the maxima alone.
# %%
touched = run.backward({"pool": np.ones_like(code)}) != 0
ask("How many of the 16 numbers can you change a little, each alone, and the code stays?",
    int((~touched).sum()), wrong={
        16: "Raise a maximum a little and the code rises with it.",
        4: "Those are the ones that the code does depend on."},
    hints=("Which numbers does the gradient reach?", "one of each window", "16 - _"))
# %% [markdown]
# ## Which pre-image?
# There are endlessly many. So we ask for a natural one. In a photo neighbours are alike; V, the
# variation, adds up the squared differences of neighbours, to the right and below. Inversion makes
# small, together, how far the code is off and how rough the image is.
# %%
source(objectives.distance)
filled = made["every block filled with its maximum"]


def variation(image):
    """The sum of squared differences of neighbours; the term is a mean over the numbers."""
    return float(objectives.total_variation().evaluate({"image": image}).total[0]) * image.size


print(filled[0, :, :, 0], "\n\nV of the photo:", variation(x))
ask("What is V of this image?", variation(filled), wrong={
    variation(filled) / 2: "Each difference between two blocks stands twice: blocks are 2 wide.",
    16.0: "Squares: a difference of 3 counts 9."},
    hints=("Only where two blocks meet do neighbours differ.", "2 * (sum of four squares)",
           "2 * (3^2 + 1^2 + _^2 + _^2)"))
# %%
loss = objectives.distance("pool", code) + 1e-4 * objectives.total_variation()
start = np.random.default_rng(0).normal(2, 1, x.shape)
*_, end = loop.steps(pool, -loss, start, LBFGS(), 100)
smooth = pool.forward(end.image)["pool"]
print(end.image[0, :, :, 0].round(1), "\n\ncode:\n", smooth[0, :, :, 0].round(2), "\n\nV:",
      round(variation(end.image), 1))
# %% [markdown]
# Found from noise: the code is right, and no other pre-image nearby is smoother. Where the maxima
# stand in their blocks was chosen by V and by the start, not by the code.
#
# ## The network, layer by layer
# Now the code that we are given, phi0, is a real layer's activation of a photo. In the sheet each
# picture comes from that one layer. PSNR says how near it is to the photo: 10 log10(255^2 / mean
# square error), in dB. At 30 dB one hardly sees a difference; at 12 dB colours and places are off.
# %%
x0 = net.prepare(photo())
run = net.forward(x0, to=deep)
ask(f"The network gets {x0.shape}. What is the shape of phi0 at {deep}?", run[deep].shape,
    wrong={x0.shape: "That is the image that we look for."},
    hints=("How often was the size halved?", "height and width over the stride, and the channels",
           f"print(net.shapes[{deep!r}])"))
found = vis.invert(net, photo(), layers, steps=60)
show(one.photo, *(record.image for record in found),
     titles=["photo", *(f"{record.settings['layers']}\n{record.psnr:.1f} dB" for record in found)])
# %%
again = vis.invert(net, photo(), [layers[0], deep], steps=60, seed=1)
apart = [vis.invert.psnr(a.image, b.image) for a, b in zip(
    [found[0], found[layers.index(deep)]], again, strict=True)]
print(f"{net.name}: the photo is {x0.size} numbers\n{'':10}numbers   PSNR   activation off by")
for record in found:
    name = record.settings["layers"]
    count = int(np.prod(net.forward(x0, to=name).output.shape))
    print(f"{name:10}{count:7}{record.psnr:7.1f}{record.error:12.1%}")
print(f"two starts, from each other: {layers[0]} {apart[0]:.1f} dB, {deep} {apart[1]:.1f} dB")
fig, axis = plt.subplots(figsize=(6, 3))
axis.plot([record.psnr for record in found], marker="o")
axis.set_xticks(range(len(layers)), layers)
axis.set(ylabel="PSNR in dB", title="How near each layer's image is to the photo")
# %% [markdown]
# The first layers know the photo, and two starts agree on it. Deep down the pictures differ from
# the photo and from each other, though the layer's activation is nearly the same: colours and exact
# places have been let go. A small error of the activation does not mean that the image is near.
#
# The count of numbers does not decide. The first layer has many more than the photo; a deeper one
# may have as many as the photo and be far from it all the same. What counts is what they say: a
# silent unit tells only a sign, and a deep unit answers alike to all patches that are the same
# thing to it.
# %%
assert np.allclose(smooth, code, atol=0.05), "the pooling is inverted"
assert variation(end.image) < min(variation(filled), variation(x)), "V prefers the smooth one"
assert found[0].psnr > found[-1].psnr + 3, "deep layers know less of the pixels"
assert apart[0] > apart[1], "and their starts agree less"
assert found[0].error < 0.2, "the first layer is matched"
# %% [markdown]
# Give up smoothness: `vis.invert(net, photo(), deep, variation=0)`. Is the layer better pleased?
# Are you? (The layer is: nothing holds its activation back any more. You are not: harsh colours
# and specks come up that it does not see, and the PSNR falls. V says what the layer cannot: photos
# are smooth.)
