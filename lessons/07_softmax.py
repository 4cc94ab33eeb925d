# %% [markdown]
# # 07 · Dense, softmax, cross-entropy
# How do numbers become a belief, and what does a belief send back? We make again the picture of the
# Wolfram post "What Neural Networks look": an image that makes VGG-16 say pelican with 100 %. Its
# author climbed "the layer before the last". This lesson ends with the reason.
# Minutes: 15
# %%
import matplotlib.pyplot as plt
import numpy as np

from minicnn import images, vis
from minicnn.ascent import loop, objectives, optimizers
from minicnn.course import ask, network, photo, source
from minicnn.ops import cross_entropy, dense, softmax

net = network()
logits = net.forward(net.prepare(photo()), to=net.logits, keep=()).output.ravel()
top = np.argsort(-logits)[:8]
names = [f"{net.label(int(k)).split(',')[0][:20]}" for k in top]
figure, axes = plt.subplots(1, 3, figsize=(13, 3.6), layout="constrained")
axes[0].imshow(photo())
axes[0].set(title="the photo", xticks=(), yticks=())
axes[1].barh(names, logits[top])
axes[1].set_title(f"outputs of {net.logits}: the logits")
axes[2].barh(names, softmax.forward(logits)[0][top])
axes[2].set_title("as probabilities: what happened?")
for place in axes[1:]:
    place.invert_yaxis()
# %% [markdown]
# Logits are plain sums of products and may be any numbers. Softmax makes each positive with exp,
# then divides by the sum. With the logarithms of 1, 2 and 5 as logits one can do it by hand.
# %%
x = np.log([[1.0, 2.0, 5.0]])
p = softmax.forward(x)[0]
ask("The logits are log 1, log 2 and log 5. What is the probability p[2]?", p[0, 2],
    wrong={5.0: "That is exp(x[2]). It still has to be divided by the sum of all three.",
           np.log(5): "That is the logit itself.",
           np.log(5) / np.log(10): "You divided the logits. Softmax divides their exponentials."},
    hints=("exp undoes log.", "exp(x[2]) / (exp(x[0]) + exp(x[1]) + exp(x[2]))", "5 / (1 + _ + _)"))
# %%
print("p =", p)
CHOICES = ("They stay as they are", "They all grow", "They move towards 1/3 each")
same = np.allclose(softmax.forward(x + 100)[0], p)
ask("100 is added to all three logits. What do the probabilities do?",
    CHOICES[0 if same else 1], choices=CHOICES,
    wrong={CHOICES[1]: "They cannot: they sum to 1, before and after.",
           CHOICES[2]: "The ratio of the logits does. But exp turns differences into ratios."},
    hints=("Write exp(x + 100) as a product.", "exp(x + 100) = exp(x) * exp(100)",
           "5 exp(100) / (1 exp(100) + 2 exp(100) + _ exp(_)) = 5 / _"))
# %% [markdown]
# So only differences between logits count. A network is free to shift them all, and now and then
# they are large. Somebody's softmax, straight from the formula, gets the three plus 1000.
# %%
with np.errstate(over="ignore", invalid="ignore"):  # NumPy would warn; look at the result instead
    naive = np.exp(x + 1000) / np.exp(x + 1000).sum()
NAIVE = ("1/8, 2/8, 5/8, as before", "0, 0, 1", "nan, nan, nan")
ask("What does exp(x) / exp(x).sum() return for them?", NAIVE[2 if np.isnan(naive).all() else 0],
    choices=NAIVE, wrong={NAIVE[0]: "On paper. But exp(1000) is beyond 1e308, where float64 ends.",
                          NAIVE[1]: "All three exponentials overflow, not the largest alone."},
    hints=("How large is exp(1000), and how large can a float be?", "inf / (inf + inf + inf)",
           "exp(1000) = 10^434 > 10^_, so each quotient is _ / _"))
# %%
print("naive:", naive, " the page:", softmax.forward(x + 1000)[0])
source(softmax.forward)
# %% [markdown]
# The page subtracts the largest logit first: no probability changes, and nothing overflows.
# Cross-entropy says how much the true class surprises: loss = -log p[label], which is
# log(sum of exp x) - x[label]. Its slope in x[k] is p[k], from the first term, less 1 at the label.
# %%
loss, cache = cross_entropy.forward(x, [1])
dx = cross_entropy.backward(1.0, cache)
ask("The true class is 1, with p[1] = 2/8. What is the gradient dx[1] of the loss?", dx[0, 1],
    wrong={0.25: "That is p[1]. At the true class 1 is subtracted.",
           0.75: "Mind the sign: raising the true logit lowers the loss.",
           -4.0: "That is the slope of -log p in p. It still has to pass through softmax."},
    hints=("The label's entry has both terms.", "dx = p - y, with y = 1 at the label, else 0",
           "2/8 - _"))
# %%
print("dx = p - y =", dx, "; sum", dx.sum())
_, kept = softmax.forward(x)
two_steps = softmax.backward(np.array([[0, -1 / p[0, 1], 0]]), kept)
print("the same in two steps, -1/p at the label, then softmax.backward:", two_steps)
sure = np.array([[0.0, 1000.0]])
print("p of the true class:", softmax.forward(sure)[0][0, 0], " loss from the logits:",
      cross_entropy.forward(sure, [0])[0])
source(cross_entropy.backward)
# %% [markdown]
# In two steps one divides by p[1] and multiplies by it again; from the logits it cancels, and log 0
# never occurs. What is sent back is the error of the belief: the true class gets what it lacks, the
# others lose what they have. A dense layer, y = x @ W + b, makes of it a gradient of its weights.
# %%
rng = np.random.default_rng(0)
features, w, labels = rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), [0, 2, 1, 1, 0]
y, cache = dense.forward(features, w)
dy = cross_entropy.backward(1.0, cross_entropy.forward(y, labels)[1])
gradients = dense.backward(dy, cache)
ask("Five photos with four features each, three classes. What shape has dW?", gradients.dw.shape,
    wrong={(5, 3): "That is dy, the error of each photo at each class.",
           (5, 4, 3): "All five photos use one W: their gradients are summed."},
    hints=("A gradient has the shape of what it belongs to.", "dW = x^T @ dy", "(_, 5) @ (5, _)"))
# %%
source(dense.backward)
print("dW", gradients.dw.shape, "dx", gradients.dx.shape)
# %% [markdown]
# Now turn the tables: keep the weights and change the photo until the network believes in a class.
# Which number should be climbed: the logit, log p, or p itself? Their slopes in the class's own
# logit are 1, 1 - p and p (1 - p). We start at the mean colour, with steps of the same rate.
# %%
target, grey = int(top[0]), np.zeros((1, *net.input_shape), np.float32)
KINDS = {"the logit": objectives.logit, "log p": objectives.log_probability,
         "p": objectives.probability}
slope = np.abs(loop.look(net, objectives.logit(net.logits, target), grey)[1]).mean()
beliefs, pictures = {kind: [] for kind in KINDS}, {}
for kind, objective in KINDS.items():
    ascent = loop.steps(
        net, objective(net.logits, target), grey, optimizers.SGD(2 * net.grey_level / slope), 30,
        bounds=images.bounds(net.needed_preprocessing(), net.input_shape[:2]))
    pictures[kind] = loop.follow(ascent, 30, watch=lambda step, kind=kind: beliefs[kind].append(
        net.probabilities(step.image)[0, target])).image
ask(f"At the mean colour p is {beliefs['p'][0]:.2g}. Which of the three hardly leaves it?",
    min(KINDS, key=lambda kind: beliefs[kind][-1]), choices=tuple(KINDS),
    wrong={"the logit": "Its slope is 1 wherever it stands.",
           "log p": "Its slope is 1 - p: nearly 1 while the class is unlikely."},
    hints=("Put a small p into the three slopes.", "1, 1 - p, p (1 - p)", "1, _, _ for p = 0.01"))
# %%
figure, axes = plt.subplots(1, 5, figsize=(15, 3.4), layout="constrained")
for place, (kind, picture) in zip(axes, pictures.items(), strict=False):
    place.imshow(net.restore(picture)[0])
    place.set(title=f"climbing {kind}: p = {beliefs[kind][-1]:.2%}", xticks=(), yticks=())
    axes[3].semilogy(beliefs[kind], label=kind)
axes[3].set(title=f"p of {names[0]}, step by step")
axes[3].legend()
image = vis.maximize(net, target=target)
axes[4].imshow(image.image)
axes[4].set(title="the same class by vis.maximize", xticks=(), yticks=())
print(image.caption)
# %% [markdown]
# The gradient of p is p times that of log p: where a class is unlikely, p cannot start. And a class
# image does not show the class: it is one of many that raise a number, and 100 % says only that all
# other logits stayed far behind.
# %% checks of what this lesson claims
assert same and np.isnan(naive).all() and np.isclose(dx.sum(), 0), "differences, overflow, p - y"
assert np.allclose(two_steps, dx), "p cancels"
of_p, of_log = (loop.look(net, KINDS[kind](net.logits, target), grey)[1] for kind in ("p", "log p"))
of_log *= beliefs["p"][0]
assert np.allclose(of_p, of_log, atol=1e-3 * np.abs(of_p).max()), "p times the gradient of log p"
assert beliefs["p"][-1] < beliefs["the logit"][-1], "the logit climbs, p does not"
# %% [markdown]
# Try: the gradient of p points where that of log p does; it is only shorter. Let each step divide
# by its size, `optimizers.SGD(2 * net.grey_level, normalize="mean_abs")`. Which is best now?
