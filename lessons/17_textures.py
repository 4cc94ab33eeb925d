# %% [markdown]
# # 17 · Gram matrices and textures
# A wall of stones is the same texture wherever its stones lie. What do two pictures of it have in
# common? Gatys, Ecker and Bethge answer: which channels of a network are active together, and
# nothing else. We work a Gram matrix and its gradient by hand, then turn noise into stones.
#
# Minutes: 20. A page to step through, every number by hand: `minicnn lesson 17 --figure`.
# %%
import matplotlib.pyplot as plt
import numpy as np

from minicnn import show, vis
from minicnn.ascent import objectives
from minicnn.ascent.objectives.gram_matrices import gram_loss, gram_matrix
from minicnn.course import ask, network, source

# %% [markdown]
# ## Two channels, four places
# One channel fires at an edge, the other at red. G[i, j] is the mean over all places of the product
# of channels i and j: how strongly the two fire together.
# %%
edge, red = np.array([[1, 0], [0, 2.0]]), np.array([[1, 1], [0, 0.0]])
a = np.stack([edge, red], axis=-1)[None]  # N,H,W,C
source(gram_matrix)
g = gram_matrix(a)[0]
print("edge:", edge.tolist(), "  red:", red.tolist())
ask("What is G[0, 0], of edge with itself?", g[0, 0],
    wrong={5.0: "That is the sum over the places; divide by their number, so that pictures of "
           "different sizes can be compared.", 0.75: "Multiply each value by itself first."},
    hints=("Square edge, place by place.", "(1 + 0 + 0 + 4) / M", "5 / _"))
# %%
print(g)
order = np.random.default_rng(0).permutation(4)
together = a.reshape(1, 4, 2)[:, order].reshape(a.shape)
alone = np.stack([edge, red.ravel()[order].reshape(2, 2)], axis=-1)[None]
told = ("It stays, too: a mean has no order.", "Its diagonal stays; the pair may change.",
        "All of it may change.")
ask("Both channels are shuffled alike: the matrix stays. What if only red is shuffled?", told[1],
    choices=told, wrong={told[0]: "The products are of channels at one place, and those partners "
                         "are parted.", told[2]: "On the diagonal a channel meets itself."},
    hints=("Which products does each entry take a mean of?", "G[0, 1] = mean of edge * red",
           "G[0, 0] = mean of edge * edge"))
# %%
print("both alike:", gram_matrix(together)[0].tolist())
print("red alone: ", gram_matrix(alone)[0].tolist())
# %% [markdown]
# ## The gradient
# The distance from a texture is E = sum of (G - target)^2 / (4 C^2). Take one channel, one place,
# the value F = 3, and the target 0. Then G = 9.
# %%
source(gram_loss)
value, slope = gram_loss(np.full((1, 1, 1, 1), 3.0), np.zeros((1, 1)))
print("E =", value)
ask("What is dE/dF there?", slope.item(),
    wrong={108.0: "E = F^4 / 4: the 4 below cancels the exponent.",
           4.5: "That is dE/dG. F enters G = F * F twice.",
           13.5: "F is a factor of G twice, in row and column: another 2."},
    hints=("Write E with F alone.", "E = F^4 / 4", "_^3"))
# %% [markdown]
# The 4 is there for this: one factor 2 comes from the square, one from the symmetry of G.
#
# ## Stones
# Now the shipped network, and a wall drawn by a few lines: each pixel belongs to the nearest of 60
# points, and gets darker towards the border to the next one.
# %%
rng, side = np.random.default_rng(3), 128
middles, tints = rng.uniform(0, side, (60, 2)), rng.uniform(80, 220, (60, 1)) + rng.normal(
    0, 18, (60, 3))
away = np.abs(np.stack(np.mgrid[:side, :side], -1)[:, :, None] - middles)
away = np.hypot(*np.moveaxis(np.minimum(away, side - away), -1, 0))  # it goes on at the borders
first, second = np.sort(away, axis=2)[..., :2].transpose(2, 0, 1)
inside = np.clip((second - first) / 9, 0, 1)[..., None] ** 0.7
stones = (tints[away.argmin(axis=2)] * inside + 25 * (1 - inside)).clip(0, 255).astype(np.uint8)
show(stones)
net = network()
layers = vis.texture.default_layers(net)
run = net.forward(net.prepare(stones, "keep"), to=layers)
ask(f"{layers[1]} is {run[layers[1]].shape}. What shape has its Gram matrix?",
    gram_matrix(run[layers[1]]).shape,
    wrong={run[layers[1]].shape: "The places are gone, each pair of channels is there."},
    hints=("What is it a matrix of?", "(N, C, C)", "(1, _, _)"))
# %% [markdown]
# We start at noise, and step with L-BFGS until the matrices agree. How much of a stone comes back
# depends on how much of it a unit sees. There are two ways to let it see more: deeper layers, and
# a smaller picture first. The last wall was made at 32 pixels a side, then at 64, then at 128.
# Each takes 90 steps in all: the deeper the layers, the later the stones appear.
# %%
deep = len(layers)
ways = {f"up to {layers[0]}": (1, 1), f"up to {layers[2]}": (3, 1),
        f"up to {layers[-1]}": (deep, 1), "the same at 3 sizes": (deep, 3)}
made = [vis.texture(net, stones, layers[:count], size="keep", steps=90 // sizes, sizes=sizes)
        for count, sizes in ways.values()]
fig, axes = plt.subplots(1, 5, figsize=(15, 3.3))
for axis, image, title in zip(axes, [stones, *(each.image for each in made)],
                              ["the wall", *ways], strict=True):
    axis.imshow(image)
    axis.set_title(title)
    axis.axis("off")
# %% [markdown]
# Look at three things: how large the pieces are, whether dark joints surround them, and how far a
# joint runs on. The first layer sees few pixels at a time, colours and fine edges: crumbs. A
# unit of a deeper layer sees a piece and its joint at once, and what one unit sees stays together:
# pieces get larger, joints longer. Straight sides and sharp corners come back in none: that would
# take units that know whole stones. With `steps=30` at full size the deepest layers show smears:
# their matrices do not agree yet.
#
# ## Without a seam
# With its opposite side around the image its right border fits its left one; with its mirror image
# it need not. Four copies side by side show it.
# %%
tile, plain = (vis.texture(net, stones, size="keep", steps=20, padding=padding)
               for padding in ("circular", "reflect"))


def seam(image):
    """How far columns differ across the border, as a multiple of inside."""
    steps = np.abs(np.diff(image.astype(float), axis=1, append=image[:, :1].astype(float)))
    return steps[:, -1].mean() / steps[:, :-1].mean()


fig, axes = plt.subplots(1, 2, figsize=(9, 4.6))
for axis, record, title in zip(axes, (tile, plain), ("circular", "reflect"), strict=True):
    axis.imshow(np.tile(record.image, (2, 2, 1)))
    axis.set_title(f"{title}: {seam(record.image):.1f} times as rough across the seam")
    axis.axis("off")
# %% [markdown]
# ## Rows
# No unit sees a whole wall, so none knows that its rows are straight. How often a brightness comes
# again, all over the picture, is told by its power spectrum: `spectrum_weight` adds that as a term.
# %%
down, right = np.mgrid[:side, :side]
mortar = (down % 16 < 2) | ((right + 16 * (down // 16 % 2)) % 32 < 2)
bricks = np.where(mortar[..., None], (205, 200, 190), (150, 75, 55)).astype(np.uint8)
loose, straight = (vis.texture(net, bricks, size="keep", steps=30, spectrum_weight=weight).image
                   for weight in (0, 1))
show(bricks, loose, straight, titles=["bricks", "Gram matrices", "and the spectrum"])
# How much the brightness of whole rows goes up and down eight times:
rows = [np.abs(np.fft.rfft(image.mean(axis=(1, 2)))[8]) for image in (loose, straight)]
# %%
assert rows[1] > 1.3 * rows[0], "the spectrum keeps the rows"
assert np.allclose(gram_matrix(together), g) and not np.allclose(gram_matrix(alone), g), "no order"
assert all(each.trace[-1, 0] > each.trace[0, 0] / 5 for each in made), "each loss fell"
home = objectives.gram(layers[0], gram_matrix(run[layers[0]])[0]).evaluate(run)
assert home.total == 0, "the wall itself is at distance 0"
assert seam(tile.image) < seam(plain.image), "a tile fits itself"
# %% [markdown]
# Try `statistic="covariance"`, which keeps contrast and brightness apart, on a photo of your own:
# `minicnn texture grass.jpg --size 256 --statistic covariance`.
