# %% [markdown]
# # 08 · A network: where is what, and how much does a unit see?
# A network is a list of rows. Each row has a shape, a number of parameters, and units that see a
# part of the photo. We make again Keras' tables and the slide "Depthwise, Pointwise" of Kuan-Ting
# Lai's lecture, and the listing of AlexNet in MATLAB's example.
# Minutes: 20
# %%
import matplotlib.pyplot as plt
import numpy as np

from minicnn import models
from minicnn.course import ask, network, photo, source
from minicnn.network import Network, receptive
from minicnn.network.layers import AveragePool, Conv, Dense, MaxPool, ReLU

net = network()
picture, fields = net.restore(net.prepare(photo()))[0], receptive.fields(net)
places = [name for name, layer, _ in net.rows if isinstance(layer, (Conv, MaxPool))]
places = [places[k] for k in np.linspace(0, len(places) - 1, 5).astype(int)]
figure, axes = plt.subplots(1, 6, figsize=(15, 3.5), layout="constrained")
axes[0].imshow(picture)
for k, (place, name) in enumerate(zip(axes[1:], places, strict=True)):
    top, bottom, left, right = fields[name].box([side // 2 for side in net.shapes[name][:2]])
    place.imshow(picture[top:bottom, left:right])
    place.set_title(f"a unit of {name}\nsees {bottom - top} x {right - left}", color=f"C{k}")
    place.axis("off")
    axes[0].add_patch(plt.Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, fill=False,
                                    color=f"C{k}", linewidth=2))
axes[0].set(title="the photo, and\nwhat is seen of it", xticks=(), yticks=())
figure.suptitle("From which layer on could a unit tell a face from a collar?")
# %% [markdown]
# Four rows: a name and a layer each. Make the table by hand before you run on: for each row the
# shape of its output (H, W, C), and its parameters, kernels and biases.
# %%
rows = [("conv", Conv(4, 3, pad=1)), ("relu", ReLU()), ("pool", MaxPool(2)), ("scores", Dense(3))]
tiny = Network("tiny", rows, input_shape=(8, 8, 1))
ask("What shape has w of the row called scores?", tiny.param_shapes["scores"]["w"],
    wrong={(8 * 8 * 4, 3): "You missed the pooling: it halves the height and the width.",
           (4, 3): "A dense layer reads every position of every channel.",
           (4 * 4, 3): "There are four channels at each of the 16 positions."},
    hints=("What does pool hand on?", "(H * W * C of pool, units)", "(4 * _ * 4, _)"))
# %%
print(tiny.summary(receptive_fields=True))
# %% [markdown]
# The last columns say what a unit sees. A row with windows of K at step S makes the field's side r
# larger by s (K - 1), where s is the step so far, and then s becomes s S: the page's last lines.
# Offset -1: the first unit's field begins in the padding, which holds no pixels to learn from.
# %%
side, step = 1, 1
for name, kernel, stride in (("conv", 3, 1), ("pool", 2, 2)):
    side, step = side + step * (kernel - 1), step * stride
    print(f"{name}: side {side}, step {step}")
print("pool's first unit, (top, bottom, left, right), with the padding and without:", *(
    receptive.field(tiny, "pool").box((0, 0), clipped) for clipped in (False, True)))
source(receptive._windowed)
# %% [markdown]
# Now VGG-16, without weights: shapes, counts and fields follow from the rows alone. Its conv2_1 has
# 128 kernels of 3x3 and reads 64 channels.
# %%
vgg, alexnet, googlenet = models.vgg16(), models.alexnet_caffe(), models.googlenet()
ask("How many parameters has conv2_1 of VGG-16?",
    sum(int(np.prod(shape)) for shape in vgg.param_shapes["conv2_1"].values()),
    wrong={3 * 3 * 64 * 128: "Each kernel has a bias, too.",
           3 * 3 * 128 + 128: "A kernel reaches through all 64 channels of its input.",
           3 * 3 * 3 * 128 + 128: "It reads 64 channels, not the photo's 3."},
    hints=("Look at `param_shapes`: w is (KH, KW, C, O), b is (O,).", "KH * KW * C * O + O",
           "3 * 3 * _ * 128 + _"))
sides = {name: field.size[0] for name, field in receptive.fields(vgg).items()}
ask(f"A unit of pool2 sees {sides['pool2']} pixels a side, at step 4; conv3_1, conv3_2 and conv3_3 "
    "are 3x3 at step 1. How many does a unit of conv3_3 see?", sides["conv3_3"],
    wrong={sides["pool2"] + 6: "Each 3x3 adds two steps, and a step is 4 pixels by now.",
           sides["conv3_2"]: "That is conv3_2. There is one more.",
           sides["pool2"] * 27: "Sides grow by sums, (K - 1) times the step, not by products."},
    hints=("Three times the same growth.", "r + 3 * s (K - 1)", f"{sides['pool2']} + 3 * 4 * _"))
# %%
print(*(line for line in vgg.summary(receptive_fields=True).splitlines()
        if "Conv2D" in line or "MaxPool" in line), sep="\n")
# %% [markdown]
# Does every pixel of the field count alike? Give these rows one channel, kernels of ones, average
# pooling. Up to a factor, a unit's gradient then counts the paths that lead to it from each pixel.
# %%
paths = Network("paths", [(name, Conv(1, 3, pad=1) if isinstance(layer, Conv) else AveragePool(2))
                          for name, layer, _ in vgg.until("conv3_3").rows
                          if isinstance(layer, (Conv, MaxPool))], (96, 96, 1))
for name, shapes in paths.param_shapes.items():
    paths.params[name] = {"w": np.ones(shapes["w"]), "b": np.zeros(shapes["b"])}
seed = np.zeros((1, 24, 24, 1))
seed[0, 12, 12] = 1
counted = paths.forward(np.zeros((1, 96, 96, 1))).backward({"conv3_3": seed})[0, ..., 0]
top, bottom, left, right = receptive.field(paths, "conv3_3").box((12, 12))
CHOICES = ("all alike", "the middle more than the corners", "the corners more than the middle")
corner, middle = counted[top, left], counted.max()
ask("Which pixels of the field have most paths to the unit?",
    CHOICES[0 if corner == middle else 1 if corner < middle else 2], choices=CHOICES,
    wrong={CHOICES[0]: "In one layer of ones, yes. How many ways lead from a corner through two?",
           CHOICES[2]: "A corner pixel must take the outermost way at every layer."},
    hints=("Two 3x3 layers, one axis: write 1 1 1 and slide it over 1 1 1.", "1 2 3 2 1",
           "three layers: 1 3 6 _ 6 3 1"))
# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
axes[0].imshow(counted, cmap="magma")
axes[0].add_patch(plt.Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, fill=False,
                                color="white"))
axes[0].set_title("paths from each pixel to one unit of conv3_3;\nthe frame is its receptive field")
for other in (vgg, alexnet, googlenet, net):
    seen, trunk = receptive.fields(other), [k for k in other.trunk if len(other.shapes[k]) == 3]
    seen = [seen[name].size[0] / other.input_shape[0] for name in trunk]
    axes[1].plot(np.linspace(0, 1, len(seen)), seen, label=other.name)
axes[1].axhline(1, color="grey", linestyle=":")
axes[1].set(title="side of the field / side of the photo:\nwhere could a unit see all?",
            xlabel="from the first row to the last that has positions")
axes[1].legend()
# %% [markdown]
# A large field is an upper bound; the middle of it counts most. Now two older networks: AlexNet as
# MATLAB lists it, and GoogLeNet, whose modules look through four windows at once and join the maps.
# %%
print(alexnet.summary("matlab"))
for path in googlenet.inputs("inception_3a/output"):
    print(f"{path:<28} sees", *receptive.field(googlenet, path).size)
for other in (vgg, alexnet, googlenet, net):
    dense = sum(int(np.prod(shape)) for name, shapes in other.param_shapes.items()
                if isinstance(other[name], Dense) for shape in shapes.values())
    print(f"{other!r}: {dense / other.count():.0%} of them in dense layers")
# %% [markdown]
# Convolutions can be made cheaper: filter each channel by itself (depthwise), then mix the channels
# by 1x1 kernels (pointwise). The lecture's example has kernels of 5x5 over 3 channels.
# %%
full = Network("full", [("conv", Conv(256, 5, bias=False))], (12, 12, 3))
separable = Network("separable", [("depthwise", Conv(3, 5, groups=3, bias=False)),
                                  ("pointwise", Conv(256, 1, bias=False))], (12, 12, 3))
ask(f"256 full kernels hold {full.count():,} numbers. How many do 3 depthwise and 256 pointwise "
    "kernels hold?", separable.count(),
    wrong={5 * 5 * 3: "That is the depthwise part.", 3 * 256: "That is the pointwise part.",
           5 * 5 * 3 * 3 + 3 * 256: "A depthwise kernel reads one channel, not three."},
    hints=("Count the two rows one by one.", "KH * KW * C + C * O", "5 * 5 * 3 + 3 * _"))
# %%
print(full.summary().splitlines()[4], *separable.summary().splitlines()[4:6], sep="\n")
depthwise, pointwise = (separable.initialize().params[name]["w"] for name in separable.names)
full.params["conv"]["w"] = depthwise[:, :, 0, :, None] * pointwise[0, 0]  # KH,KW,C,1 * C,O
x = np.random.default_rng(0).normal(size=(1, 12, 12, 3)).astype(np.float32)
apart = np.abs(full.forward(x).output - separable.forward(x).output).max()
print(f"this pair is a full convolution, too: the outputs differ by {apart:.0e}")
# %% checks of what this lesson claims
assert (counted > 0).sum() == (counted[top:bottom, left:right] > 0).sum() == 40**2, "the field"
assert receptive.field(tiny, "pool")[:2] == ((side, side), (step, step)), "the rule by hand"
assert (full.count(), separable.count(), tiny.count()) == (19200, 843, 235), "counted by hand"
assert corner < middle and apart < 1e-4, "the middle counts most; separable is a special case"
# %% [markdown]
# Try: not every full convolution is such a pair. What can 256 full kernels do that a pair cannot?
# And which four rows let a unit see 20 pixels a side with the fewest parameters?
