# %% [markdown]
# # 09 · Gradient checking, and how it fails
# Three students wrote the way back through a ReLU. All three losses fall. Who made a mistake, and
# how would one know? No picture of a well-known lecture asks this. Yet all its pictures of filters
# and classes follow a gradient, its `K.gradients(loss, model.input)`, and trust it.
# Minutes: 25
# %%
import matplotlib.pyplot as plt
import numpy as np

from minicnn import gradcheck
from minicnn.course import ask, network, photo
from minicnn.gradcheck import mistakes
from minicnn.gradcheck.cause.cause import cause
from minicnn.gradcheck.judge import files
from minicnn.ops import relu

rng = np.random.default_rng(0)
wrong = {(one.op, one.kind): one for one in mistakes.known()}  # as students write them
students = {"A": wrong["relu", "mask of both"], "B": relu, "C": wrong["relu", "leaks below zero"]}
x, goal, start = (rng.standard_normal(shape) for shape in ((64, 8), (64, 4), (8, 4)))
fig, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
for name, layer in students.items():
    w, losses = start, []
    for _ in range(60):  # gradient descent on the mean of (relu(x w) - goal)^2
        y, cache = layer.forward(x @ w)
        losses.append(np.mean((y - goal) ** 2))
        w = w - 0.5 * x.T @ layer.backward(2 * (y - goal) / y.size * 4, cache)
    axes.plot(losses, label=f"student {name}")
axes.set(title="Whose gradient is wrong? The loss does not tell", xlabel="step", ylabel="loss")
axes.legend()
# %% [markdown]
# A slope can be measured without any derivation: move x a little, and see how far f(x) moves. Take
# x^3 at x = 1, whose slope is 3. The central difference needs 1.1^3 = 1.331 and 0.9^3 = 0.729.
# %%
RULES = {"one side": lambda f, x, h: (f(x + h) - f(x)) / h,
         "central": lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h),
         "complex step": lambda f, x, h: f(x + 1j * h).imag / h}

def error(rule, h, dtype=np.float64):
    return max(abs(float(RULES[rule](lambda x: x**3, dtype(1), dtype(h))) - 3), 1e-17)

ask("By how much does the central difference of x^3 at x = 1 miss the slope, with h = 0.1?",
    error("central", 0.1),
    wrong={error("one side", 0.1): "You went one way only, from 1 to 1.1. The step to the other "
           "side cancels the term 3 h."},
    hints=("Two cubes, one distance.", "(f(x + h) - f(x - h)) / 2h - 3", "(1.331 - _) / _ - 3"))
H = {f"h = {h:g}": h for h in (1e-1, 1e-5, 1e-9, 1e-13)}
ask("In float64, which step misses least?", min(H, key=lambda name: error("central", H[name])),
    choices=tuple(H), wrong={"h = 1e-13": "So says calculus. But f(x + h) and f(x - h) then agree "
           "in nearly all digits: their difference is rounding, and you divide it by 2h.",
           "h = 0.1": "Rounding is small, but the formula itself misses by h^2."},
    hints=("Two errors add up.", "h^2 + 1e-16 / h", "1e-10 + 1e-11 at h = 1e-5, _ + _ at 1e-9"))
# %% [markdown]
# Follow one line from the left: its error falls with h until rounding takes over. That is the V.
# The complex step subtracts nothing: the imaginary part of (x + ih)^3 is 3x^2 h - h^3. There is no
# rounding to fear, and h may be tiny; but f must be smooth and accept complex numbers.
# %%
steps = 10.0 ** -np.arange(0.5, 15.1, 0.25)
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
for rule in RULES:
    left.loglog(steps, [error(rule, h) for h in steps], label=rule)
single = [error("central", h, np.float32) for h in steps]
left.loglog(steps, single, label="central, float32")
left.loglog(steps, steps**2, "k:", label="$h^2$")
left.loglog(steps, 1e-16 / steps, "k--", label="1e-16 / h")
left.set(xlim=(1, 1e-15), ylim=(1e-18, 1e7), xlabel="step h (smaller to the right)", ylabel="error",
         title="x^3 at x = 1: where does each line turn?")
left.legend(fontsize=8, loc="upper right", ncol=2)
right.plot([-1, 0, 1], [0, 0, 1], [-0.6, 0.6], [0, 0.6], "o--")
right.set(title="max(x, 0) at its kink: two slopes, one difference", xlabel="x")
print(f"float32 never comes closer than {min(single):.0e}, central differences in float64 than "
      f"{min(error('central', h) for h in steps):.0e}: check gradients in float64")
ask("Which slope does the central difference find for max(x, 0) at x = 0?",
    float(RULES["central"](lambda x: np.maximum(x, 0), 0.0, 1e-5)),
    wrong={0.0: "That is the left slope, and what backward on our page chooses.",
           1.0: "That is the right slope alone."},
    hints=("See the dashed line.", "(f(h) - f(-h)) / 2h", "(h - _) / 2h"))
# %% [markdown]
# Neither side of ReLU has that slope, so a careless check fails a right layer. Ours measures both
# sides and accepts what lies between. The slope at exactly 0 hardly matters: sums rarely hit it.
# %%
print(gradcheck.check(relu.forward, relu.backward, {"x": np.array([-1.0, 0.0, 2.0])},
                      only=("central differences",), name="relu"))
# %% [markdown]
# A layer has a slope for every pair of an output and an input: the Jacobian J, a row for each
# output. Backward never builds it. It returns dx = dy J, so a check sees only what its dy shows.
# %%
ask("A convolution turns (1, 4, 4, 2) into (1, 4, 4, 3). What shape has its Jacobian?",
    (np.zeros((1, 4, 4, 3)).size, np.zeros((1, 4, 4, 2)).size),
    wrong={(32, 48): "A row belongs to an output, a column to an input."},
    hints=("Count the numbers of y and of x.", "(outputs, inputs)", "(4*4*3, _)"))
# %% [markdown]
# Six bugs, each in a good student's layer. `usual` is the check one often meets: a difference at
# every input, and 1e-3 is allowed. Each bug is checked in a usual way, and passes.
# %%
def usual(layer, x, settings, dy=None):
    y, cache = layer.forward(x.copy(), **settings)
    dy = rng.standard_normal(y.shape) if dy is None else dy
    dx = layer.backward(dy, cache)
    slopes = [RULES["central"](lambda h, e=e: (dy * layer.forward(x + h * e, **settings)[0]).sum(),
                               0, 1e-5) for e in np.eye(x.size).reshape(-1, *x.shape)]
    return np.abs(np.ravel(slopes) - np.ravel(dx[0] if isinstance(dx, tuple) else dx)).max()
image, row = rng.standard_normal((1, 4, 4, 6)), rng.standard_normal((1, 6))
PLANTED = {  # bug: why the usual check is blind to it; its x, settings and dy
    ("relu", "upstream ignored"): ("dy is all ones", row, {}, np.ones(row.shape)),
    ("pool", "added by index, doubles lost"): ("no windows overlap", image, {"window": 2}),
    ("lrn", "cross term left out"): ("alpha is 1e-4", image, {"alpha": 1e-4}),
    ("cross_entropy", "N forgotten on the way back"): ("one image", row, {"labels": [2]}),
    ("dense", "kept for the latest call only"): ("one call at a time", row, {"w": image[0, 0].T}),
    ("lrn", "alpha not divided"): ("forward is wrong, too", image, {"alpha": 1.0})}
missed, verdicts = {bug: usual(wrong[bug], *how) for bug, (_, *how) in PLANTED.items()}, {}
for (op, kind), (blind, *_) in PLANTED.items():
    pair = wrong[op, kind].forward, wrong[op, kind].backward
    ours = files.opened(pair, op, layout="NHWC", form="page")
    verdicts[op, kind] = one = files.judged(ours, ours.found[0], quick=True)
    why = cause(ours.form(ours.found[0]), one.verdict, without=(kind,))
    print(f"{op}, planted: {kind}\n  usual check  passes, error {missed[op, kind]:.0e}: {blind}\n"
          f"  ours         gradient {one.gradient}, conduct {one.conduct}: {why.seen}")
# %% [markdown]
# Ours tries many settings, compares with an op checked by others, and watches conduct. In the last
# bug dx *is* the gradient of its forward. Differences show that two passes agree, not that they are
# right. Below is the smallest input at which the pooling fails: follow it by hand. Then the three
# students' ReLUs go into a real network, one after the other.
# %%
lines = verdicts["pool", "added by index, doubles lost"].verdict.smallest.code.splitlines()
print("\n".join(line for line in lines if line[:2] in ("x ", "dy", "y,", "pr")))
net = network().astype("float64")
point = net.prepare(photo()).astype("float64")
scores = net.forward(point, to=net.logits).output
seed = (scores == scores.max()).astype(float)  # of the likeliest class
dx = {name: net.using(relu=relu if layer is relu else layer.fresh()).forward(
    point, to=net.logits).backward({net.logits: seed}) for name, layer in students.items()}
along = dx["B"] / np.linalg.norm(dx["B"])
found = np.array([RULES["central"](lambda h: (seed * net.forward(
    point + h * along, to=net.logits, caches=False).output).sum(), 0, h) for h in steps[::3]])
fig, axes = plt.subplots(figsize=(7, 3.5), layout="constrained")
apart = {name: abs(found / (one * along).sum() - 1) for name, one in dx.items()}
for name in students:
    axes.loglog(steps[::3], apart[name], "o-", label=f"student {name}")
axes.set(xlim=(1, 1e-15), xlabel="step h (smaller to the right)", ylabel="relative error",
         title=f"{net.name}, a class score: once h crosses no kink, who follows the V?")
axes.legend()
# %%  checks of what this lesson claims
a, b, c = np.array([*apart.values()])[:, np.argmin(apart["B"])]  # at B's best step
assert b < 1e-4 < min(a, c), "only B's gradient is the slope"
assert max(missed.values()) < 1e-3, "the usual check passes every planted bug"
assert not any(one.ok for one in verdicts.values()), "ours finds every planted bug"
# %% [markdown]
# Plant a bug of your own that `usual` passes and `minicnn check` fails. Then one that both pass.
