# %% [markdown]
# # 19 · Training
# Random kernels become edge detectors: how, and in which order? And what can one do with few
# images? We follow one weight through three steps by hand. Then we train a small network on 300
# drawn images, alone, with augmentation, and on top of a network that has seen 50,000 photos.
#
# Minutes: 25
# %%
import numpy as np

from minicnn import Network, images, show, train
from minicnn.course import ask, network, source
from minicnn.images.display import signed_to_uint8, tiled
from minicnn.network.layers import Conv, Dense, MaxPool, ReLU, Softmax
from minicnn.report import augmented, curves

# %% [markdown]
# ## One weight, three steps
# The loss is (w - 3)^2 / 2, so its gradient is w - 3. We start at w = 0 and go 0.5 of the gradient
# downhill. With momentum, each step also repeats a share of the step before.
# %%
source(train.SGD.step)
for momentum in (0.0, 0.5):
    optimizer, w = train.SGD(0.5, momentum), np.zeros(1)
    for _ in range(2):
        before, w = w, optimizer.step(w, w - 3)
        print(f"momentum {momentum}: gradient {before[0] - 3:6.3f}, w {before[0]} -> {w[0]}")
last = optimizer.step(w, w - 3)
# %%
ask("With momentum 0.5, w went 0, 1.5, 3. There the gradient is 0. What is w after a third step?",
    round(last[0], 3),
    wrong={3.0: "The gradient is 0 there, but half of the last step is repeated.",
           4.5: "Half of the last step is repeated, not all of it."},
    hints=("How long was the second step?", "w + 0.5 * (the last step)", "3 + 0.5 * _"))
# %% [markdown]
# It runs past the minimum, and comes back. On a long slope all steps point the same way, and what
# is repeated adds up: there it is faster, and that is what it is for.
#
# ## Three hundred images
# Ten classes of shapes and textures, drawn by formulas: where, how large, which way round and in
# which colours is drawn by lot. 300 to learn from, 200 others to test.
# %%
few, held = (train.data.shapes(count, seed, size=32).in_memory() for count, seed in
             ((300, 0), (200, 1)))
show(list(few.images[:10]), titles=few.classes, side=1.4)


def small():
    """Three convolutions and a dense layer, with random weights."""
    how = images.Preprocessing((32, 32), "RGB", (128, 128, 128), 1 / 128)
    return Network("small", [
        ("conv1", Conv(16, 5, pad=2)), ("relu1", ReLU()), ("pool1", MaxPool(2)),
        ("conv2", Conv(32, 3, pad=1)), ("relu2", ReLU()), ("pool2", MaxPool(2)),
        ("conv3", Conv(48, 3, pad=1)), ("relu3", ReLU()), ("pool3", MaxPool(2)),
        ("fc4", Dense(10)), ("prob", Softmax()),
    ], (32, 32, 3), how).initialize(seed=0)


untrained = train.evaluate(small(), held)
ask("The network is untrained, and there are ten classes. How many of 100 images are right, about?",
    10, wrong={0: "Chance gets some right.", 50: "That would be chance with two classes."},
    hints=("What does guessing give?", "100 / 10", "1 / _ of them"))
# %% [markdown]
# The loss is -ln of the probability of the right class. A guess gives each class 1/10, and has the
# loss ln 10. Far above that, weights are too large: sure of what they cannot know.
# %%
print(f"right {untrained.top1:.1%}, loss {untrained.loss:.2f}, ln 10 = {np.log(10):.2f}")
# %% [markdown]
# ## Learning by heart
# An epoch is one pass over the 300 images, in batches of 20; `fit` yields after each. Its steps are
# Adam's, each weight's divided by the usual size of its gradient, and become smaller as a cosine.
# %%
alone, snapshots = small(), {}
settings = dict(epochs=30, batch=20, validation=held, progress=False,
                rate=train.schedules.cosine(0.003))
history = []
for epoch in train.fit(alone, few, **settings):
    history.append(epoch)
    snapshots[epoch.index + 1] = alone.astype("float32")  # a copy of all weights, for later
print(history[-1])
# %% [markdown]
# The 300 it knows by heart; of the others it gets far fewer right. That gap is overfitting. A shape
# that is turned or moved is the same shape, so we may turn it by any angle and move it by a
# twentieth: in 30 epochs it sees 9,000 different images.
# %%
vary = train.augment.affine(180, 0.05, 0.05, shear=0, zoom=0, fill="reflect")
show(augmented.sheet(few.images[:3], vary))
turned = small()
gentler = list(train.fit(turned, few, augment=vary, **settings))
gaps = [run[-1].accuracy - run[-1].val_accuracy for run in (history, gentler)]
ask("With augmentation, is the gap between training and test images smaller or larger?",
    "smaller" if gaps[1] < gaps[0] else "larger", choices=("smaller", "larger"),
    wrong={"larger": "What it sees in training is now harder to learn by heart."},
    hints=("What does it see in each epoch?", "Can it learn 9,000 different images by heart?",
           "It cannot, so the gap is ..."))
# %%
show(curves.draw({"alone": history, "with augmentation": gentler}), side=4)
# %% [markdown]
# A small gap alone is no merit: an untrained network has none. What counts are the test images.
# Alone, their loss rises again while the training loss goes to 0: it grows sure, and wrong.
#
# ## On the shoulders of another network
# The shipped network has learnt photos of a hundred classes. Its convolutions know edges, blobs and
# textures. We keep them, and learn the dense layers on the same 300 images: transfer learning.
# `until` is the network up to a layer, computed once; `after` is the rest, with the same arrays.
# Then the last two convolutions learn, too, at a small rate: fine-tuning.
# %%
big, big_held = (train.data.shapes(len(data), seed, network().input_shape[0]).in_memory()
                 for seed, data in enumerate((few, held)))  # the same images, drawn larger
tuned = train.head.replace(network().astype("float32"), 10).initialize(0)
cut = [name for name in tuned.trunk if len(tuned.shapes[name]) == 3][-1]  # the last with places
known = [(tuned.until(cut).forward(images.normalize(data.images, tuned.preprocessing),
                                   keep=()).output, data.labels) for data in (big, big_held)]
ask(f"{cut} is {tuned.shapes[cut]} for one image. What shape do 300 images have there?",
    known[0][0].shape, wrong={tuned.shapes[cut]: "That is one image; N comes first."},
    hints=("What comes before H, W, C?", "N,H,W,C", "(300, _, _, _)"))
head = list(train.fit(tuned.after(cut), known[0], 15, train.Adam(0.001), batch=20,
                      validation=known[1], progress=False))
below = [name for name in tuned.param_shapes if name in tuned.until(cut).names]
fine = list(train.fit(tuned, big, 5, train.Adam(0.0003), batch=20, validation=big_held,
                      frozen=below[:-2], progress=False))
for name, run in (("from scratch", history), ("with augmentation", gentler),
                  ("a new head", head), ("fine-tuned", fine)):
    print(f"{name:18} training {run[-1].accuracy:6.1%}   test {run[-1].val_accuracy:6.1%}")
# %% [markdown]
# Not all is alike: the other network is larger and sees larger images. But where images are few,
# what was learnt from many others is worth most; then augmentation.
#
# ## Features as they grow
# The kernels of conv1 after some epochs: noise becomes blobs of colour and edges. Below, how much
# each layer's responses to test images resemble those after epoch 30 (correlation; the last is 1).
# Zeiler and Fergus saw lower layers settle first.
# %%
after, x = (1, 2, 5, 10, 20, 30), images.normalize(held.images[:50], alone.preprocessing)
runs = [snapshots[k].forward(x, to="conv3") for k in after]
alike = {name: [np.corrcoef(run[name].ravel(), runs[-1][name].ravel())[0, 1] for run in runs]
         for name in ("conv1", "conv2", "conv3")}
show([tiled(signed_to_uint8(snapshots[k].params["conv1"]["w"].transpose(3, 0, 1, 2)), 4)
      for k in after], titles=[f"conv1 after epoch {k}" for k in after])
for name, values in alike.items():
    print(name, "  ".join(f"{value:.2f}" for value in values))
# %%
assert history[-1].accuracy > gentler[-1].accuracy, "without augmentation it learns by heart"
assert gaps[1] < gaps[0], "augmentation closes the gap"
assert history[-1].val_loss > min(epoch.val_loss for epoch in history) + 0.1, "sure, and wrong"
assert fine[-1].val_accuracy > history[-1].val_accuracy + 0.1, "another network's features help"
assert alike["conv1"][0] > alike["conv3"][0], "the first layer is near its end first"
# %% [markdown]
# Try a folder of your own photos, with a subfolder for each class: `minicnn train photos/ --weights
# minivgg --freeze "conv*" --snapshots kept`, then `minicnn evolution kept photos/`.
