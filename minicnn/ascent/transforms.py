"""Transforms: small random changes of the image before each forward pass.

An image optimised under transforms must raise the objective wherever it is shifted or turned, not
on one pixel grid only; this alone removes most of the high-frequency noise. A transform is a
function of (x, generator). It returns the changed image and the adjoint of the change, a function
that carries the gradient back to x.

Random numbers are drawn once for the whole batch, so image k does not depend on the size of the
batch. New pixels are zero, which is the mean colour if the preprocessing subtracts one. Some
transforms change the size; a network with dense layers takes only its own, so end with `fit`.
"""

from math import cos, radians, sin

import numpy as np

from minicnn.ascent import pyramid
from minicnn.backend import array_module
from minicnn.ops import resize

EXTENSIONS = {"reflect": "reflect", "circular": "wrap"}  # the modes of `extend`, and numpy.pad's


def jitter(most):
    """Roll the image by up to `most` pixels each way; pixels that leave on one side re-enter.

    Parameters
    ----------
    most : int
        Pixels. The whole batch gets the same shift.
    """
    _check_count("jitter", most)

    def transform(x, rng):
        xp = array_module(x)
        shift = tuple(int(s) for s in rng.integers(-most, most + 1, size=2))
        back = (-shift[0], -shift[1])
        return xp.roll(x, shift, axis=(1, 2)), lambda dy: array_module(dy).roll(dy, back, (1, 2))
    return transform


def pad(width, value=0.0):
    """Add a border of `width` pixels of one value, so that the image's edge counts like the rest.

    Parameters
    ----------
    width : int
    value : float
        In the network's input values.
    """
    _check_count("pad", width)
    widths = ((0, 0), (width, width), (width, width), (0, 0))

    def transform(x, rng):
        h, w = x.shape[1:3]
        padded = array_module(x).pad(x, widths, constant_values=value)
        return padded, lambda dy: dy[:, width : width + h, width : width + w]
    return transform


def extend(width, mode):
    """Add a border of `width` pixels that goes on with the image.

    Parameters
    ----------
    width : int
        May be more than the image has.
    mode : {"reflect", "circular"}
        reflect: mirrored at the outermost pixel; circular: the opposite side, as if the image
        repeated itself for ever.
    """
    _check_count("extend", width)
    if mode not in EXTENSIONS:
        raise ValueError(f"extend: mode must be one of {', '.join(EXTENSIONS)}, got {mode!r}")

    def transform(x, rng):
        sources = [np.pad(np.arange(side), width, EXTENSIONS[mode]) for side in x.shape[1:3]]

        def back(dy):
            xp = array_module(dy)
            for axis, at in enumerate(sources, 1):  # each pixel gets the gradients of its copies
                copies = xp.asarray(at == np.arange(x.shape[axis])[:, None], dtype=dy.dtype)
                dy = xp.moveaxis(xp.tensordot(copies, dy, axes=(1, axis)), 0, axis)
            return xp.ascontiguousarray(dy)
        down, right = (array_module(x).asarray(at) for at in sources)
        return x.take(down, 1).take(right, 2), back
    return transform


def crop(by):
    """Remove `by` rows and columns in all, on random sides: a jitter that does not wrap around.

    Parameters
    ----------
    by : int
        Less than the image's height and width. Lucid calls this jitter.
    """
    _check_count("crop", by)

    def transform(x, rng):
        h, w = x.shape[1] - by, x.shape[2] - by
        if min(h, w) < 1:
            raise ValueError(f"crop: cannot remove {by} rows and columns of an image {x.shape}; "
                             "crop less")
        top, left = (int(s) for s in rng.integers(0, by + 1, size=2))
        widths = ((0, 0), (top, by - top), (left, by - left), (0, 0))
        return (x[:, top : top + h, left : left + w],
                lambda dy: array_module(dy).pad(dy, widths))
    return transform


def scale(factors):
    """Resize bilinearly by a random factor; sides are rounded down.

    Parameters
    ----------
    factors : sequence of float above 0
        One of these is drawn, all with equal probability. Repeat a factor to draw it more often.
    """
    factors = tuple(factors)
    if not factors or not all(0 < factor < float("inf") for factor in factors):
        raise ValueError(f"scale: expected factors above 0, got {factors}")

    def transform(x, rng):
        factor = factors[int(rng.integers(len(factors)))]
        size = tuple(max(1, int(factor * side)) for side in x.shape[1:3])
        y, cache = resize.forward(x, size)
        return y, lambda dy: resize.backward(dy, cache)
    return transform


def rotate(degrees):
    """Rotate the image about its centre by a random angle; its size stays.

    Each pixel of the rotated image lies between four old ones and is their bilinear mean; pixels
    from outside the image are zero. The adjoint sums, for each old pixel, the same shares of the
    rotated ones in a fixed order, so that a GPU computes the same bytes every time.

    Parameters
    ----------
    degrees : sequence of float
        One of these is drawn, all with equal probability; above 0 rotates anticlockwise. Repeat an
        angle to draw it more often.
    """
    degrees = tuple(degrees)
    if not degrees or not all(abs(angle) < float("inf") for angle in degrees):
        raise ValueError(f"rotate: expected angles in degrees, got {degrees}")

    def transform(x, rng):
        angle = radians(degrees[int(rng.integers(len(degrees)))])
        if angle == 0:
            return x, lambda dy: dy
        return _turn(x, angle), lambda dy: _turn(dy, angle, adjoint=True)
    return transform


def blur(sigma):
    """Show the network the image blurred by a Gaussian; this blurs the gradient in the same way.

    To blur the image itself every few steps, use `minicnn.ascent.regularizers.blur`.

    Parameters
    ----------
    sigma : float
        Standard deviation in pixels, above 0. `minicnn.ascent.pyramid.blur` mirrors the border,
        which makes the blur its own adjoint.
    """
    return lambda x, rng: (pyramid.blur(x, sigma), lambda dy: pyramid.blur(dy, sigma))


def fit(height, width):
    """Crop a larger image to its middle, or pad a smaller one with zeros, to a given size.

    Parameters
    ----------
    height, width : int
    """
    for side in (height, width):
        _check_count("fit", side, least=1)

    def transform(x, rng):
        return (_middle(x, (height, width)),
                lambda dy, size=x.shape[1:3]: _middle(dy, size))
    return transform


def apply(transforms, x, rng):
    """Apply transforms in order: the changed image, and the adjoint of all of them."""
    backs = []
    for transform in transforms:
        x, back = transform(x, rng)
        backs.append(back)

    def undo(dy):
        for back in reversed(backs):
            dy = back(dy)
        return dy
    return x, undo


def lucid():
    """The standard transforms of Lucid's render_vis, as a list.

    Pad by 12, crop by 8, scale by 0.90 to 1.10, rotate by up to 10 degrees (a quarter of the time
    not at all), crop by 4. The padding is zero here, mid-grey in Lucid.
    """
    return [pad(12), crop(8), scale([1 + k / 50 for k in range(-5, 6)]),
            rotate([*range(-10, 11), *[0] * 5]), crop(4)]


def _check_count(name, value, least=0):
    if value != int(value) or value < least:
        raise ValueError(f"{name}: expected at least {least} pixels, got {value}")


def _middle(x, size):
    """x (N, H, W, C), cropped or padded with zeros evenly on all sides to (N, *size, C).

    If the difference is odd, the top and left side get the smaller share. Going back to the old
    size keeps the same pixels, so that the way back is the adjoint.
    """
    y = array_module(x).zeros((len(x), *size, x.shape[3]), dtype=x.dtype)
    (rows, old_rows), (columns, old_columns) = (
        _common(new, old) for new, old in zip(size, x.shape[1:3], strict=True))
    y[:, rows, columns] = x[:, old_rows, old_columns]
    return y


def _common(new, old):
    """The pixels along one side that both sizes share, as slices of the new and the old side."""
    first, count = abs(new - old) // 2, min(new, old)
    inner, whole = slice(first, first + count), slice(0, count)
    return (inner, whole) if new > old else (whole, inner)


def _turn(x, angle, adjoint=False):
    """Rotate x (N, H, W, C) about its centre, or apply the adjoint of the rotation.

    The rotated image at p is the sum over old pixels q of tent(R p - q) x[q], where R rotates a
    position about the centre and tent(r, c) = max(1 - |r|, 0) max(1 - |c|, 0). Only the four q
    around R p count. The adjoint sums over p instead: those whose R p is less than 1 from q in
    both coordinates. Such a p is less than sqrt(2) from R^-1 q: it is one of the 12 pixels nearest
    to that point, a 4 x 4 square without its corners.
    """
    xp, (n, h, w, c) = array_module(x), x.shape
    here = xp.arange(h)[:, None], xp.arange(w)[None, :]
    there = _about_centre(*here, -angle if adjoint else angle, (h, w))
    near = [xp.floor(side).astype(int) for side in there]
    away = ([a - b for a, b in zip(_about_centre(*near, angle, (h, w)), here, strict=True)]
            if adjoint else [a - b for a, b in zip(there, near, strict=True)])  # R p - q at `near`
    away = [side.astype(x.dtype) for side in away]
    wide = xp.pad(x, ((0, 0), (4, 4), (4, 4), (0, 0))).reshape(n, -1, c)  # N,H+8,W+8,C -> N,M,C
    index = (near[0].clip(-3, h + 1) + 4) * (w + 8) + near[1].clip(-3, w + 1) + 4
    y = xp.zeros_like(x)
    for i, j in AROUND if adjoint else CORNERS:
        down, right = turned(i, j, angle) if adjoint else (-i, -j)
        share = (xp.maximum(1 - abs(away[0] + down), 0) * xp.maximum(1 - abs(away[1] + right), 0))
        y += share[..., None] * wide.take(index + i * (w + 8) + j, axis=1)
    return y


CORNERS = [(i, j) for i in (0, 1) for j in (0, 1)]
AROUND = [(i, j) for i in range(-1, 3) for j in range(-1, 3) if {i, j} - {-1, 2}]


def _about_centre(rows, columns, angle, size):
    """Positions rotated about the centre of an image of `size`."""
    middle = [(side - 1) / 2 for side in size]
    down, right = turned(rows - middle[0], columns - middle[1], angle)
    return down + middle[0], right + middle[1]


def turned(down, right, angle):
    """A displacement rotated; rows count downwards, so the angle is anticlockwise to the eye."""
    return down * cos(angle) + right * sin(angle), right * cos(angle) - down * sin(angle)
