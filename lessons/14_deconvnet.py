# %% [markdown]
# # 14 · The deconvnet, and the strongest patches
# A unit deep in the network fires. Which pixels made it fire? Zeiler and Fergus walk back from the
# unit to the photo with the network's own kernels. We do it by hand for 6x6 pixels, then for the
# real network, and make again what a well-known lecture shows: the structure of a deconvnet, and
# the nine strongest patches of filters with their projections.
#
# Minutes: 25. A page to step through, stage by stage: `minicnn lesson 14 --figure`.
# %%
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np

from minicnn import show, vis
from minicnn.course import ask, network, photo, source
from minicnn.network import Network, receptive
from minicnn.network.layers import Conv, MaxPool, ReLU
from minicnn.ops import conv, pool
from minicnn.report.strongest import figure

# %% [markdown]
# ## The way up
# Two kernels of 3x3: channel 0 fires where it gets brighter to the right, channel 1 where it gets
# darker. One unit of conv2 looks for a bright stripe: brighter at its left, darker at its right.
# %%
tiny = Network("tiny", [("conv1", Conv(2, 3)), ("relu1", ReLU()), ("pool1", MaxPool(2)),
                        ("conv2", Conv(1, 2))], (6, 6, 1))
brighter = np.array([[-1, 0, 1]] * 3)
stripe = np.array([[[1, -1], [-1, 1]], [[1, -1], [-1, 1]]])  # KH,KW,C: +1 left, -1 right; opposite
tiny.params["conv1"] = {"w": np.stack([brighter, -brighter], -1)[:, :, None] * 1.0,
                        "b": np.array([-6.0, -6.0])}
tiny.params["conv2"] = {"w": stripe[..., None] * 1.0, "b": np.array([-5.0])}
x = np.array([[0, 1, 9, 5, 0, 9], [0, 0, 9, 5, 0, 9], [8, 9, 9, 7, 1, 9],
              [9, 9, 8, 9, 1, 0], [9, 8, 9, 9, 0, 0], [8, 9, 9, 8, 0, 1]])[None, :, :, None] * 1.0
run = tiny.forward(x)
seed, activation = vis.deconvnet.isolate(run["conv2"], "conv2", 0, (0, 0))


def draw(axis, array, title):
    """The channels of one array, one below the other: red above zero, blue below."""
    gap = np.full((1, array.shape[2]), np.nan)
    a = np.concatenate([part for c in range(array.shape[3]) for part in (array[0, :, :, c], gap)])
    most = 2 * np.abs(array).max()  # pale, so that the numbers can be read
    axis.imshow(a[:-1], cmap="RdBu_r", vmin=-most, vmax=most)
    [axis.text(j, i, f"{v + 0:.0f}", ha="center", va="center", fontsize=8)
     for (i, j), v in np.ndenumerate(a[:-1]) if np.isfinite(v)]
    axis.set_title(title, fontsize=9)
    axis.axis("off")


fig, axes = plt.subplots(1, 5, figsize=(13, 4))
[draw(axis, run[name], name) for axis, name in zip(axes, run, strict=True)]
print("switches i*KW + j, per channel:", run.switches("pool1")[0].transpose(2, 0, 1).tolist())
# %% [markdown]
# ## The way down
# All other activations are set to zero (here there are none), and the unit's own one goes down:
# filter with the flipped kernels, unpool by the switches, rectify, filter. Unpooling is what a
# pooling's gradient does anyway; only the ReLU has a rule for the deconvnet alone: max(dy, 0).
# %%
source(pool.backward)
stages = list(vis.deconvnet.descend(run, "conv2", seed))
names = [stage.operation for stage in stages]
unpooled, rectified = (stages[names.index(what)].array for what in ("unpool", "rectify: deconvnet"))
ask("pool1 is (1, 2, 2, 2). What shape has it after unpooling?", unpooled.shape,
    wrong={(1, 2, 2, 2): "Each value goes to its switch in the larger map, zeros around it.",
           x.shape: "That is the photo; a filter with the kernels of conv1 still comes."},
    hints=("Which layer did pool1 read?", "the shape of relu1", "(1, 6 - _ + 1, 6 - _ + 1, _)"))
ask("conv2 sends +a or -a to pool1's 8 places. How many of them does max(dy, 0) let pass?",
    np.sum(rectified != 0),
    wrong={np.count_nonzero(unpooled): "Half of conv2's weights are below zero.",
           int(((unpooled > 0) & (run["conv1"] > 0)).sum()): "You also asked who was active on the "
           "way up. That is guided backpropagation; the deconvnet looks only at dy."},
    hints=("Look at the signs in `stripe`.", "places where the weight is above 0",
           "_ per channel x _ channels"))
# %%
fig, axes = plt.subplots(1, 6, figsize=(15, 4))
draw(axes[0], x, "the photo")
[draw(axis, stage.array, f"{stage.layer}: {stage.operation}")
 for axis, stage in zip(axes[1:], stages, strict=True)]
same = "It is the gradient times the activation."
everywhere = "They differ: each lets pass what the other one stops."
subset = "The deconvnet passes a part of what the gradient passes."
by_gradient = run.backward({"conv2": seed})
up, down = run["conv1"] > 0, unpooled > 0
ask("From the same seed, the gradient differs in the ReLU alone. How do the two compare here?",
    same if np.allclose(by_gradient, stages[-1].array) else
    everywhere if (down & ~up).any() and (up & (unpooled < 0)).any() else subset,
    choices=(same, subset, everywhere),
    wrong={same: "At convolutions and poolings, yes. At a ReLU the gradient asks who was active on "
           "the way up, the deconvnet who is above zero on the way down.",
           subset: "Look for a place where conv1 is below zero and the unpooled map above."},
    hints=("Compare conv1 with the unpooled map.", "gradient: x > 0; deconvnet: dy > 0",
           "print(np.sign(run['conv1']), np.sign(unpooled))"))
# %% [markdown]
# The photo appears in the result only through the switches and the seed. And it is no
# deconvolution: nothing is undone, the kernels are only turned.
#
# Biases are not added on the way down. In y = w x + b the bias is there whatever the pixels are, so
# no pixel can have caused it. On the way up it decided who fires; its work is done.
# %%
print("passed by the deconvnet alone:", (down & ~up).sum(),
      "  by the gradient alone:", (up & (unpooled < 0)).sum())
again = conv.forward(stages[-1].array, tiny.params["conv1"]["w"])[0]  # the same maps? no
for arrays in tiny.params.values():
    arrays["b"] = arrays["b"] + 1000  # after the way up
without = [*vis.deconvnet.descend(run, "conv2", seed)][-1].array
print("biases of 1000 more, the same bytes?", without.tobytes() == stages[-1].array.tobytes())
# %% [markdown]
# ## The real network
# One photo, one unit: the strongest of a middle layer. Read the table from the top down.
# %%
net = network()
maps = vis.strongest.rectified(net)
layer, deep = maps[len(maps) // 2], maps[-1]
record, way = vis.deconvnet.each_stage(net, photo(), layer)
print(*way, sep="\n")
top, bottom, left, right = vis.deconvnet.region(record.x, 1e-5)  # more than rounding
show(record.photo, record.image, record.image[top:bottom, left:right], titles=[
    "the photo", record.caption, "the projection, closer"])
# %% [markdown]
# ## The strongest patches
# One photo says what made a unit fire once. What a channel is for shows in what its strongest
# patches share: the projection tells where, the patches tell what. We cut many photos out of one.
# %%
whole, rng, photos = photo(), np.random.default_rng(0), []
for n in (1, 2, 3, 5, 7):  # n x n pieces
    h, w = whole.shape[0] // n, whole.shape[1] // n
    photos += [whole[i * h:(i + 1) * h, j * w:(j + 1) * w] for i in range(n) for j in range(n)]
rows, columns = np.mgrid[-1:1:64j, -1:1:64j]
for k in range(60):  # stripes, edges, rings and discs in two colours
    turn, fine, one, other = *rng.uniform(0, 10, 2), *rng.uniform(0, 255, (2, 3))
    across = np.hypot(rows, columns - .3) if k % 2 else np.cos(turn) * rows + np.sin(turn) * columns
    photos.append(np.where(np.sin(fine * across)[..., None] > 0, one, other).astype(np.uint8))
with TemporaryDirectory() as folder:
    seen = net.forward(net.prepare(whole), to=(layer, deep))
    channels = {name: seen[name][0].max((0, 1)).argsort()[-3:] for name in (layer, deep)}
    found = vis.strongest(net, photos, folder, channels).patches
    sheets = [figure(found, name) for name in (layer, deep)]
    best = list(found.channels(layer))
[show(sheet, side=4.5) for sheet in sheets]
# %%
assert (rectified >= 0).all() and not np.allclose(by_gradient, stages[-1].array), "the ReLU's rule"
assert stages[-1].array.tobytes() == without.tobytes(), "biases play no part on the way down"
assert not np.allclose(again, run["conv1"]), "a deconvnet does not undo the convolution"
assert all(np.less_equal((bottom - top, right - left), receptive.field(net, layer).size)), "sees"
assert all(np.all(np.diff(c.values) <= 0) for c in best), "the strongest come first"
# %% [markdown]
# Choose a channel, say in three words what it looks for, and draw a photo for it. Did you beat its
# strongest patch?
