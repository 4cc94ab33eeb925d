"""A fixed seed for own code that draws random numbers and takes no seed."""

import random
import sys
from contextlib import contextmanager

import numpy as np


@contextmanager
def seeded(form, seed):
    """Inside, the random numbers of Python, NumPy and PyTorch begin at `seed`, for a dropout; the
    state they had is then restored."""
    if form.op != "dropout":
        yield
        return
    torch = sys.modules.get("torch")
    before = np.random.get_state(), random.getstate(), torch and torch.get_rng_state()
    number = seed if isinstance(seed, int) else 0
    np.random.seed(number)
    random.seed(number)
    if torch:
        torch.manual_seed(number)
    try:
        yield
    finally:
        np.random.set_state(before[0])
        random.setstate(before[1])
        if torch:
            torch.set_rng_state(before[2])
