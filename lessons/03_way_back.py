# %% [markdown]
# # 03 · The way back through a convolution
# Who hears from this pixel? Below, a kernel in the shape of an F goes over an image with a single
# bright pixel, and the F comes out turned by half a turn. Why? And which way round does it come
# back? We make again the slides "Deconvolutional network" of the lecture on visualising networks:
# "transposed convolution", "filters are flipped horizontally and vertically".
# Minutes: 25. A page to step through, every number by hand: `minicnn lesson 3 --figure`.
# %%
import matplotlib.pyplot as plt
import numpy as np

from minicnn.course import ask, network, photo, source
from minicnn.ops import conv, conv_transpose
from minicnn.vis.deconvnet import signed_picture

F = np.array([[1., 1, 1], [1, 0, 0], [1, 1, 0], [1, 0, 0], [1, 0, 0]])

def row(pictures, titles, numbers=False, **how):
    axes = plt.subplots(1, len(titles), figsize=(2.6 * len(titles), 2.9), layout="constrained")[1]
    for place, picture, title in zip(axes, pictures, titles, strict=True):
        limit = 2.0 * np.abs(picture).max()
        place.imshow(picture, **(how or {"cmap": "RdBu", "vmin": -limit, "vmax": limit}))
        place.set(xticks=[], yticks=[])
        place.set_title(title, fontsize=9)
        for (i, j), value in np.ndenumerate(picture) if numbers else ():
            place.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=8)
    return axes

dot = np.pad([[[[1.]]]], ((0, 0), (4, 4), (4, 4), (0, 0)))
forth, cache = conv.forward(dot, F[:, :, None, None], pad=(2, 1))
back = conv.backward(dot, cache).dx
row([F, dot.squeeze(), forth.squeeze()],
    ["the kernel w", "x: one bright pixel", "y: the outputs that hear from it"])
# %% [markdown]
# Let some number, the loss, depend on y. dy[p,q] says by how much the loss grows when y[p,q] grows
# by a little; dx says the same of each pixel of x. An array and its gradient have the same shape.
# %%
looks = "an F, upright", "an F turned by half a turn", "one bright pixel"
ask("Now backwards: of all outputs only the middle one has a gradient, dy = 1. What does the "
    "gradient at the image, dx, look like?", looks[int((back == forth).all())], choices=looks,
    wrong={looks[1]: "That is what one pixel tells many outputs. Here one output tells the pixels "
                     "that it read, each with the weight it read it with: the kernel as it lies.",
           looks[2]: "The output read a whole window, so all its pixels hear."},
    hints=("Which pixels did the middle output read, and with which weights?",
           "dx of a pixel = dy * the weight that lay on it", "top left of the window: 1 * w[_, _]"))
# %%
row([dot.squeeze(), back.squeeze()], ["dy: one output", "dx: the pixels that hear from it"])
# %% [markdown]
# Change a pixel a little: each output that read it changes, by the weight it read it with. Each
# output counts for the loss with its dy. So by the chain rule dx of a pixel is a sum over the
# outputs that read it, of dy times that weight. A case for the hand: x has 4 x 4 pixels, w holds
# 1 to 9, so four windows fit; dy holds 1, 10, 100, 1000, so each digit of a sum tells its sender.
# %%
x, w = np.arange(16.).reshape(4, 4), np.arange(1., 10).reshape(3, 3)
dy = np.array([[1., 10], [100, 1000]])
print("w and dy:", w, dy, sep="\n")
y, cache = conv.forward(x[None, ..., None], w[:, :, None, None], np.zeros(1))
dx, dw, db = (d.squeeze() for d in conv.backward(dy[None, ..., None], cache))
heard = conv.backward(np.ones_like(y), cache._replace(w=np.ones_like(cache.w))).dx.squeeze()
ask("How many of the four windows read a corner pixel, a pixel on the edge such as x[0,1], and one "
    "in the middle such as x[1,2]? Three numbers.", (heard[0, 0], heard[0, 1], heard[1, 2]),
    wrong={(9, 9, 9): "Nine is how many pixels a window reads. The question is the other one.",
           (4, 6, 9): "That is with zeros around the image; here no window leaves it.",
           (4, 4, 4): "A window that begins in row 1 never reads row 0."},
    hints=("Lay the four windows on the image.", "the number of (p, q) with p <= h <= p + 2, "
           "and the same for q", "the corner: only p = _ and q = _"))
upright = sum(dy[p, q] * w[p, q + 1] for p, q in np.ndindex(2, 2))
ask("What is dx at x[1,2]?", int(dx[1, 2]),
    wrong={upright: "You laid w over dy the same way round. y[0,0] began before the others, so it "
                    "read x[1,2] later in its window: with w[1,2], not with w[0,1]."},
    hints=("With which weight did each of the four outputs read x[1,2]?",
           "y[p,q] read x[h,k] with w[h-p, k-q]", "1 * w[1,2] + 10 * w[1,_] + 100 * _ + 1000 * _"))
# %%
print("How many windows read each pixel:", heard.astype(int), sep="\n")
for p, q in np.ndindex(2, 2):
    print(f"y[{p},{q}] read x[1,2] with w[{1 - p},{2 - q}] and sends {dy[p, q]:4.0f} * "
          f"{w[1 - p, 2 - q]:.0f} = {dy[p, q] * w[1 - p, 2 - q]:4.0f}")
sent = [np.pad(dy[p, q] * w, ((p, 1 - p), (q, 1 - q))) for p, q in np.ndindex(2, 2)]
row([*sent, dx], [*(f"y[{p},{q}] sends {dy[p, q]:.0f} * w" for p, q in np.ndindex(2, 2)),
                  "dx: the four added"], numbers=True)
# %% [markdown]
# So each output sends the kernel upright. Now stand at a pixel and listen; along one axis, x[h]
# was read by y[h] with w[0], by y[h-1] with w[1] and by y[h-2] with w[2], for a window that began
# earlier reached it later. In the order of dy, dx[h] = dy[h-2] w[2] + dy[h-1] w[1] + dy[h] w[0]:
# dy runs up, w runs down, a convolution of dy with the flipped kernel. (Convolution here as
# networks use the word: lay on, multiply, add; the flip is done once, by us.) It had to be: who
# hears from a pixel lies around it as the turned F, and dx listens to just these. At the borders
# some of these K outputs do not exist. K-1 zeros on each side of dy stand for them.
# %%
around, turned = np.pad(dy, 2), w[::-1, ::-1]
flipped = conv.forward(dy[None, ..., None], turned[:, :, None, None], pad=2)[0].squeeze()
axes = row([around, turned, around[1:4, 2:5] * turned, flipped],
           ["dy, K-1 zeros; red: x[1,2] hears", "w flipped both ways", "their nine products",
            "their sums everywhere: dx again"], numbers=True)
axes[0].add_patch(plt.Rectangle((1.5, 0.5), 3, 3, fill=False, color="r", lw=2))
# %% [markdown]
# Here is the library's page. `dcols` holds what the outputs send, dy times the kernel; `_read_back`
# adds it at the pixels, one place of all stamps at a time. With several channels a pixel hears from
# all kernels o; with padding P there are K-1-P zeros. And who hears from a weight? All outputs:
# dw[i,j] sums dy[p,q] x[p+i,q+j], a convolution of x with dy, upright. Predict one.
# %%
source(conv.backward, conv._read_back)
flat = conv.backward(dy[None, ..., None], cache._replace(x=np.full((1, 4, 4, 1), 3.))).dw.squeeze()
ask("x is 3 everywhere, dy is as above. What is dw[0,0]?", int(flat[0, 0]),
    wrong={float(db): "That is db: a bias is added to each output, a weight is multiplied by 3.",
           3: "All four outputs use w[0,0], and each counts with its own dy."},
    hints=("Which pixel did w[0,0] meet in each of the four windows?", "sum of dy[p,q] * x[p,q]",
           "1 * 3 + 10 * 3 + 100 * _ + 1000 * _"))
# %%
print("dw of the flat image", flat, "and of x", dw, f"db = {db:.0f}, the sum of dy", sep="\n")
raised = [conv.forward((x + one.reshape(4, 4))[None, ..., None], cache.w)[0] for one in np.eye(16)]
slopes = [np.sum(dy * (one - y).squeeze()) for one in raised]  # the loss is the sum of dy * y
print("dx by raising each pixel by 1:", np.reshape(slopes, (4, 4)).round().astype(int), sep="\n")
# %% [markdown]
# The way back is called transposed convolution, and the deconvnet of Zeiler and Fergus uses it. Is
# it a deconvolution, does it undo the convolution? We blur the photo and go back: is it sharp?
# %%
grey, box = photo()[None, ::2, ::2, :1] / np.float32(255), np.full((9, 9, 1, 1), 1 / 81, np.float32)
blurred = conv.forward(grey, box, pad=4)[0]
returned = conv_transpose.forward(blurred, box, pad=4)[0]
row([grey.squeeze(), blurred.squeeze(), returned.squeeze()],
    ["the photo", "convolved: blurred", "and back: blurred again"], cmap="gray", vmin=0, vmax=1)
# %% [markdown]
# Transposed, not inverted: the way back carries gradients, and at a convolution the deconvnet does
# just what the gradient does (they part at the ReLU, lesson 05). Now all of the way: from one class
# score down to the photo. We do its last step, through the first convolution, ourselves. In the
# picture look where the gradient is large: there a small change of the photo moves the score most.
# %%
net = network()
run = net.forward(net.prepare(photo()), to=net.logits)
seed, best = np.zeros_like(run.output), int(run.output.argmax())
seed[..., best] = 1
*_, last = run.descend({net.logits: seed})
(gradient,), first, kernels = last.dx, last.layer, net.params[last.name]["w"]
ours = conv_transpose.forward(last.dy, kernels, None, first.stride, first.pad, first.groups,
                              first.dilation, gradient.shape[1:3])[0]
print(f"{net.name}, score of {net.label(best)}: input and gradient have shape {gradient.shape}")
row([net.restore(run["image"])[0], signed_picture(gradient, net.preprocessing),
     np.abs(gradient[0]).max(axis=2)],
    ["the photo", "gradient: grey is 0", "its size: which pixels count"], cmap="magma")
# %%
assert np.array_equal(flipped, dx), "the gradient is a convolution of dy with the flipped kernel"
assert np.allclose(slopes, dx.ravel()), "raising each pixel gives the same"
assert np.allclose(conv.forward(x[None, ..., None], dy[..., None, None])[0].squeeze(), dw), "dw"
assert np.abs(returned - grey).mean() > np.abs(blurred - grey).mean(), "the way back undoes nothing"
assert np.allclose(ours, gradient, atol=1e-4 * np.abs(gradient).max()), "our last step is the run's"
assert run["image"].shape == gradient.shape, "an array and its gradient have the same shape"
# %% [markdown]
# Try: a stride of 2 leaves out every other output. Put zeros where they would be, between the
# numbers of dy, and find dx as a convolution again. What do the numbers in `heard` become?
