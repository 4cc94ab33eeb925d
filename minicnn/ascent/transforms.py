"""What is done to an image before each look at it: a small random change, undone on the way back.

An image optimised under them must please the network wherever it is put, not at one pixel grid;
that alone removes most of the high-frequency noise. A transform is a function of (x, generator)
that gives the changed image and a function taking the gradient there back to x: its adjoint.

What is drawn is drawn once for the whole batch, so that image k does not depend on how many there
are. Where a transform has to invent pixels it takes zeros, the mean colour of networks whose
preprocessing subtracts one. Some change the size; a network with dense layers takes only its own,
for which `fit` is the last of them.
"""

from math import cos, radians, sin

from minicnn.ascent import pyramid
from minicnn.backend import array_module
from minicnn.ops import resize


def jitter(most):
    """Roll the image by up to `most` pixels each way; what leaves on one side enters on the other.

    Parameters
    ----------
    most : int
        Pixels. The same shift for the whole batch.
    """
    _check_count("jitter", most)

    def transform(x, rng):
        xp = array_module(x)
        shift = tuple(int(s) for s in rng.integers(-most, most + 1, size=2))
        back = (-shift[0], -shift[1])
        return xp.roll(x, shift, axis=(1, 2)), lambda dy: array_module(dy).roll(dy, back, (1, 2))
    return transform


def pad(width, value=0.0):
    """Put `width` pixels of one value around the image, so that its border is seen like the rest.

    Parameters
    ----------
    width : int
    value : float
        In the network's own numbers.
    """
    _check_count("pad", width)
    widths = ((0, 0), (width, width), (width, width), (0, 0))

    def transform(x, rng):
        h, w = x.shape[1:3]
        padded = array_module(x).pad(x, widths, constant_values=value)
        return padded, lambda dy: dy[:, width : width + h, width : width + w]
    return transform


def crop(by):
    """Leave out `by` rows and columns in all, at random sides: a jitter that moves nothing round.

    Parameters
    ----------
    by : int
        Fewer than the image has. Lucid calls this jitter.
    """
    _check_count("crop", by)

    def transform(x, rng):
        h, w = x.shape[1] - by, x.shape[2] - by
        if min(h, w) < 1:
            raise ValueError(f"crop: cannot leave out {by} rows and columns of an image {x.shape}")
        top, left = (int(s) for s in rng.integers(0, by + 1, size=2))
        widths = ((0, 0), (top, by - top), (left, by - left), (0, 0))
        return (x[:, top : top + h, left : left + w],
                lambda dy: array_module(dy).pad(dy, widths))
    return transform


def scale(factors):
    """Resize, bilinearly, by one of some factors; sides are rounded down.

    Parameters
    ----------
    factors : sequence of float above 0
        One is drawn, each as likely. Repeat a factor to see it more often.
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
    """Turn the image about its centre by one of some angles; its size stays.

    Each pixel of the turned image lies between four of the old ones and is their bilinear mean;
    what is turned in from outside is zero. The adjoint gives each old pixel the same shares of the
    turned ones, each sum in a fixed order, so that a GPU computes the same bytes every time.

    Parameters
    ----------
    degrees : sequence of float
        One is drawn, each as likely; above 0 turns anticlockwise. Repeat an angle to see it more
        often.
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
    """See the image blurred, by a Gaussian of `sigma` pixels: its gradient is blurred alike.

    To blur the image itself every so many steps: `minicnn.ascent.regularizers.blur`.

    Parameters
    ----------
    sigma : float
        Above 0. Its border is mirrored, see `minicnn.ascent.pyramid.blur`; it is its own adjoint.
    """
    return lambda x, rng: (pyramid.blur(x, sigma), lambda dy: pyramid.blur(dy, sigma))


def fit(height, width):
    """Bring the image to a size: the middle of a larger one, zeros around a smaller one.

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
    """Apply transforms in order: the changed image, and the way back through all of them."""
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

    Pad by 12, crop by 8, scale by 0.90 to 1.10, turn by up to 10 degrees (a quarter of the time
    not at all), crop by 4. The padding is zeros here, a mid-grey there.
    """
    return [pad(12), crop(8), scale([1 + k / 50 for k in range(-5, 6)]),
            rotate([*range(-10, 11), *[0] * 5]), crop(4)]


def _check_count(name, value, least=0):
    if value != int(value) or value < least:
        raise ValueError(f"{name}: expected at least {least} pixels, got {value}")


def _middle(x, size):
    """x (N, H, W, C), cropped or padded with zeros evenly on all sides to (N, *size, C).

    Where that cannot be even, the top and left side get the smaller share. From one size to
    another and back it keeps the same pixels, which makes it the adjoint of itself.
    """
    y = array_module(x).zeros((len(x), *size, x.shape[3]), dtype=x.dtype)
    (rows, old_rows), (columns, old_columns) = (
        _common(new, old) for new, old in zip(size, x.shape[1:3], strict=True))
    y[:, rows, columns] = x[:, old_rows, old_columns]
    return y


def _common(new, old):
    """Where the pixels that both have lie along a side, as slices of the new and of the old."""
    first, count = abs(new - old) // 2, min(new, old)
    inner, whole = slice(first, first + count), slice(0, count)
    return (inner, whole) if new > old else (whole, inner)


def _turn(x, angle, adjoint=False):
    """Turn x (N, H, W, C) about its centre, or apply the adjoint of that.

    The turned image at p is the sum over old pixels q of tent(R p - q) x[q], where R turns a
    position about the centre and tent(r, c) = max(1 - |r|, 0) max(1 - |c|, 0). Only the four q
    around R p count. The adjoint sums over p instead: those with R p less than 1 from q both ways,
    so p is less than sqrt(2) from where R turns back q, among the 12 in a rounded square.
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
        down, right = _turned(i, j, angle) if adjoint else (-i, -j)
        share = (xp.maximum(1 - abs(away[0] + down), 0) * xp.maximum(1 - abs(away[1] + right), 0))
        y += share[..., None] * wide.take(index + i * (w + 8) + j, axis=1)
    return y


CORNERS = [(i, j) for i in (0, 1) for j in (0, 1)]
AROUND = [(i, j) for i in range(-1, 3) for j in range(-1, 3) if {i, j} - {-1, 2}]


def _about_centre(rows, columns, angle, size):
    """Positions turned about the centre of an image of `size`."""
    middle = [(side - 1) / 2 for side in size]
    down, right = _turned(rows - middle[0], columns - middle[1], angle)
    return down + middle[0], right + middle[1]


def _turned(down, right, angle):
    """A step turned; rows count downwards, so the angle is anticlockwise to the eye."""
    return down * cos(angle) + right * sin(angle), right * cos(angle) - down * sin(angle)
