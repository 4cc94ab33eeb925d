# %% [markdown]
# # 02 · Convolution
# How does a sum of products find an edge? Below, two small kernels of nine numbers each went over a
# photo, and edges came out. We make again the slides on convolution, Sobel's kernels and "product
# of their Fourier transforms" of Kuan-Ting Lai's lecture: by hand, then in two other ways.
# Minutes: 25. Two pages to step through, every number by hand: `minicnn lesson 2 --figure`.
# %%
import timeit

import matplotlib.pyplot as plt
import numpy as np

from minicnn import models, naive, vis
from minicnn.course import ask, network, photo, source
from minicnn.network.layers import Conv
from minicnn.ops import conv

across = np.array([[-1., 0, 1], [-2, 0, 2], [-1, 0, 1]])  # Sobel's: right minus left
w = np.stack([across, across.T], axis=-1)[:, :, None]  # KH,KW,C,O; the second: below minus above

def row(pictures, titles, limits, cmaps=("gray",) * 3, high=4.4, numbers=False):
    axes = plt.subplots(1, len(titles), figsize=(3.9 * len(titles), high), layout="constrained")[1]
    for ax, picture, title, most, cmap in zip(axes, pictures, titles, limits, cmaps, strict=True):
        ax.imshow(picture, cmap, vmin=-most or None, vmax=most or None)
        ax.set(title=title, xticks=[], yticks=[])
        for (i, j), value in np.ndenumerate(picture) if numbers else ():
            ax.text(j, i, f"{value:.0f}", ha="center", va="center")
    return axes

grey = photo().mean(axis=2)[None, ..., None] / 255  # -> N,H,W,C
edges = conv.forward(grey, w)[0][0]
row([2 * grey[0, ..., 0] - 1, edges[..., 0], edges[..., 1]],
    ["the photo", "right minus left: edges are white or black", "below minus above"], (1, 1.5, 1.5))
# %% [markdown]
# The small case: an image of 5 x 5 numbers, dark on the left and bright on the right. Lay a kernel
# on the top left window, multiply each pixel by the weight that lies on it, and add. The first
# window's nine products, with Sobel's kernel `across`, then all windows, each with its sum.
# %%
x = np.array([[1., 2, 1, 8, 9], [2, 1, 1, 9, 8], [1, 1, 2, 8, 8], [2, 1, 1, 9, 9], [1, 2, 1, 8, 8]])
for i, j in np.ndindex(3, 3):
    print(f"x[{i},{j}] * across[{i},{j}] = {x[i, j]:.0f} * {across[i, j]:2.0f}")
for p, q in np.ndindex(3, 3):
    products = x[p:p + 3, q:q + 3] * across
    print(f"y[{p},{q}] =", " ".join(f"{one:+3.0f}" for one in products.flat), "=", products.sum())
# %% [markdown]
# Two settings of the window. **Stride** S: it goes on by S pixels each time, not by 1. **Padding**
# P: P rows and columns of zeros are put around the image first, on all four sides.
# %%
small = conv.forward(x[None, ..., None], w)[0][0]  # -> OH,OW,O
kernels = "right minus left", "below minus above", "both alike"
ask("The edge in x runs from top to bottom. Which of the two kernels answers it strongly?",
    kernels[int(np.abs(small).max(axis=(0, 1)).argmax())], choices=kernels,
    wrong={kernels[1]: "Along the edge nothing changes: below is like above, and the sum is small.",
           kernels[2]: "Each kernel subtracts in one direction only and averages in the other."},
    hints=("In which direction do the pixels change?", "right column - left column, summed",
           "8 + 2 * 9 + 8 - (1 + 2 * _ + _)"))
ask("x is (1, 5, 5, 1), w is (3, 3, 1, 2): two kernels. What shape has y with stride 2, pad 1?",
    conv.forward(x[None, ..., None], w, stride=2, pad=1)[0].shape, wrong={
        (1, 2, 2, 2): "You left the padding out, or counted it once; it is on both sides.",
        (1, 5, 5, 2): "That is stride 1. With stride 2 every other window is left out.",
        (1, 3, 3, 1): "Each kernel makes a channel of its own, and there are two."},
    hints=("How often does the window fit, going on by 2 each time?",
           "(H + 2P - KH) // S + 1, and as many channels as kernels", "(5 + 2 * _ - 3) // _ + 1"))
# %% [markdown]
# In the next picture, the two panels on the right are drawn on one scale: the sums are large where
# the window lies on the edge and the kernel subtracts across it. In general, with stride S and
# padding P, window (p, q) reads the pixels x[S p + i - P, S q + j - P], one for each place (i, j)
# in the kernel. Outside the image it reads 0: padding adds places for windows, but no information.
# %%
axes = row([x, across, small[..., 0], small[..., 1]],
           ["x; red: the first window", kernels[0], f"y, {kernels[0]}", f"y, {kernels[1]}"],
           (9, 4, 60, 60), ["gray", *["RdBu"] * 3], 4, numbers=True)
axes[0].add_patch(plt.Rectangle((-0.45, -0.45), 3, 3, fill=False, color="r", lw=3))
# %% [markdown]
# Here are all the sums, as loops: images n, positions p and q, kernels o; inside, the places i, j
# and the channels c, over which it adds. A kernel has as many planes as x has channels. Read it
# with groups = 1 and dilation = 1: then g = 0 and D = 1, and they may be ignored here.
# %%
source(naive.conv_forward)
# %% [markdown]
# A second way. Mathematics turns the kernel by half a turn and calls that a convolution; a network
# does not turn it, which is a cross-correlation, and keeps the name. Either way y is a sum of
# shifted copies of x, one for each weight. A shift of x by k multiplies its Fourier transform at
# frequency f by e^(2 pi i f k / H). So the transform of y is that of x times a sum of such factors,
# weighted: the kernel's transform. (Its conjugate, because the kernel is not turned. Likewise with
# W along the other axis. A Fourier shift wraps around the edge, so only the windows that lie wholly
# inside agree: the first 3 x 3.) The middle of a spectrum is for slow changes. Frequencies in the
# middle column change only from top to bottom; right minus left does not see them.
# %%
print("np.convolve turns:", np.convolve([0, 0, 1, 0, 0], [1, 2, 3], "valid"),
      "a network does not:", np.correlate([0, 0, 1, 0, 0], [1, 2, 3], "valid"))
by_fourier = np.fft.ifft2(np.fft.fft2(x) * np.fft.fft2(across, s=x.shape).conj()).real[:3, :3]
print("by Fourier:", by_fourier.round(6) + 0., sep="\n")
spectra = [np.fft.fftshift(np.abs(np.fft.fft2(a, s=grey.shape[1:3])))
           for a in (grey[0, ..., 0], across, edges[..., 0])]
row([np.log(spectra[0] + 1), spectra[1], np.log(spectra[2] + 1)],
    ["the photo's spectrum (log)", "times the kernel's: middle column 0", "is the edges' (log)"],
    (0, 0, 0), ["magma"] * 3)
# %% [markdown]
# The library's way. Copy each window into a row of a matrix `cols` (im2col), write each kernel as a
# column of a matrix W in the same order, and all sums are one matrix product. Then predict.
# %%
cols = np.array([x[p:p + 3, q:q + 3].ravel() for p, q in np.ndindex(3, 3)])
print("cols, a window in each row; as a last column y = cols @ W for the first kernel:")
print(np.column_stack([cols, cols @ across.ravel()]).astype(int))
source(conv.forward, conv._columns)
vgg = models.vgg16()
(kh, kw, c, o), (oh, ow, _) = vgg.param_shapes["conv1_2"]["w"], vgg.shapes["conv1_2"]
ask(f"conv1_2 of VGG-16: y is {oh} x {ow} x {o}, the kernels are {kh} x {kw} x {c}. How many "
    "multiplications for one photo? You may type a product.", oh * ow * o * kh * kw * c,
    wrong={oh * ow * o * kh * kw: f"Every kernel has {c} planes, one for each channel of x.",
           oh * ow * kh * kw * c: f"That is for one kernel; there are {o}.",
           o * kh * kw * c: "Those are its weights; each is used again at every position."},
    hints=("How many numbers has y, and how many products has each?", "OH * OW * O * KH * KW * C",
           f"{oh} * {ow} * {o} * _ * _ * _"))
# %% [markdown]
# Why copy pixels, up to KH * KW times? The multiplications are the same. But a loop fetches numbers
# singly; a matrix product runs through memory in order and uses each it has loaded many times.
# %%
print(f"{oh * ow * o * kh * kw * c:,} multiplications in VGG-16's conv1_2")
patch = (photo()[None, :24, :24] / 255., np.ones((3, 3, 3, 8)), None)
slow, fast = (min(timeit.repeat(lambda f=f: f(*patch), number=1, repeat=3))
              for f in (naive.conv_forward, conv.forward))
print(f"loops {slow * 1000:.1f} ms, im2col {fast * 1000:.2f} ms: {slow / fast:.0f} times faster")
# %% [markdown]
# A network's kernels are learnt; nobody asked for edges. Eight of the first layer, in red, green
# and blue (mid-grey is 0), and their maps of the photo, white above 0. Which subtract across, which
# downwards? Does any compare colours? "Alike" is the share of a kernel's squared weights that the
# colours have in common. Only the rest compares them: at each place its three weights sum to 0.
# %%
net = network()
first = next(name for name in net.names if isinstance(net[name], Conv))
maps = net.forward(net.prepare(photo()), to=first)[first][0]
strong = np.argsort(-maps.std(axis=(0, 1)))[:8]
figure, axes = plt.subplots(2, len(strong), figsize=(13, 3.8), layout="constrained")
for k, (above, below) in zip(strong, axes.T, strict=True):
    kernel = net.params[first]["w"][..., k]
    alike = kernel.shape[2] * (kernel.mean(axis=2) ** 2).sum() / (kernel ** 2).sum()
    above.imshow(vis.kernels(net).pictures[k])
    below.imshow(maps[..., k] / np.abs(maps[..., k]).max(), cmap="gray", vmin=-1, vmax=1)
    above.set(title=f"kernel {k}\n{alike:.0%} alike")
plt.setp(axes, xticks=[], yticks=[])
# %%
assert np.allclose(by_fourier, small[..., 0]), "by Fourier, the same sums"
assert np.allclose(cols @ across.ravel(), small[..., 0].ravel()), "by im2col, too"
assert np.array_equal(naive.conv_forward(x[None, ..., None], w, None)[0], small), "and by loops"
assert np.abs(small[..., 0]).max() > 5 * np.abs(small[..., 1]).max(), "one kernel finds the edge"
# %% [markdown]
# Try: what does a kernel do whose nine weights are 1/9? And one whose weights sum to 1, with a
# large middle and eight negative neighbours? Put yours in place of `across`, and say why.
