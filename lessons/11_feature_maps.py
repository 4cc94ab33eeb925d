# %% [markdown]
# # 11 · Feature maps and hypercolumns
# What is left of a photo, layer by layer? Below are the first three channels of the first fifteen
# layers, the picture of the article on features extracted at each level. Its means of hypercolumns
# follow, and the lecture's "every channel in every intermediate activation".
# Minutes: 20
# %%
import matplotlib.pyplot as plt
import numpy as np

from minicnn import vis
from minicnn.course import ask, network, photo, source
from minicnn.network.layers import ReLU
from minicnn.ops import conv, relu, resize
from minicnn.report import activations as sheets
from minicnn.vis.hypercolumn_maps import hypercolumn_maps
from minicnn.vis.survey import statistics

net, seen = network(), photo()
first = vis.activations(net, seen, f"1:{min(16, len(net.names) + 1)}", maps=3)

def draw(picture, title):
    height, width, _ = picture.shape
    axes = plt.figure(figsize=(width / 90, height / 90 + 0.4), layout="constrained").add_subplot()
    axes.imshow(picture)
    axes.set_title(title)
    axes.axis("off")

draw(sheets.first_maps(first), "From left to right: where does the photo go?")
# %% [markdown]
# A channel answers one question everywhere in the photo: here dark-to-bright, bright-to-dark, and a
# third one. The photo is a bright bar, 3 in 0. Each kernel has one row and two columns.
# %%
x = np.tile([0.0, 0, 3, 3, 0], (3, 1))[None, :, :, None]  # 3x5
w = np.array([[-1.0, 1], [1, -1], [-1, -1]]).T[None, :, None]  # KH,KW,C,O = 1,2,1,3
maps = conv.forward(x, w)[0]
after = relu.forward(maps)[0]
print("the photo's rows       ", x[0, 0, :, 0])
print("the first map's rows   ", maps[0, 0, :, 0])
ask("A ReLU follows. Which share of the numbers in the first map is then 0?",
    float((after[0, :, :, 0] == 0).mean()),
    wrong={float((maps[0, :, :, 0] == 0).mean()): "These were 0 before. max(x, 0) silences the "
           "negative number, too.", 0.25: "That is the share which is left."},
    hints=("All three rows are alike.", "zeros / numbers", "_ / 4"))
# %%
print("after the ReLU: three maps (columns), their rows\n", after[0, 0].T)
RELUS = [name for name, layer, _ in net.rows
         if isinstance(layer, ReLU) and len(net.shapes[name]) == 3]
found = vis.activations(net, seen, RELUS)
zeros = {name: float((a == 0).mean()) for name, a in found.maps.items()}
CHOICES = tuple(f"{name}, the {word}" for name, word in ((RELUS[0], "first"), (RELUS[-1], "last")))
ask("Which of these two ReLU layers has the larger share of zeros for the real photo?",
    CHOICES[int(zeros[RELUS[-1]] > zeros[RELUS[0]])], choices=CHOICES,
    wrong={CHOICES[int(zeros[RELUS[-1]] <= zeros[RELUS[0]])]: "The first has "
           f"{zeros[RELUS[0]]:.0%}, the last {zeros[RELUS[-1]]:.0%}. How particular is a pattern?"},
    hints=("In the first picture, where does one colour fill more of the maps?", "zeros / numbers",
           "edges are found in _ photos, the parts of one thing in _"))
# %% [markdown]
# The third tiny map is 0 everywhere: blank. The next figure counts zeros and blank channels in each
# ReLU layer; then come all channels of the first and the last of these layers. Every channel has
# a scale of its own, so a faint one looks as lively as a strong one.
# %%
counted = statistics(found.maps)
fig, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
axes.bar(range(len(RELUS)), [one.zeros for one in counted], label="activations that are zero")
axes.bar(range(len(RELUS)), [one.blank for one in counted], width=0.4, label="channels blank")
axes.set_xticks(range(len(RELUS)), RELUS, rotation=60 * (len(RELUS) > 8), fontsize=8)
axes.set(ylim=(0, 1), title=f"{net.name}, one photo: how silent is each layer?")
axes.legend()
for name in (RELUS[0], RELUS[-1]):
    draw(sheets.sheet(found, name), f"Every channel of {name}; a blank one is dark violet")
# %% [markdown]
# The article sees maps of one colour and concludes that the layer has too many. One photo cannot
# tell: a pattern may just not be in it. We count the channels that are silent in the photo, and in
# all pictures made of it: turned, mirrored, its negative, its quarters, noise. Blank is not dead.
# %%
turned = [np.rot90(seen, k) for k in range(4)]
quarters = [part for half in np.array_split(seen, 2) for part in np.array_split(half, 2, axis=1)]
noise = np.random.default_rng(0).integers(0, 256, seen.shape, dtype=np.uint8)
many = [*turned, seen[:, ::-1], 255 - seen, *quarters, noise]
dead = {one.layer: one.dead for one in vis.survey(net, many, RELUS).statistics}
for one in counted:
    print(f"{one.layer:<28} {one.shape[-1]:4} channels: {len(one.dead):3} silent in the photo, "
          f"{len(dead[one.layer]):3} in all {len(many)} pictures")
# %% [markdown]
# The last layer knows what, but hardly where; the first knows where, but not what. A hypercolumn
# joins them: all activations above one pixel, in all chosen layers. Small maps are enlarged first,
# between the centres of their pixels. A tiny case: a 2x2 map is enlarged to 4x4.
# %%
small = np.array([[0.0, 0], [0, 16]])
large = resize.forward(small[None, :, :, None], (4, 4))[0][0, :, :, 0]
ask("The map [[0, 0], [0, 16]] is enlarged to 4x4. What stands in row 1, column 1 (from 0)?",
    float(large[1, 1]),
    wrong={0.0: "That would be a copy of the nearest pixel. We go a quarter of the way on, "
           "both down and across.",
           16 / 9: "You put the corners on the corners. Pixels are squares: of four new ones in "
           "an old one's place, the inner lies a quarter of an old pixel inside.",
           4.0: "A quarter of the way down, and also a quarter of the way across."},
    hints=("New pixel 1 has its centre at 1.5 / 2 = 0.75, the old ones at 0.5 and 1.5.",
           "share down * share across * 16", "0.25 * _ * 16"))
columns = hypercolumn_maps(net, seen)
sizes = {name: a.shape for name, a in columns.maps.items()}
print(f"layers of {net.name}, and the shapes of their maps: {sizes}")
ask("What shape has the stack of all hypercolumns of these layers?",
    (*columns.size, columns.channels),
    wrong={[*sizes.values()][-1]: "That is the last map alone, not enlarged.",
           (*columns.size, [*sizes.values()][-1][-1]): "The channels of all layers are stacked."},
    hints=("Each pixel of the photo has one column.", "(H, W, C of all layers together)",
           f"({columns.size[0]}, {columns.size[1]}, {' + '.join('_' for _ in sizes)})"))
# %%
print(large)
print("all hypercolumns:", columns.stack().shape)
source(type(columns).mean)
# %% [markdown]
# The mean of each column needs no stack: resizing is linear, so the channels are summed first. The
# article's pictures are the mean over three layers, and over more and higher ones.
# %%
SETS = [[k for k in numbers if k <= len(net.names) and len(net.shapes[net.names[k - 1]]) == 3]
        for numbers in ([1, 4, 7], [1, 4, 7, 10, 11, 14, 17])]
SETS += [[net.names.index([*sizes][-1]) + 1]]
means = [vis.hypercolumns(net, seen, layers) for layers in SETS]
views = [vis.hypercolumns(net, seen, view=view, clusters=k) for view, k in (
    ("segments", 4), ("segments", 8), ("components", 6), ("similarity", 6))]
fig, axes = plt.subplots(2, 4, figsize=(12, 6.6), layout="constrained")
pictures = [means[0].photo, *(one.image for one in (*means, *views))]
titles = ["the photo", *("mean of layers\n" + ", ".join(map(str, one)) for one in SETS),
          "4 segments", "8 segments", "three main directions\nas red, green, blue",
          "likeness to the\nmiddle pixel (x)"]
for place, picture, title in zip(axes.flat, pictures, titles, strict=True):
    place.imshow(picture)
    place.set(title=title, xticks=(), yticks=())
axes.flat[7].plot(*views[-1].settings["pixel"][::-1], "rx")
# %% [markdown]
# The last layer alone shows hardly where; with lower layers it does. Pixels whose columns are
# alike form segments, though nobody told the network where the parts of this photo end.
# %%  checks of what this lesson claims
assert all(set(dead[one.layer]) <= set(one.dead) for one in counted), "more pictures, fewer silent"
assert np.allclose(columns.mean(), columns.stack().mean(axis=2), atol=1e-4), "no stack is needed"
assert np.isclose(large.mean(), small.mean()), "enlarging keeps this map's mean"
# %% [markdown]
# Choose layers for `vis.hypercolumns(net, photo(), layers, view="segments")` so that the segments
# follow the outlines best, and others so that they follow the things best. Can one set do both?
