"""What is done to an image that is being optimised: before each look at it, and after each step.

A transform is a small random change before the look, undone on the way back.

An image optimised under them must please the network wherever it is put, not at one pixel grid;
that alone removes most of the high-frequency noise. A transform is a function of (x, generator)
that gives the moved image and a function taking the gradient there back to x: its adjoint.

A move is a function of the image alone, applied after a step. It acts on the image's own numbers,
not through the objective, so its strength means the same for every layer of every network.
"""

from minicnn.backend import array_module


def jitter(most):
    """Roll the image by up to `most` pixels each way; what leaves on one side enters on the other.

    Parameters
    ----------
    most : int
        Pixels. The same shift for the whole batch.
    """
    if most < 0:
        raise ValueError(f"jitter: expected at least 0 pixels, got {most}")

    def transform(x, rng):
        xp = array_module(x)
        shift = tuple(int(s) for s in rng.integers(-most, most + 1, size=2))
        back = (-shift[0], -shift[1])
        return xp.roll(x, shift, axis=(1, 2)), lambda dy: array_module(dy).roll(dy, back, (1, 2))
    return transform


def diffuse(share):
    """A move: every pixel goes a `share` of the way to the mean of its four neighbours.

    It is a step down the gradient of total variation (beta = 2), and what heat does. Fine noise
    dies out within a few steps, broad shapes last. Beyond the border its pixels are repeated.

    Parameters
    ----------
    share : float in [0, 1]
    """
    if not 0 <= share <= 1:
        raise ValueError(f"diffuse: share must lie in 0..1, got {share}")

    def move(x):
        xp = array_module(x)
        p = xp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
        neighbours = p[:, :-2, 1:-1] + p[:, 2:, 1:-1] + p[:, 1:-1, :-2] + p[:, 1:-1, 2:]
        return x + share * (neighbours / 4 - x)
    return move


def apply(transforms, x, rng):
    """Apply transforms in order: the moved image, and the way back through all of them."""
    backs = []
    for transform in transforms:
        x, back = transform(x, rng)
        backs.append(back)

    def undo(dy):
        for back in reversed(backs):
            dy = back(dy)
        return dy
    return x, undo
