# %% [markdown]
# # 01 · Images are arrays
# What does a network get? No photo, but a block of numbers. Below are four blocks, each of them a
# photo loaded by somebody's program. All raise no error; a network is trained on one kind only.
# This lesson makes again the slide "Digital Images" of Kuan-Ting Lai's lecture: a photo as grids
# of numbers, red, green and blue apart.
# Minutes: 15
# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np

from minicnn import images, models
from minicnn.course import ask, network, photo, source
from minicnn.images.display import to_uint8

pixels = photo()
blocks = {"red first": pixels, "blue first": pixels[..., ::-1],
          "columns before rows": pixels.swapaxes(0, 1), "120 subtracted": pixels - 120}
figure, axes = plt.subplots(1, 4, figsize=(12, 3.8), layout="constrained")
for place, (title, block) in zip(axes, blocks.items(), strict=True):
    place.imshow(block)
    place.set(title=f"{title}\n{block.shape} {block.dtype}", xticks=[], yticks=[])
figure.suptitle("One photo, four blocks of numbers: which one does a network expect?")
# %% [markdown]
# A colour photo is an array (H, W, 3): rows from the top, columns from the left, and at each place
# three numbers from 0 to 255 for red, green and blue. We cut out nine pixels, where red and blue
# differ most so that they cannot be mistaken, and write the numbers into the picture.
# %%
differ = np.abs(pixels[1:-1, 1:-1, 0].astype(int) - pixels[1:-1, 1:-1, 2])
row, column = (int(k) for k in np.unravel_index(differ.argmax(), differ.shape))
crop = pixels[row:row + 3, column:column + 3]
print(f"pixels[{row}:{row + 3}, {column}:{column + 3}] has shape {crop.shape}")
figure, axes = plt.subplots(1, 5, figsize=(13, 3))
axes[0].imshow(pixels)
axes[0].plot(column + 1, row + 1, "wo", markersize=12, fillstyle="none", markeredgewidth=2)
axes[1].imshow(crop)
for c in range(3):
    axes[2 + c].imshow(crop * (np.arange(3) == c))  # the other two colours are 0
    for (i, j), value in np.ndenumerate(crop[..., c]):
        axes[2 + c].text(j, i, value, ha="center", va="center", bbox={"fc": "w", "lw": 0})
for place, title in zip(axes, ("nine pixels from here", "the nine pixels", "[..., 0]: red alone",
                               "[..., 1]: green alone", "[..., 2]: blue alone"), strict=True):
    place.set(title=title, xticks=[], yticks=[])
# %%
right, down = pixels.shape[1] // 3, pixels.shape[0] // 2
ask(f"A viewer points at x = {right} from the left, y = {down} from the top. Which index into "
    "`pixels` reads the green there? (Counting begins at 0.)", (down, right, 1),
    wrong={(right, down, 1): "x comes first in a viewer; an array goes by rows first: how far "
                             "down, then how far to the right.",
           (1, down, right): "That is channels first, as in Caffe and PyTorch. Here they are last.",
           (down, right, 2): "Counting begins at 0: red is 0, green 1, blue 2."},
    hints=("Read the array's shape from left to right: (H, W, 3).", "(row, column, channel)",
           f"(_, {right}, _), with green the second of three"))
# %% [markdown]
# A network gets a batch of such arrays as floating point numbers, (N, H, W, C): the channels in
# the order of its training, minus a mean, times a scale. Here is the page that does it. Order,
# mean and scale are stored with the weights, for no error would tell if they were wrong.
# %%
print(f"pixels[{down}, {right}] = {pixels[down, right]}\n")
source(images.normalize)
for model in models.vgg16(), models.squeezenet11(), models.inception_v3():
    kept = model.preprocessing
    print(f"{model.name}: {model.input_shape}, {kept.order}, mean {kept.mean}, "
          f"scale {kept.scale[0]:.4g}")
# %% [markdown]
# VGG-16 comes from Caffe, which reads blue first (BGR). We draw a red flower and predict what
# becomes of a petal: its number in channel 0 of VGG-16, and its look where red is expected first.
# Then a trap: photos are uint8, whole numbers from 0 to 255 and nothing else.
# %%
vgg, petal, meadow = models.vgg16().preprocessing, (200, 30, 40), (60, 140, 50)
v, u = (np.mgrid[:96, :96] - 47.5) / 48
on_petal = np.hypot(u, v) < 0.5 + 0.4 * np.cos(6 * np.arctan2(v, u))
flower = np.where(on_petal[..., None], petal, meadow).astype(np.uint8)
prepared = images.normalize(flower[None], vgg)
ask(f"A petal is {petal} in red, green, blue. VGG-16's order is {vgg.order}, its mean in this "
    f"order {vgg.mean}, its scale 1. What is the petal's number in channel 0?",
    float(prepared[0, on_petal][0, 0]),
    wrong={petal[0] - vgg.mean[0]: "You took the red value; in BGR channel 0 is blue.",
           petal[0] - vgg.mean[2]: "That is red minus red's mean, channel 2 of VGG-16.",
           petal[2]: "That is the blue value; its mean is still to be subtracted."},
    hints=("Which colour is first in BGR?", "blue - mean of blue", f"_ - {vgg.mean[0]}"))
exchanged = flower[..., ::-1]
looks = "red petals", "green petals", "blue petals", "the same petals, but darker"
ask("The flower's channels are stored the other way round. What does one see?",
    looks[int(exchanged[on_petal][0].argmax())], choices=looks,
    wrong={looks[0]: "The viewer takes the first number for red, and the first is now blue's.",
           looks[1]: "Green is the middle one of three and stays where it is.",
           looks[3]: "No number changes, only whose it is."},
    hints=(f"Write {petal} the other way round.", "pixels[..., ::-1]",
           f"{petal[2], petal[1]} and then _: which of the three is large?"))
wrapped = np.array([100], np.uint8) - 120
ask("A uint8 array holds 100. You subtract the mean 120. What does it hold then?", int(wrapped[0]),
    wrong={-20: "A uint8 has no sign. Convert first: pixels.astype(np.float32) - 120.",
           0: "NumPy does not stop at 0: it goes on from the other end, modulo 256."},
    hints=("There is no number below 0 in uint8.", "(100 - 120) modulo 256", "100 - 120 + _"))
# %% [markdown]
# The prepared flower, drawn as if it were a picture, has its colours exchanged, and its zero is the
# mean colour. `images.restore` undoes the preparation and finds every pixel again.
# %%
print("a petal for VGG-16:", prepared[0, on_petal][0], "  100 - 120 in uint8:", wrapped)
views = {"flower": flower, "channels exchanged": exchanged, "VGG-16's input, drawn as it is":
         to_uint8(prepared[0]), "restored": images.restore(prepared, vgg)[0]}
images.show(*views.values(), titles=list(views), side=2.5)
# %% [markdown]
# Now the real network, and the usual mistakes with the same photo, one at a time. "Moved" is the
# share of probability that a mistake took from some classes and gave to others.
# %%
net = network()
trained, own = net.prepare(pixels), net.preprocessing
mistakes = {"channels exchanged": net.prepare(pixels[..., ::-1]),
            "lying on its side": net.prepare(pixels.swapaxes(0, 1)),
            "no mean subtracted": images.prepare(pixels, replace(own, mean=0)),
            "only / 255": images.prepare(pixels, replace(own, mean=0, scale=1 / 255)),
            "0..255 as they are": images.prepare(pixels, replace(own, mean=0, scale=1))}
different = {x.tobytes(): name for name, x in mistakes.items()}  # some networks are made for one
different.pop(trained.tobytes(), None)
mistakes = {name: mistakes[name] for name in different.values()}
p, *given = (net.probabilities(x)[0] for x in (trained, *mistakes.values()))
moved = {name: float(np.abs(q - p).sum() / 2) for name, q in zip(mistakes, given, strict=True)}
ask("Which of these mistakes moves the most probability to other classes?",
    max(moved, key=moved.get), choices=tuple(moved),
    wrong={name: "Another moves more, with this photo and this network: see the shares below."
           for name in moved if moved[name] < max(moved.values())},
    hints=("How far do the numbers leave the range that the network was trained on?",
           f"as trained they lie between {trained.min():.1f} and {trained.max():.1f}",
           "with the mistake they lie between _ and _"))
# %%
figure, axes = plt.subplots(1, 1 + len(mistakes), figsize=(13, 3))
for place, (name, x) in zip(axes, {"as trained": trained, **mistakes}.items(), strict=True):
    q = net.probabilities(x)[0]
    print(f"{np.abs(q - p).sum() / 2:6.1%} moved by {name}, numbers {x.min():.1f} to {x.max():.1f}")
    place.imshow(net.restore(x)[0])
    place.set(xticks=[], yticks=[], xlabel=f"{net.label(int(q.argmax()))}, {q.max():.0%}")
    place.set_title(name, fontsize=9)
figure.suptitle("What each array means to the network, and its first answer below")
# %%
assert pixels[down, right, 1] == pixels[..., 1][down][right], "a plane, a row, a column"
assert np.array_equal(images.restore(prepared, vgg)[0], flower), "restore finds every pixel again"
assert trained.dtype == np.float32 and trained.shape == (1, *net.input_shape), "floats, a batch"
assert max(moved.values()) > 0.01, "a network answers a wrong preparation, and answers otherwise"
# %% [markdown]
# Try: turn one of your own photos by 90 degrees, mirror it, make it grey, darken it. Which of these
# does the network mind, which do you mind, and what in its training could explain the difference?
