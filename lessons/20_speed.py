# %% [markdown]
# # 20 · Speed
# Why is the same sum several times faster? By multiplications that are not done. We do it by hand,
# then measure it. After that: what two threads cannot speed up, and where memory rules. A
# well-known lecture draws a network as its layers' sizes; we draw it as its layers' work.
#
# Minutes: 25
# %%
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np

from minicnn.backend import DeviceError, threads
from minicnn.backend.blas import one_blas_thread
from minicnn.course import ask, network, photo, source
from minicnn.fast import winograd
from minicnn.network.layers import Conv, Dense, ReLU
from minicnn.ops import conv

# %% [markdown]
# ## Four multiplications for six
# Two neighbouring outputs of three taps, y0 = d0 g0 + d1 g1 + d2 g2 and y1 = d1 g0 + d2 g1 + d3 g2,
# are six products. Winograd's F(2, 3) takes sums first: u = G g of the taps, once for all photos,
# and v = B^T d of the pixels. Four products m = u v, and more sums: y = A^T m.
# %%
F = winograd.F2
d, g = np.array([1, 3, 2, 5.0]), np.array([2, 1, 4.0])
u, v = F.g @ g, F.bt @ d
m, plain = u * v, np.array([d[:3] @ g, d[1:] @ g])
print("G", F.g, "B^T", F.bt, "A^T", F.at, f"d = {d}   g = {g}   plain y = {plain}", sep="\n")
ask("What is the second of the four products, m[1]?", float(m[1]),
    wrong={float(d[1] * g[1]): "That is a product of the plain way. Here sums are multiplied."},
    hints=("Read the second rows of G and B^T.", "(g0 + g1 + g2) / 2 * (d1 + d2)", "_ / 2 * _"))
tile = winograd.F4.bt.shape
ask("F(4x4, 3x3) makes 4x4 outputs at once. What shape has the tile of pixels that it reads?", tile,
    wrong={(4, 4): "Those are the outputs; the windows reach beyond them."},
    hints=("Where do the first and the last window end?", "outputs + taps - 1", "(4 + _ - 1, ...)"))
ask("It takes one product for each number of the tile. How many times fewer is that than plain?",
    4 * 4 * 3 * 3 / np.prod(tile),
    wrong={4 * 3 / tile[0]: "That is one dimension; rows and columns both save."},
    hints=("How many products are 16 outputs of 9 taps?", "16 * 9 / tile size", "144 / (_ * _)"))
# %%
print("v =", v, "  u =", u, "  m = u v =", m, "  A^T m =", F.at @ m)
print("tile:", tile, "  products:", np.prod(tile), "instead of", 4 * 4 * 3 * 3)
# %% [markdown]
# ## Page and twin, side by side
# Why not larger tiles still? The sums are formed in float32, and can be larger than the result that
# is left of them: rounding grows with the tile. And they take time. How much? Other programs
# disturb a clock, so page and twin run in turn on one thread, and the median of the ratios counts,
# without the first runs: what slows one down slows its neighbour, too.
# %%
def paired(one, other, times=16):
    """The median of time(one) / time(other), run in turn."""
    ratios = []
    for _ in range(times):
        clock = [perf_counter()]
        for function in (one, other):
            function()
            clock.append(perf_counter())
        ratios.append((clock[1] - clock[0]) / (clock[2] - clock[1]))
    return float(np.median(ratios[4:]))


def compared(x, w, algorithm):
    """page time / twin time, and the errors of both as shares of the output's deviation."""
    ways = (lambda: conv.forward(x, w, pad=1)[0],
            lambda: winograd.forward(x, w, pad=1, algorithm=algorithm)[0])
    exact = conv.forward(x.astype(float), w.astype(float), pad=1)[0]
    return paired(*ways), *[float(np.std(way() - exact) / exact.std()) for way in ways]


net, before = network(), threads()
run = net.forward(net.prepare(photo()))
chosen = [name for name in net.params if isinstance(net[name], Conv)  # stride 1, 3x3, one group
          and net.shapes[name][:2] == net.input_shapes[name][:2]
          and net.param_shapes[name]["w"][:3] == (3, 3, net.input_shapes[name][2])][-6:]
layers = [(run[net.inputs(name)[0]], net.params[name]["w"]) for name in chosen]
source(winograd.choose)  # which of them the library takes
threads(1)
with one_blas_thread():
    found = np.array([[compared(x, w, algorithm) for algorithm in ("winograd2", "winograd4")]
                      for x, w in layers])  # layers, algorithms, (gain, page's error, twin's)
gains, errors = found[:, :, 0], np.concatenate([found[:, 0, 1:], found[:, 1:, 2]], axis=1)
fig, axes = plt.subplots(1, 2, figsize=(12, 3.4))
for k, words in enumerate(("page", "F(2x2, 3x3)", "F(4x4, 3x3)")):
    axes[0].plot(chosen, gains[:, k - 1] if k else np.ones(len(chosen)), "o", label=words)
    axes[1].plot(chosen, errors[:, k], "o", label=words)
axes[0].set(title="how many times as fast as the page, one thread", ylim=0)
axes[1].set(title="error against float64, share of the deviation", ylim=0)
[(axis.legend(), axis.tick_params("x", rotation=60)) for axis in axes]
# %% [markdown]
# The time saved is less than the products saved: forming the sums and moving them costs.
#
# ## What two threads cannot speed up
# Threads share what can be cut up; the rest waits. Small work is not cut: waking a helper costs
# more than it saves. Suppose a quarter of a pass cannot be shared.
# %%
ask("How many times faster do two threads make it, at most?", 1 / (0.25 + 0.75 / 2),
    wrong={2.0: "The quarter takes as long as before.",
           1.75: "Add up times, not speeds: a quarter, and half of the rest."},
    hints=("How long does it take, if it took 1?", "1 / (alone + shared / 2)", "1 / (_ + _ / 2)"))
# %%
print(f"with a quarter alone: {1 / (0.25 + 0.75 / 2):.2f} times as fast at most; measured:")
for images in (1, 8):
    x = np.repeat(net.prepare(photo()), images, axis=0)
    alone, both = (lambda n=n, x=x: (threads(n), net.forward(x).output)[1] for n in (1, 2))
    same = alone().tobytes() == both().tobytes()
    print(f"photos: {images}  one thread / two: {paired(alone, both):.2f}  the same bytes: {same}")
threads(before)
# %% [markdown]
# ## Where memory rules
# A multiply-add is quick; fetching its numbers is not. So count for each layer, for one photo, the
# operations, and the numbers read or written, each once.
# %%
work = {}
for name, layer, _ in net.rows:
    if isinstance(layer, Conv | Dense | ReLU):
        shapes, out = net.param_shapes.get(name, {}), np.prod(net.shapes[name])
        taps = np.prod(shapes["w"][:-1]) if shapes else 1  # multiply-adds for each output
        moved = np.prod(net.input_shapes[name]) + sum(map(np.prod, shapes.values())) + out
        work[name] = float(taps * out / moved)
kinds = [next(n for n in work if isinstance(net[n], kind)) for kind in (Conv, ReLU)]
kinds += [n for n in work if not isinstance(net[n], ReLU)][-1:]  # the last with weights
ask("Which does the least for each number that it moves?", min(kinds, key=work.get), choices=kinds,
    wrong={kinds[0]: "A kernel is used again at every position, and a pixel by every kernel."},
    hints=("How often is a number used?", "operations / (input + weights + output)", "1 / (_ + _)"))
# %%
plt.bar([*work], [*work.values()], log=True, width=0.6)
plt.title("operations for each number moved, one photo (logarithmic)")
plt.xticks(rotation=90)
# %% [markdown]
# At 1 or less faster arithmetic does not help, nor a second thread that waits for the same memory.
# A dense layer gains from more photos at once: its weights are fetched once for all.
#
# A GPU has thousands of threads and faster memory: large convolutions and batches gain. But every
# call must be started and every photo carried there, on which a small network spends its time. How
# much, on yours? Only measuring says: `net.to("gpu")`, or `minicnn bench speed`.
# %%
try:
    print("a GPU is here:", net.to("gpu").device)
except DeviceError as reason:
    print("no GPU here:", reason)
assert np.allclose(F.at @ m, plain), "four products give the same two outputs"
assert errors.max() < 1e-4, "every way is right, up to float32's rounding"
assert errors[:, 2].mean() > errors[:, 1].mean(), "larger tiles, larger errors"
assert same, "the same bytes with one thread and with two"
assert all(work[name] < 1 for name in work if isinstance(net[name], ReLU)), "memory rules"
# %% [markdown]
# Run it again while something else is computing. Which numbers change, and which do not?
