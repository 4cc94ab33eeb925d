# %% [markdown]
# # 06 · LRN: why do neighbours compete?
# Local response normalisation (LRN) divides every number by what goes on in the channels beside
# it. Why, and what does that mean for the way back? We make again two rows of AlexNet's listing in
# MATLAB's example on its features, norm1 and norm2, and see what they do to a photo.
# Minutes: 15. A page to step through, every number by hand: `minicnn lesson 6 --figure`.
# %%
import matplotlib.pyplot as plt
import numpy as np

from minicnn import gradcheck, models
from minicnn.course import ask, network, photo, source
from minicnn.network.layers import ReLU
from minicnn.ops import lrn

alexnet = models.alexnet_caffe()
print(*(line for line in alexnet.summary("matlab").splitlines() if "Cross" in line), sep="\n")
norm, net = alexnet["norm1"], network()
first = next(name for name, layer, _ in net.rows if isinstance(layer, ReLU))
own = net.forward(net.prepare(photo()), to=first)[first]  # 1,H,W,C
maps = own / np.float32(net.grey_level)  # as if the photo had come in grey levels, as in AlexNet
after, cache = lrn.forward(maps, **norm.settings())
share = cache.scale ** -norm.beta
_, row, column, channel = np.unravel_index(share.argmin(), share.shape)
figure, axes = plt.subplots(1, 4, figsize=(14, 3.7), layout="constrained")
for place, array, colours, title in (
        (axes[0], maps, "gray", f"channel {channel} after {first}"),
        (axes[1], after, "gray", "normalised as by AlexNet's norm1"),
        (axes[2], share, "viridis", "what share is left? Compare with the edges")):
    drawn = place.imshow(array[0, ..., channel], cmap=colours)
    place.set(title=title, xticks=(), yticks=())
figure.colorbar(drawn, ax=axes[2])
near = np.arange(max(channel - 8, 0), min(channel + 9, maps.shape[-1]))
axes[3].bar(near, maps[0, row, column, near], color="lightgrey")
axes[3].bar(near, after[0, row, column, near])
axes[3].set(title=f"at ({row}, {column}): grey before, blue after", xlabel="channel: who loses?")
# %% [markdown]
# In the eye an excited cell quietens its neighbours: what stands out stays. Here the neighbours are
# the channels at the same position. y[c] = x[c] / s[c]^beta, and s[c] is k + a * (the sum of the
# squares of the n channels around c, fewer at the ends). Work out s and y by hand for five channels
# 2 2 4 2 2, with n = 3, a = 1, k = 1 and beta = 1/2.
# %%
x = np.array([2.0, 2, 4, 2, 2]).reshape(1, 1, 1, 5)
tiny = {"size": 3, "alpha": 1.0, "beta": 0.5, "convention": "paper"}
y, kept = lrn.forward(x, **tiny)
ask("What shape has s, the array of these sums?", kept.scale.shape,
    wrong={(1, 1, 1, 1): "Each channel has a window of its own, so each has an s of its own.",
           (1, 1, 1, 3): "3 is the width of a window; there are as many windows as channels."},
    hints=("y = x / s^beta, entry by entry. What shape has x?", "(N, H, W, C)", "(1, 1, 1, _)"))
# %%
for name, array in {"x": x, "s": kept.scale, "y": y}.items():
    print(name, np.round(array.ravel(), 3))
source(lrn.forward, lrn._window_sum)
grown = lrn.forward(x + [0, 0, 2, 0, 0], **tiny)[0]
CHOICES = ("outputs 1 and 3", "outputs 0, 1, 3 and 4", "none of them", "all five")
falls = tuple(np.flatnonzero(grown < y).tolist())
ask("The middle channel grows from 4 to 6. Which outputs fall?",
    CHOICES[((1, 3), (0, 1, 3, 4), (), (0, 1, 2, 3, 4)).index(falls)],
    choices=CHOICES, wrong={
        CHOICES[1]: "Windows of three: channels 0 and 4 do not have channel 2 in theirs.",
        CHOICES[2]: "x[1] stays, but s[1] holds the square of x[2], and y[1] is divided by it.",
        CHOICES[3]: "Its own s grows too, but with beta = 1/2 not fast enough to pull y[2] down."},
    hints=("In whose window lies channel 2?", "s[c] = 1 + x[c-1]^2 + x[c]^2 + x[c+1]^2",
           "s[1] = 1 + 4 + 4 + _, s[0] = 1 + 4 + _"))
# %%
print("before", np.round(y.ravel(), 3), "\nafter ", np.round(grown.ravel(), 3))
caffe = lrn.forward(x, **tiny | {"convention": "caffe"})[1].scale
ask("Caffe divides alpha by n: a = alpha / n. What is s[2] then, for alpha = 1?", caffe[0, 0, 0, 2],
    wrong={25.0: "That is the paper's s: alpha itself times the sum.",
           25 / 3: "k is not divided, only alpha times the sum of squares."},
    hints=("Only the factor of the sum changes.", "k + alpha / n * (x[1]^2 + x[2]^2 + x[3]^2)",
           "1 + 1/3 * (4 + _ + 4)"))
# %%
print("paper s", kept.scale.ravel(), "\ncaffe s", np.round(caffe.ravel(), 3))
other = lrn.forward(maps, **norm.settings() | {"convention": "paper"})[0] / after.clip(1e-9)
print(f"paper's y / Caffe's y, in the photo's maps: as little as {other[after > 0].min():.2f}")
# %% [markdown]
# Weight files do not say which alpha they mean, and the wrong one is no detail. Now the way back.
# x[c] acts on y[c] directly, by the factor s[c]^-beta. It also acts on every y[c'] whose window
# holds c, through s[c']. That is the cross term: -2 a beta x[c] x[c'] s[c']^(-beta-1).
# %%
five = lrn.forward(np.repeat(x, 5, axis=0), **tiny)[1]
jacobian = lrn.backward(np.eye(5).reshape(5, 1, 1, 5), five).reshape(5, 5)  # row c': ∂y[c']/∂x
ask("What is ∂y[1]/∂x[2]?", jacobian[1, 2],
    wrong={-jacobian[1, 2]: "Think of the sign: x[2] grew, and y[1] fell.",
           0.2: "That is s[1]^-beta, the direct way. It leads from x[1] to y[1] only.",
           0.0: "x[2] is not a factor of y[1], but it is in its window, hence in s[1]."},
    hints=("Only the cross term leads from x[2] to y[1].",
           "-2 a beta x[2] x[1] s[1]^(-beta-1)", "-2 * 1 * 0.5 * 4 * _ / 125"))
# %%
_, place = plt.subplots(figsize=(5, 4.4), layout="constrained")
place.imshow(jacobian, cmap="RdBu_r", vmin=-0.25, vmax=0.25)
for (one, two), number in np.ndenumerate(jacobian):
    place.text(two, one, f"{number:.3f}", ha="center", va="center")
place.set(title="slope of y[c'] in x[c]:\nblue, beside the diagonal, is competition",
          xlabel="c, the channel that grows", ylabel="c', the channel that answers")
source(lrn.backward)
# %% [markdown]
# A student forgets the cross term: dx = g, with g = dy s^-beta. (The page keeps that as the rule
# "scale", a choice for deconvnets.) The check: AlexNet's settings, and five channels of x = dy = 1.
# %%
ones = np.ones((1, 1, 1, 5))
g, dx = (lrn.backward(ones, lrn.forward(ones, **norm.settings())[1], rule)[0, 0, 0, 2]
         for rule in ("scale", "gradient"))
ask(f"alpha = {norm.alpha:g}, n = {norm.size}, beta = {norm.beta}, a = alpha / n, s is almost 1. "
    "By what share of g is the student's dx[2] wrong?", (g - dx) / g,
    wrong={2 * norm.alpha * norm.beta / norm.size: "That is one channel's part; five are summed.",
           2 * norm.alpha * norm.beta * norm.size: "Caffe divides alpha by n."},
    hints=("What is left out is the second term of the page's last line.",
           "2 a beta x * (sum over five channels of g x / s), with a = alpha / n",
           "2 * 0.0001 / _ * 0.75 * 5"))
# %%
rng, alphas, errors = np.random.default_rng(0), 10.0 ** np.arange(-6, 2), []
near_one, dy = rng.uniform(0.5, 1.5, (1, 2, 2, 8)), rng.normal(size=(1, 2, 2, 8))
for alpha in alphas:
    up, down = (lrn.forward(near_one + h * np.eye(32).reshape(32, 2, 2, 8), alpha=alpha)[0]
                for h in (1e-5, -1e-5))
    slopes = ((up - down) * dy).sum(axis=(1, 2, 3)) / 2e-5
    off = [lrn.backward(dy, lrn.forward(near_one, alpha=alpha)[1], rule).ravel() - slopes
           for rule in ("scale", "gradient")]
    errors.append(np.abs(off).max(axis=1) / np.abs(slopes).max())
_, place = plt.subplots(figsize=(7, 4), layout="constrained")
place.loglog(alphas, errors, "o-", label=["cross term left out", "the page"])
place.axhline(1e-3, color="grey", linestyle=":")
place.set(title="Where does the wrong gradient rise above a tolerance of 1e-3, PyTorch's?",
          xlabel="alpha of the check", ylabel="error against differences")
place.legend()
for alpha in (norm.alpha, 1.0):
    report = gradcheck.check(lambda x, alpha=alpha: lrn.forward(x, alpha=alpha),
                             lambda dy, saved: lrn.backward(dy, saved, "scale"), {"x": near_one})
    print(f"our check at alpha = {alpha:g}: {report['central differences'].words}")
# %% [markdown]
# With a tolerance like PyTorch's the wrong gradient passes at AlexNet's alpha. Ours is smaller, but
# only at a large alpha does the error look like what it is. And a network's numbers are not near 1.
# %%
small = lrn.forward(own, **norm.settings())[1].scale
print(f"{first}: s is at most {small.max():.4g} in the network's own units, "
      f"{cache.scale.max():.4g} in grey levels, as in AlexNet")
dy = rng.normal(size=maps.shape).astype(np.float32)
right, wrong = (lrn.backward(dy, cache, rule) for rule in ("gradient", "scale"))
real = np.abs(right - wrong).max() / np.abs(right).max()
print(f"the student is wrong by {real:.1%} in grey levels, by {1 - dx / g:.3%} in that check")
# %% checks of what this lesson claims
assert (np.diag(jacobian, 1) < 0).all() and (np.diag(jacobian, 2) == 0).all(), "neighbours compete"
assert errors[2][0] < 1e-3 < errors[-2][0], "the wrong cross term is caught only at large alpha"
assert max(right for _, right in errors) < 1e-6, "the page's gradient is right at every alpha"
assert real > 1 - dx / g, "what passes the careless check is wrong in a network"
# %% [markdown]
# Try: with AlexNet's beta of 0.75 let one channel grow alone, from 0 to 1000. Does its output grow
# all the way? Where does it turn, and what may a network make of that?
