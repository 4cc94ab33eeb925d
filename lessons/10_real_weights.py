# %% [markdown]
# # 10 · Real weights, and why the same file gives nonsense
# One photo, one file of weights, read in four ways, A to D. We make again the picture that begins
# the code in the article on feature maps: a photo, and below it the probabilities of all classes,
# `plt.plot(preds.ravel())`. Nothing raises an error. Which one is right? What went wrong elsewhere?
# Minutes: 25
# %%
from contextlib import suppress
from dataclasses import replace

import h5py
import matplotlib.pyplot as plt
import numpy as np

from minicnn import models
from minicnn.course import ask, network, photo, source
from minicnn.files import hdf5, probe
from minicnn.files.errors import WeightsError
from minicnn.foreign.arrays import reordered, turned
from minicnn.network import Network
from minicnn.network.layers import Conv, Dense

net, seen = network(), photo()
CONVS = [name for name, layer, _ in net.rows  # with kernels that have rows and columns
         if isinstance(layer, Conv) and net.param_shapes[name]["w"][0] > 1]
ABOVE = [name for name, layer, _ in net.rows  # the dense layer above a map, if there is one
         if isinstance(layer, Dense) and np.prod(net.input_shapes[name][:-1]) > 1]

def read_with(weights=None, **preparation):  # functions of some weights, or the preprocessing
    one = net.using("fast")
    one.preprocessing = replace(net.preprocessing, **preparation)
    one.params = {name: dict(arrays) for name, arrays in net.params.items()}
    for name, change in (weights or {}).items():
        one.params[name]["w"] = np.ascontiguousarray(change(one.params[name]["w"]))
    return one
READINGS = {
    "kernels: rows and columns": read_with({name: lambda w: w.swapaxes(0, 1) for name in CONVS}),
    "red and blue": read_with(order=net.preprocessing.order[::-1]),
    "as it should be": read_with(),
    "no mean subtracted": read_with(mean=0.0),
    "pixels in 0..1": read_with(scale=[s / 255 for s in net.preprocessing.scale]),
    "rows and columns, last layer": read_with({CONVS[-1]: lambda w: w.swapaxes(0, 1)}),
    "one weight, by 0.001": read_with({CONVS[-1]: lambda w: w + 0.001 * (np.arange(
        w.size).reshape(w.shape) == 0).astype(w.dtype)})}
if ABOVE:  # its rows, in the order H,W,C, are taken for C,H,W
    READINGS["flatten order"] = read_with({
        ABOVE[0]: lambda w: reordered(w, net.input_shapes[ABOVE[0]])})
fig, axes = plt.subplots(2, 4, figsize=(12, 5), layout="constrained")
for letter, (top, below), one in zip("ABCD", axes.T, READINGS.values(), strict=False):
    top.imshow(net.restore(one.prepare(seen))[0])  # what our network would call this input
    below.plot(one.probabilities(one.prepare(seen)).ravel())
    (label, p), = one.classify(seen, top=1)
    top.set(title=f"{letter}: {label} ({p:.0%})", xticks=(), yticks=())
    below.set(ylim=(0, 1), xlabel="class")
fig.suptitle("Above: the numbers that came in, as pixels. Below: the probability of each class")
# %% [markdown]
# Take a network so small that one can look. Both weights are blocks with the axes KH, KW, C, O: a
# dense layer is a kernel as large as its map, flattened. Each program stores the axes in an order
# of its own (MATLAB, which counts down the columns, reversed), and HDF5 does not name them.
# %%
LAYOUTS = {"minicnn, Keras": (0, 1, 2, 3), "PyTorch, Caffe": (3, 2, 0, 1), "MATLAB": (3, 2, 1, 0)}
tiny = Network("tiny", [("conv", Conv(4, 3)), ("dense", Dense(3))], (4, 4, 2)).initialize(1)
blocks = {"conv": tiny.params["conv"]["w"], "dense": tiny.params["dense"]["w"].reshape(2, 2, 4, 3)}
stored, x = {}, np.random.default_rng(0).standard_normal((1, 4, 4, 2))
for program, order in LAYOUTS.items():
    file = stored[program] = h5py.File(f"{program}.h5", "w", driver="core", backing_store=False)
    for layer, block in blocks.items():
        file[layer] = block.transpose(order)
    print(f"{program:<15} conv {file['conv'].shape}, dense {file['dense'].shape}")
ask("A Caffe file has 64 kernels of 7 rows, 5 columns and 3 channels: (64, 3, 7, 5). What is their "
    "shape in minicnn?", turned(caffe := np.zeros((64, 3, 7, 5)), "OIHW").shape,
    wrong={caffe.T.shape: "You reversed all axes (.T). That exchanges rows and columns, too; with "
           "square kernels the shape would not tell.", caffe.shape: "That is still O,C,KH,KW."},
    hints=("Name each of the four axes.", "(O, C, KH, KW) -> (KH, KW, C, O)", "(7, _, _, 64)"))
ask("PyTorch flattens a map of 2 rows, 2 columns and 4 channels as C,H,W. At which index stands "
    "row 1, column 0, channel 3?", np.ravel_multi_index((3, 1, 0), (4, 2, 2)),
    wrong={np.ravel_multi_index((1, 0, 3), (2, 2, 4)): "That is H,W,C, minicnn's order.",
           np.ravel_multi_index((3, 0, 1), (4, 2, 2)): "That is C,W,H: MATLAB's, reversed."},
    hints=("How many numbers come before channel 3?", "c * H * W + h * W + w", "3 * _ + 1 * _ + 0"))
# %%
source(turned, reordered)
right, mistaken = tiny.forward(x).output, {}
print("\nError of the scores, for each file (rows) taken for each layout (columns):\n"
      + " " * 15, *(f"{program:>15}" for program in LAYOUTS))
for program, file in stored.items():
    for taken, order in LAYOUTS.items():
        conv, dense = (file[layer][()].transpose(np.argsort(order)) for layer in blocks)
        again = Network("tiny", tiny.rows, tiny.input_shape).initialize(1)
        with suppress(WeightsError):  # strict: each array must be there, in the right shape
            hdf5.put(again, {"conv/w": conv, "conv/b": np.zeros(4), "dense/b": np.zeros(3),
                             "dense/w": dense.reshape(-1, dense.shape[-1])}, program)
            mistaken[program, taken] = f"{abs(again.forward(x).output - right).max():.2g}"
    print(f"{program:<15}", *(f"{mistaken.get((program, taken), 'refused'):>15}"
                               for taken in LAYOUTS))
# %% [markdown]
# Wrong shapes are refused. But two layouts can have equal shapes: the weights load, the network
# runs, and its scores are wrong. Now the real network: A to D, and some more readings like them.
# %%
loaded, CHOICES = [], ("none of them", "those that change kernels", "all but one")
for name, one in READINGS.items():
    with suppress(WeightsError):
        hdf5.put(one, {f"{layer}/{key}": w for layer, arrays in one.params.items()
                       for key, w in arrays.items()}, name)
        loaded.append(name)
ask(f"{len(READINGS)} readings: {'; '.join(READINGS)}. Which of them does strict loading refuse?",
    CHOICES[0] if loaded == [*READINGS] else CHOICES[2 if len(loaded) == 1 else 1],
    choices=CHOICES, wrong={CHOICES[1]: "Square kernels keep their shape when rows and columns "
                            "change places.", CHOICES[2]: "Preprocessing is no array at all."},
    hints=("What can a loader compare?", "the shape before = the shape after?", "3x3 turned: _x_"))
# %% [markdown]
# So a network needs a probe: a stored picture, and what every layer should make of it. `probe.make`
# computes it now with plain operations in float64; files of minicnn carry one. Verifying a network
# computes all again and compares, layer by layer, beginning with the prepared picture.
# %%
right_probe = probe.make(net, by="minicnn")
found = {name: probe.verify(one, right_probe) for name, one in READINGS.items()}
label = int(net.probabilities(net.prepare(seen)).argmax())
fig, axes = plt.subplots(figsize=(11, 4.2), layout="constrained")
for letter, (name, result) in zip("ABCDEFGH", found.items(), strict=False):
    errors = [max(layer.error, 1e-9) for layer in result.layers]
    axes.semilogy(errors, "k" if result.ok else "-", label=name)
    p = READINGS[name].probabilities(READINGS[name].prepare(seen))[0, label]
    print(f"{letter} {name:<29}{net.label(label)} {p:4.0%};", "every layer agrees" if result.ok else
          f"first wrong: {result.first.layer}"
          + ", its weights are not those of the probe" * (not result.first.same_weights))
axes.axhline(result.limit, ls=":", c="grey")
names, step = [layer.layer for layer in result.layers], -(-len(result.layers) // 25)
axes.set_xticks(range(0, len(names), step), names[::step], rotation=60, fontsize=7)
axes.set(title="Where does each line leave the ground? There is the fault. Dotted: what is allowed",
         ylabel="error, in deviations of the layer", ylim=(1e-12, 30))
axes.legend(fontsize=7, ncol=3, loc="lower right")
# %% [markdown]
# Look at the probabilities: a wrong reading may still name the right class. A sensible answer for
# one photo proves little; the probe finds a single weight. The published networks differ in all of
# these points, so a file of theirs is read right only by who knows where it came from.
# %%
for one in (models.vgg16(), models.alexnet_caffe(), models.alexnet_torch()):
    first, *_, dense = [n for n, layer, _ in one.rows if isinstance(layer, Conv)
                        or isinstance(layer, Dense) and len(one.input_shapes[n]) == 3]
    kernel, p = one.param_shapes[first]["w"], one.preprocessing
    print(f"{one.name}: {first} {kernel}, in its file {(kernel[3], kernel[2], *kernel[:2])};\n  "
          f"{dense} reads {one.input_shapes[dense]} = {one.param_shapes[dense]['w'][0]:,} rows; "
          f"{p.order} minus {np.round(p.mean, 1)}, times {p.scale[0]:.3g}")
# %%  checks of what this lesson claims
assert [*mistaken.values()].count("0") == 3 < len(mistaken), "same shapes, wrong scores"
assert loaded == [*READINGS], "loading refuses none of the wrong readings"
assert [name for name, result in found.items() if result.ok] == ["as it should be"]
assert all(found[name].first.layer == "image" for name in ("red and blue", "no mean subtracted"))
# %% [markdown]
# `minicnn convert FILE` prints what it did to each array. Which two faults together could cancel?
