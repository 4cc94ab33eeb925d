# %% [markdown]
# # 15 · Explaining a decision
# The network names a class. Where in the photo is the evidence, and is it evidence? Six methods
# answer with a map each, and the maps do not agree. We work two models by hand, then let the six
# explain one photo, and put them to three tests. A well-known lecture shows dumbbells that never
# come without an arm; we ask its question, the thing or its company, of one decision.
#
# Minutes: 25
# %%
import matplotlib.pyplot as plt
import numpy as np

from minicnn import show, vis
from minicnn.course import ask, network, photo, source
from minicnn.network import Network
from minicnn.network.layers import Dense, ReLU
from minicnn.vis.attribution import seed_score, short_name

# %% [markdown]
# ## A linear model
# Three pixels, one score: S = w . x + b. Its gradient is w, whatever the photo. And x times the
# gradient splits the score into shares: x . w = S - b.
# %%
linear = Network("linear", [("score", Dense(1))], (1, 1, 3))
w, x = np.array([3, -1, 0.5]), np.array([0, 2, 4.0]).reshape(1, 1, 1, 3)
linear.params["score"] = {"w": w[:, None], "b": np.array([2.0])}
score, gradient = vis.saliency.slope(linear, x, 0)
print("x =", x.ravel(), "  w =", w, "  b = 2   S =", score)
ask("The first pixel is 0. What is the gradient of the score there?", float(gradient[0, 0, 0, 0]),
    wrong={0.0: "That is x times the gradient. The gradient says what a change would do, not what "
           "is there: a saliency map does not show what the network sees."},
    hints=("S = 3 x0 - x1 + ...", "dS / dx0 = w0", "dS / dx0 = _"))
# %%
shares = x * gradient
print("gradient:", gradient.ravel(), "  x * gradient:", shares.ravel(), "  sum:", shares.sum())
# %% [markdown]
# ## A saturated one
# One pixel: S = min(x, 1), made of two dense layers and a ReLU. At x = 2 the score owes all to the
# pixel, and a small change of it changes nothing. Integrated gradients walk from a baseline, here
# x = 0, to the photo, and multiply x - baseline by the mean slope along the way.
# %%
flat = Network("flat", [("d1", Dense(1)), ("relu", ReLU()), ("d2", Dense(1))], (1, 1, 1))
for name in flat.params:
    flat.params[name] = {"w": np.array([[-1.0]]), "b": np.array([1.0])}  # 1 - max(1 - x, 0)
here, start = np.full((1, 1, 1, 1), 2.0), np.zeros((1, 1, 1, 1))
source(vis.saliency.between)
points = [*vis.saliency.between(start, here, 100)]
scores, slopes = np.array([(s, g.item()) for s, g in
                           (vis.saliency.slope(flat, point, 0) for point in points)]).T
share = (here - start).item() * slopes.mean()
ask("What share of the score do integrated gradients give the pixel, from x = 0 to x = 2?", share,
    wrong={0.0: "That is the slope at x = 2, where the score is flat. The way there was not.",
           2.0: "You took the slope at the start for the whole way; it ends half-way.",
           0.5: "That is the mean slope; multiply it by x - baseline."},
    hints=("On which part of the way is the slope 1?", "(x - baseline) * mean slope", "2 * _"))
# %%
way, _ = np.ravel(points), plt.figure(figsize=(5, 2.8))
plt.plot(way, scores, label="score along the way")
plt.fill_between(way, slopes, step="mid", alpha=0.4, label=f"its slope: the area is {share:.2f}")
plt.legend()
# %% [markdown]
# The area under the slope is the difference of the scores. This is completeness; with many pixels
# it holds for their sum.
#
# ## One photo, two classes
# Grad-CAM stays at the last feature maps A^k. It weighs each by its mean gradient, adds them up,
# and keeps what is above zero. We take the two classes that the network holds likeliest.
# %%
net = network()
x = net.prepare(photo())
run = net.forward(x)
first, second = (int(c) for c in run.output.ravel().argsort()[:-3:-1])
record = vis.gradcam(net, photo(), first)
layer = record.settings["layer"]
show(record.photo, titles=[f"{short_name(net, first)} or {short_name(net, second)}?"])
ask(f"The layer is {layer}. What shape has the map before it is enlarged?", record.raw.shape,
    wrong={x.shape[1:3]: "That is the enlarged map. Grad-CAM itself is as coarse as its layer.",
           run[layer].shape[1:]: "The channels are summed."},
    hints=("Which array holds the A^k?", "the sum over k of a_k A^k[i, j]", "run[_].shape[_:_]"))
# %%
score, seeds = seed_score(run, first)
a, g = run[layer], run.backward(seeds, to=layer)  # A^k and dS / dA^k
raw = a[0] @ g[0].mean(axis=(0, 1))
print(f"raw {raw.shape} from {raw.min():.3f} to {raw.max():.3f}; {np.mean(raw < 0):.0%} below 0")
# %% [markdown]
# A zero in the map does not say that nothing was found: below zero, features speak against the
# class. Occlusion takes no gradient: it covers a square and asks again. Next come six maps for the
# first class, for the second, and for the first in a network whose last layers were shuffled: it
# has forgotten its classes, so an explanation of its decision should change.
# %%
shuffled, rng = net.astype("float32"), np.random.default_rng(0)
for name in [*net.params][-max(1, len(net.params) // 4):]:
    w = net.params[name]["w"]
    shuffled.params[name]["w"] = rng.permuted(w.ravel()).reshape(w.shape)
covered = vis.occlusion(net, photo(), first)
square = covered.settings["square"]


def maps(net, c):
    """The six maps of a class; above zero is what speaks for it."""
    found = {method: vis.saliency(net, photo(), c, method, samples=20, blur=0, shares="signed").map
             for method in ("gradient", "smooth", "guided", "integrated")}
    moved, found["gradcam"] = vis.occlusion(net, photo(), c), vis.gradcam(net, photo(), c).map
    found["occlusion"] = vis.occlusion.per_pixel(
        moved.whole[0] - moved.probability, moved.tops, moved.lefts, square, x.shape[1:3])
    return {method: np.maximum(heat, 0) for method, heat in found.items()}


def alike(p, q):
    """Rank correlation: 1 where two maps put the pixels into the same order."""
    return float(np.corrcoef(*(m.ravel().argsort().argsort() for m in (p, q)))[0, 1])


rows = {short_name(net, first): maps(net, first), short_name(net, second): maps(net, second),
        "shuffled": maps(shuffled, first)}
one, other, lost = rows.values()
stays = {method: alike(one[method], lost[method]) for method in one}
least = max(stays, key=stays.get)
ask("Whose map changes least when the last layers are shuffled?", least, choices=tuple(stays),
    wrong={method: f"Its two maps agree by {r:.2f}: it depends on what was shuffled, as it should."
           for method, r in stays.items() if r < stays[least]},
    hints=("Which rule shows edges whatever comes from above?", "1 where nothing has changed",
           "alike(one[_], lost[_])"))
# %%
fig, axes = plt.subplots(3, 6, figsize=(13, 6.8))
for row, (words, found) in zip(axes, rows.items(), strict=True):
    for axis, (method, heat) in zip(row, found.items(), strict=True):
        axis.imshow(heat, cmap="magma", vmin=0, vmax=max(np.quantile(heat, 0.99), 1e-12))
        axis.set_title(f"{method}: {words}" if axis is row[0] else method)
        axis.axis("off")
print(f"{'':12}other class  shuffled  p when its square is covered (whole: {covered.whole[0]:.3f}, "
      f"mean square: {covered.probability.mean():.3f})")
for method, heat in one.items():
    sums = [[heat[i:i + square, j:j + square].sum() for j in covered.lefts] for i in covered.tops]
    print(f"{method:12}{alike(heat, other[method]):11.2f}{stays[method]:10.2f}"
          f"{covered.probability.flat[np.argmax(sums)]:10.3f}")
sums, difference = vis.saliency(net, photo(), first, "integrated").completeness
print(f"integrated gradients add up to {sums:.3f}, the scores differ by {difference:.3f}")
# %% [markdown]
# Each column is a question. Does the map know the class? Does it know the weights? Does covering
# what it marks hurt? A handsome map may fail all three: its sharp edges are those of the photo.
# %%
assert gradient.ravel().tolist() == [3, -1, 0.5] and shares[0, 0, 0, 0] == 0, "slope, share"
assert np.isclose(share, min(2, 1) - min(0, 1)), "integrated gradients are complete"
assert abs(sums - difference) < 0.1 * max(1, abs(difference)), "for the network, too, but for steps"
assert np.allclose(raw, record.raw, atol=1e-5 * np.abs(raw).max()), "Grad-CAM's sum by hand"
assert stays["guided"] > stays["gradient"], "guided backpropagation hardly depends on the class"
# %% [markdown]
# Cover with another colour: `vis.occlusion(net, photo(), first, value=0)`. Which of the two maps is
# right, and what does the square itself show the network?
