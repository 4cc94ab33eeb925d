# %% [markdown]
# # 18 · Style transfer
# Lesson 17 kept which features a picture has, and forgot where. A deep layer's activations
# themselves do the opposite: they say where. Gatys, Ecker and Bethge ask for both at once, the
# places of a photo and the features of a painting. How are two wishes weighed that pull one image
# two ways?
#
# Minutes: 20
# %%
import matplotlib.pyplot as plt
import numpy as np

from minicnn import show, vis
from minicnn.ascent import objectives
from minicnn.course import ask, network, photo, source
from minicnn.vis.colours import match_covariance

# %% [markdown]
# ## A photo and a painting
# The painting is drawn by a few lines: stripes along the level lines of some waves, in two colours.
# %%
rng = np.random.default_rng(3)
y, x = np.mgrid[:160, :160] * 2 * np.pi / 160
waves = zip(rng.integers(-2, 3, 6), rng.integers(1, 4, 6), rng.uniform(0, 6, 6), strict=True)
height = sum(np.sin(p * x + q * y + r) / np.hypot(p, q) for p, q, r in waves)
warm = (np.sin(5.5 * height + x) > 0.2)[..., None]
painting = np.where(warm, (240, 170, 40), (25, 50, 140)) * (
    0.75 + 0.3 * np.sin(15 * height[..., None] + (0, 0.5, 1)))
painting = painting.clip(0, 255).astype(np.uint8)
net, side = network(), 160
(deep,), shallow = vis.style.default_layers(net)
show(photo(), painting, titles=["content", "style"])
# %% [markdown]
# ## Two distances
# The content's distance is |F - P|^2 / |P|^2 at one deep layer, the style's that of Gram matrices,
# each divided by its value where nothing is active. We ask both of the photo cut into 64 squares,
# put together in another order.
# %%
source(objectives.distance)
whole = net.prepare(photo(), (side, side))
squares = whole.reshape(1, 8, side // 8, 8, side // 8, 3).transpose(0, 1, 3, 2, 4, 5)
squares = squares.reshape(1, 64, side // 8, side // 8, 3)[:, rng.permutation(64)]
cut = squares.reshape(1, 8, 8, side // 8, side // 8, 3).transpose(0, 1, 3, 2, 4, 5)
cut = cut.reshape(whole.shape)
run, other = (net.forward(each, to=[deep, *shallow]) for each in (whole, cut))
print(deep, "for the content;", ", ".join(shallow), "for the style")
ask(f"The photo is {whole.shape}. What shape has the content, at {deep}?", run[deep].shape,
    wrong={whole.shape: "Poolings lie below it, and it has channels of its own."},
    hints=("How many poolings lie below, and how many channels has it?", "halved at each pooling",
           f"print(net.forward(x, to={deep!r}).output.shape)"))
content = float(objectives.distance(deep, run[deep]).evaluate(other).total[0])
style = float(vis.texture.texture_loss(run, shallow[:2]).evaluate(other).total[0]) / 2
told = ("The content's, by far.", "The style's, by far.", "Both about alike.")
ask("Which distance is large for the photo in disorder?",
    told[0] if content > 3 * style else told[1] if style > 3 * content else told[2], choices=told,
    wrong={told[1]: "A Gram matrix is a mean over places, and the squares are all still there.",
           told[2]: "One of the two compares place by place, the other has no places."},
    hints=("Which of them knows where things are?", "F[h, w] against P[h, w]; G has no h, w",
           "print(content, style)"))
# %%
print(f"in disorder: content {content:.2f}, style {style:.3f}")
show(net.restore(cut)[0])
# %% [markdown]
# Separate they are not: both are numbers of the same activations. At the cuts new edges came up,
# and a unit of a deep layer sees several squares.
#
# ## Where it begins
# The image starts as the photo itself; L-BFGS then makes the sum of both losses small.
# %%
begin = vis.style(net, photo(), painting, size=side, steps=1, sizes=1)
ask("How large is the content's loss at the start?",
    abs(float(begin.by_term[f"{deep} distance"][0, 0])),
    wrong={1.0: "That is the loss of an image without activations. This one is the photo."},
    hints=("What is F there?", "|P - P|^2 / |P|^2", "_"))
# %% [markdown]
# So the first step follows the style alone. Then the content pulls back, the more the further the
# image has gone. Where the two agree to stop depends on the ratio of their weights.
# %%
ratios = (0.3, 5, 100)
made = [vis.style(net, photo(), painting, size=side, steps=20, style_weight=r) for r in ratios]
ends = [{name: -float(value[-1, 0]) for name, value in each.by_term.items()} for each in made]
contents = [end[f"{deep} distance"] for end in ends]
styles = [sum(value for name, value in end.items() if "gram" in name) / r
          for end, r in zip(ends, ratios, strict=True)]
told = ("The content's error grows, the style's falls.", "Both fall: more weight, more work done.",
        "The content's stays: its weight is the same.")
ask("style_weight is 0.3, 5 and 100. What becomes of the two errors at the end?", told[0],
    choices=told, wrong={told[1]: "One image has to serve both, and each has its own best.",
                         told[2]: "Its weight is, but its share of the pull is not."},
    hints=("Which image is best for the content alone?", "the slopes of both terms cancel out",
           "print(contents, styles)"))
# %%
fig, axes = plt.subplots(1, 3, figsize=(12, 4.6))
for axis, each, r, c, s in zip(axes, made, ratios, contents, styles, strict=True):
    axis.imshow(each.image)
    axis.set_title(f"style_weight {r:g}\ncontent {c:.2f}, style {s:.3f}")
    axis.axis("off")
# %% [markdown]
# ## Whose colours?
# A painting brings its colours. To keep the photo's, take only the brightness of the result, or
# give the painting the photo's mean and covariance of colours before anything else.
# %%
own, matched = (vis.style(net, photo(), painting, size=side, steps=20, style_weight=ratios[1],
                          colours=colours) for colours in ("luminance", "match"))
given = match_covariance(painting, photo())
show(made[1].image, own.image, matched.image, given,
     titles=["the painting's", "luminance", "match", "what match paints from"])


def tint(image):
    """The mean difference of red and blue."""
    return float((image[..., 0].astype(float) - image[..., 2]).mean())


# %% [markdown]
# `match` has hard outlines, and the last picture tells why. Where the photo's light and dark is
# stronger than the painting's, as here, the painting gets it, too: its bands become nearly black
# and white, and strokes made of them look like outlines. `luminance` paints from the soft bands,
# and lays the photo's tints over them.
#
# ## Where which style?
# A mask divides the photo: each grey level is a region, and has a painting and a Gram matrix of its
# own. Features count times the mask, scaled down to the layer's size. The second painting here is
# the first with red and blue exchanged.
# %%
mask = np.zeros(photo().shape[:2], np.uint8)
mask[:, mask.shape[1] // 2 :] = 255
parts = vis.style(net, photo(), [painting, painting[..., ::-1]], mask=mask, size=side, steps=20,
                  style_weight=ratios[2])
show(mask, parts.image, titles=["mask", "two paintings"])
left, right = np.array_split(parts.image, 2, axis=1)
# %%
assert tint(left) > tint(right), "each half has its own painting's colours"
assert content > style, "the content knows places, the style does not"
assert begin.by_term[f"{deep} distance"][0, 0] == 0, "at the start the content is the photo's"
assert contents == sorted(contents) and styles == sorted(styles, reverse=True), "a trade"
assert abs(tint(own.image) - tint(photo())) < abs(tint(made[1].image) - tint(photo())), "colours"
# %% [markdown]
# Try a painting and a photo of your own, and a larger network:
# `minicnn style photo.jpg painting.jpg --weights vgg19.h5 --size 384 --frames steps.gif`.
#
# There is a way without Gram matrices, too: `--method strotss` carries every pixel's features to
# the nearest of the painting's, and keeps of the content which pixels are alike
# (`minicnn/vis/strotss.py`).
