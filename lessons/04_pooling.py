# %% [markdown]
# # 04 · Pooling, switches, unpooling
# What does a maximum forget, and what does a switch remember? Below, the second picture is the
# first with the pixels of each 8 x 8 window mixed up; yet the largest pixels of all windows make
# the same small picture. We make again slides of the lecture on visualising networks: unpooling,
# "switch variables record the locations of maxima", and so a deconvnet finds its way back.
# Minutes: 20. A page to step through, every number by hand: `minicnn lesson 4 --figure`.
# %%
import matplotlib.pyplot as plt
import numpy as np

from minicnn.course import ask, network, photo, source
from minicnn.network.layers import MaxPool
from minicnn.ops import pool
from minicnn.vis.deconvnet import signed_picture

dy = np.array([[1., 10], [100, 1000]])[None, ..., None]  # each digit of a sum tells its sender

def row(pictures, titles, most=None, windows=0):  # up to `most`, numbers are written
    axes = plt.subplots(1, len(titles), figsize=(2.9 * len(titles), 3.2), layout="constrained")[1]
    for place, picture, title in zip(axes, pictures, titles, strict=True):
        place.imshow(picture.squeeze(), "Blues" if most else "gray", vmin=most and 0, vmax=most)
        place.set(xticks=[], yticks=[])
        place.set_title(title, fontsize=9)
        for (i, j), value in np.ndenumerate(picture.squeeze()) if most else ():
            place.text(j, i, f"{value:.0f}", ha="center", va="center")
    for k, (p, q) in enumerate(np.ndindex(2, 2) if windows else ()):  # their frames, stride 2
        corner, size = (2 * q - 0.46 + k / 25, 2 * p - 0.46 + k / 25), windows - 0.08 - k / 12.5
        axes[0].add_patch(plt.Rectangle(corner, size, size, fill=False, color=f"C{k + 1}", lw=2))
    return axes

grey = photo().mean(axis=2)
grey = grey[: len(grey) // 8 * 8, : grey.shape[1] // 8 * 8]
tiles = grey.reshape(len(grey) // 8, 8, -1, 8).swapaxes(1, 2)  # rows, columns, 8, 8
mixed = np.random.default_rng(0).permuted(tiles.reshape(*tiles.shape[:2], 64), axis=2)
mixed = mixed.reshape(tiles.shape).swapaxes(1, 2).reshape(grey.shape)
pooled, cache = pool.forward(grey[None, ..., None], 8)
pooled_mixed, cache_mixed = pool.forward(mixed[None, ..., None], 8)
print(f"{(grey != mixed).mean():.0%} of the pixels of the two pictures differ, of the pooled ones "
      f"{(pooled != pooled_mixed).mean():.0%}")
row([grey, mixed, pooled, pooled_mixed], ["the photo", "pixels mixed inside each window",
                                          "the photo pooled", "the mixed one pooled: the same"])
# %% [markdown]
# Max pooling keeps the largest number of each window. Where in the window it stood, the output does
# not say; it is forgotten on purpose, so that a pattern may move a little. But the way back needs
# it. So the library also keeps a switch for each window of each channel: the number of the place
# that won, counted row by row. A map of 4 x 4 and windows of 2 x 2:
# %%
x = np.array([[1., 3, 2, 1], [4, 2, 0, 5], [6, 1, 3, 2], [0, 2, 7, 3]])[None, ..., None]
y, kept = pool.forward(x, 2)
restored = pool.unpool(y, *kept)
row([x, y, kept.switches], ["x: four windows of 2 x 2", "y: the largest of each",
                            "switches: places 0 1 / 2 3"], 20, windows=2)
# %%
ask("Unpooling puts each number of y back where its switch says, in a map of 4 x 4. At which "
    "(row, column) does the 5 arrive?", tuple(np.argwhere(restored == 5)[0][1:3]),
    wrong={(0, 1): "That is its position in y; the window there begins at row 0, column 2.",
           (0, 2): "That is the corner of its window, place 0. Its switch is another.",
           (1, 1): "That is its place inside the window; add where the window begins."},
    hints=("Which window is it, and where does that begin?",
           "row S p + switch // 2, column S q + switch % 2", "(2 * 0 + _, 2 * 1 + _)"))
# %%
row([x, y, restored], ["x", "y", "unpooled: the others are lost"], 20)
source(pool.forward, pool.unpool, pool.backward)
# %% [markdown]
# The last two lines say that the gradient of a maximum is unpooling. Raise the winner a little and
# y rises by as much; change another pixel and y stays. So all of dy goes to the pixel that won, and
# none to the others. Two cases need care, and this map, with windows of 3 x 3 and stride 2, has
# both: windows overlap, so that a pixel may win several; and two pixels of a window may be equal.
# %%
z = np.array([[1., 8, 0, 2, 1], [3, 2, 1, 0, 4], [0, 5, 8, 1, 3], [2, 1, 0, 6, 2],
              [4, 3, 1, 2, 0]])[None, ..., None]
largest, kept = pool.forward(z, 3, 2)
dz = pool.backward(dy, kept)
axes = row([z, largest], ["z: four windows of 3 x 3", "the largest of each"], 20, windows=3)
plt.setp([axes[0].texts[equal] for equal in (1, 12)], color="r", weight="bold", size=16)
# %%
ask("In the top left window the 8 at z[0,1] and the 8 at z[2,2] are equal. Which number does the "
    "switch of this window hold?", int(kept.switches[0, 0, 0, 0]),
    wrong={8: "That is the last of the equals. A later pixel must be larger to win, not equal.",
           4: "A switch names one of the two places, it does not lie between them."},
    hints=("Places are numbered row by row, from 0 to 8; look at the page's `candidate > best`.",
           "3 * row + column of the first 8", "3 * 0 + _"))
ask("dy is 1, 10, 100, 1000 for the four windows. What arrives at the middle pixel, z[2,2]?",
    int(dz[0, 2, 2, 0]),
    wrong={int(dy.sum()): "The top left window also contains z[2,2], but its switch points to "
           "z[0,1].", dy.sum() - dy[0, 0, 0, 0] / 2: "Half to each of two equals? A switch names "
           "one place only; the top left window's 1 goes all to z[0,1].",
           dy.max(): "That is one of the windows it won; the others send theirs, too."},
    hints=("Which windows did the middle pixel win?", "the sum of their dy", "10 + _ + _"))
# %%
row([kept.switches, dz], ["switches: places 0 1 2 / 3 4 5 / 6 7 8", "dz: what arrives"], 4000)
for at in (0, 1), (2, 2), (2, 1):
    one = np.arange(25).reshape(z.shape) == 5 * at[0] + at[1]
    raised, lowered = (pool.forward(z + step * one, 3, 2)[0][0, 0, 0, 0] for step in (1, -1))
    print(f"z{list(at)} = {z[one].item():.0f}: raised by 1, y[0,0] = {raised:.0f}; lowered by 1, "
          f"y[0,0] = {lowered:.0f}; it was {largest[0, 0, 0, 0]:.0f}")
# %% [markdown]
# At a tie the slopes differ: y rises with either of the equals, and falls with neither. There is no
# gradient; any program has to choose. This one gives all to the first. Raise the first 8 by the
# smallest amount and it alone is the largest: then all goes to it. Half to each is right for no map
# near this one. (An average has no winner: its gradient is shared among all, always.)
# %% [markdown]
# Now the real network: all maps of its last max pooling, sent down to the pixels. At the ReLUs we
# use a rule (the deconvnet's, lesson 05) that does not look at the photo at all. So whatever the
# pictures show of the photo has come from the maps or from the switches (or an LRN, lesson 06). We
# take the photo's own switches, those of the photo upside down, or place 0 everywhere.
# %%
net = network()
pools = [name for name in net.names if isinstance(net[name], MaxPool)]
assert pools, f"{net.name} has no max pooling; take other weights for this lesson"
run, other = (net.forward(net.prepare(photo())[:, ::way], to=pools[-1]) for way in (1, -1))
pools = [name for name in pools if name in run.caches]
own, foreign = ({name: one.switches(name) for name in pools} for one in (run, other))
none = {name: np.zeros_like(switches) for name, switches in own.items()}

def down(values, switches):
    run.caches |= {name: run.caches[name]._replace(switches=switches[name]) for name in pools}
    return run.backward({pools[-1]: values}, relu="deconvnet")

maps = run[pools[-1]]
flat = np.full_like(maps, maps.mean())
sent = [down(maps, own), down(maps, foreign), down(flat, own), down(maps, none)]
like_photo, like_other = (float(np.corrcoef(np.abs(sent[1]).ravel(), np.abs(one).ravel())[0, 1])
                          for one in (sent[0], down(other[pools[-1]], foreign)))
looks = "the photo", "the photo upside down", "the photo, with less detail"
ask(f"The maps of the last max pooling, {pools[-1]}, are of the photo, all switches of the photo "
    "upside down. What does one see at the pixels?", (
        answer := looks[int(like_other > like_photo)]), choices=looks,
    wrong={look: sentence for look, sentence in {
        looks[0]: "The numbers are the photo's, but the switches decide where each of them goes.",
        looks[1]: "That it would be if the switches decided; here the numbers did.",
        looks[2]: "Detail is where things are. The switches bring it, from the other picture.",
    }.items() if look != answer},
    hints=("What says where a number goes on the way down?", "a number to each window, at the "
           "place of its switch", "values: what is there; switches: _"))
# %%
row([net.restore(run["image"])[0], *(signed_picture(one, net.preprocessing) for one in sent)],
    ["the photo", "its maps, its switches", "its maps, switches of upside down",
     "one number everywhere, its switches", "its maps, place 0 for all switches"])
print(f"likeness to the way down of the photo {like_photo:.2f}, upside down {like_other:.2f}")
# %%
assert np.array_equal(pooled, pooled_mixed) and (grey != mixed).any(), "two pictures, one pooled"
assert not np.array_equal(cache.switches, cache_mixed.switches), "only the switches tell them apart"
assert np.array_equal(pool.forward(restored, 2)[0], y), "unpooled and pooled again: y"
assert np.array_equal(pool.backward(y, pool.forward(x, 2)[1]), restored), "the gradient unpools"
assert dz.sum() == dy.sum(), "nothing of dy is lost or made"
# %% [markdown]
# Try: put random numbers in place of `maps`. What does one still recognise, and what does that say
# about pictures made by a deconvnet: how much of their shapes did the unit choose?
