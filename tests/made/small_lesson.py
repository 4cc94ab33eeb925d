"""A lesson that runs at once, for tests of what goes through lessons."""

TEXT = '''\
# %% [markdown]
# # 07 · Sums
# What is a **sum**?
# Minutes: 5

# %%
import numpy as np

from minicnn.course import ask, source
from minicnn.ops import relu

x = np.arange(6.0).reshape(2, 3)
source(relu.backward)

# %% [markdown]
# A sum goes over an axis:
#
#     y[j] = sum_{i}  x[i, j]

# %%
total = x.sum(axis=0)
ask("What shape has the sum?", total.shape, wrong={(2,): "You summed over the columns."},
    hints=("Which axis is gone?", "(2, 3) without axis 0", "(_,)"))
print("total =", total)

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(2, 2))
axes.plot(total)
x += 1  # in place

# %%
ask("What is the sum of all?", x.sum(), wrong={15.0: "One was added to each."},
    hints=("Begin with 15.", "15 + 6", "15 + _"))
grows = "it doubles", "it stays"
ask("What becomes of it when x doubles?", grows[0], choices=grows,
    wrong={grows[1]: "A sum is linear."}, hints=("Try it.", "sum(2 x) = 2 sum(x)", "2 * _"))

# %% claims
print("x sums to", x.sum())
assert x.sum() == 21, "the sum"

# %% [markdown]
# What is the sum of nothing?
'''
CELLS, PICTURE = 8, "cell05.png"


def write(folder):
    """The lesson as a file in a folder."""
    path = folder / "07_sums.py"
    path.write_text(TEXT, encoding="utf-8")
    return path
