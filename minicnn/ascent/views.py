"""Views: the image as a camera sees it that moves, turns, and steps nearer or back.

A class picture must please the network wherever the camera stands. Where the camera often steps
back, and sees the whole image small inside a border of the mean colour, the picture becomes one
large object; where it only steps nearer, many small ones. A view is a transform like those of
`minicnn.ascent.transforms`. Its result has a size of its own, so the image may be larger than the
network's input.
"""

from math import radians

from minicnn.ascent.transforms import turned
from minicnn.backend import array_module

CORNERS = [(i, j) for i in (0, 1) for j in (0, 1)]
EXACT = 2.0**-44  # of the largest term: so many bits leave a sum of 500 terms exact


def affine(size, zoom=(0.9, 1.6), degrees=10.0, shift=0.1):
    """One window of the image, moved, turned and zoomed at random.

    Parameters
    ----------
    size : (H, W)
        Of the result, as a rule the network's input size.
    zoom : (float, float) above 0
        Least and greatest side of the window over the image's side, all between equally likely.
        Above 1 the image is seen smaller, inside a border of zeros.
    degrees : float
        Greatest angle, each way.
    shift : float
        Greatest distance of the window's centre from the image's, each way, in half sides of the
        image; a window smaller than the image may also move as far as it stays inside.
    """
    _check_zoom("affine", zoom)

    def transform(x, rng):
        ratio = rng.uniform(*zoom)
        angle = radians(rng.uniform(-degrees, degrees))
        most = shift + max(0, 1 - ratio)
        return window(x, size, ratio, angle, rng.uniform(-most, most, 2))
    return transform


def crops(size, zoom=(0.25, 0.30), spread=0.3):
    """One window of the image, its centre drawn from a normal distribution around the middle.

    Parameters
    ----------
    size, zoom
        As for `affine`.
    spread : float
        Standard deviation of the centre, in half sides of the image.
    """
    _check_zoom("crops", zoom)
    return lambda x, rng: window(x, size, rng.uniform(*zoom), 0.0, rng.normal(0, spread, 2))


def noise(deviation):
    """Add normal noise and, half as strong, uniform noise, in the network's input values.

    Parameters
    ----------
    deviation : float
        Of the normal part; the uniform part reaches from -`deviation` / 2 to `deviation` / 2.
    """
    def transform(x, rng):
        drawn = deviation * (rng.normal(0, 1, x.shape[1:]) + rng.uniform(-0.5, 0.5, x.shape[1:]))
        return x + array_module(x).asarray(drawn, dtype=x.dtype), lambda dy: dy
    return transform


def whole(x, size):
    """All of x (N, H, W, C) at another size (h, w), as one window sees it."""
    return x if x.shape[1:3] == tuple(size) else window(x, size, 1.0, 0.0, (0, 0))[0]


def window(x, size, zoom, angle, centre):
    """What a window sees of x (N, H, W, C), and the adjoint.

    The pixel p of the result (h, w) lies at the position q = zoom R p + centre of the image, both
    counted from their middles, where R is a turn by `angle` (radians, anticlockwise to the eye).
    Its value is the bilinear mean of the four pixels around q; outside the image there are zeros.
    Where it covers several pixels of the image each way, it is the mean of as many such values.
    The adjoint gives every pixel back its shares, summed by `add.at`. They are rounded to whole
    multiples of one number before: sums of whole numbers are exact in any order, also a GPU's.

    Parameters
    ----------
    x : array (N, H, W, C)
    size : (h, w)
    zoom : float
        Side of the window over the image's; where their shapes differ, of the side for which this
        is less.
    angle : float
    centre : (float, float)
        Of the window, rows first, in half sides of the image.

    Returns
    -------
    y : array (N, h, w, C)
    back : callable
    """
    xp, (n, height, width, c), (h, w) = array_module(x), x.shape, size
    step = zoom * max(height / h, width / w)
    fine = max(1, int(step))
    down, right = (step / fine * (xp.arange(side * fine) - (side * fine - 1) / 2) for side in size)
    down, right = turned(down[:, None], right[None, :], angle)
    down = down + (height - 1) / 2 + centre[0] * height / 2
    right = right + (width - 1) / 2 + centre[1] * width / 2
    top, left = xp.floor(down), xp.floor(right)
    index = ((top.clip(-2, height) + 2) * (width + 4) + left.clip(-2, width) + 2).astype(int)
    a, b = down - top, right - left
    shares = [((a if i else 1 - a) * (b if j else 1 - b)) for i, j in CORNERS]
    places = [index + i * (width + 4) + j for i, j in CORNERS]

    wide = xp.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0))).reshape(n, -1, c)  # N,H+4,W+4,C -> N,M,C
    y = sum(share[..., None].astype(x.dtype) * wide.take(place, axis=1)
            for share, place in zip(shares, places, strict=True))
    y = y.reshape(n, h, fine, w, fine, c).mean(axis=(2, 4))  # N,hf,wf,C -> N,h,w,C

    def back(dy):
        dy = (dy / fine**2).repeat(fine, axis=1).repeat(fine, axis=2)  # N,h,w,C -> N,hf,wf,C
        where, share = (xp.stack(both).ravel() for both in (places, shares))
        count = (height + 4) * (width + 4)
        dx = xp.stack([
            _summed(xp, where, share * xp.stack([dy[k, :, :, j]] * 4).ravel(), count)
            for k in range(len(dy)) for j in range(c)])  # -> NC,M
        dx = dx.reshape(len(dy), c, height + 4, width + 4)[:, :, 2:-2, 2:-2]
        return xp.ascontiguousarray(dx.transpose(0, 2, 3, 1)).astype(dy.dtype)  # -> N,H,W,C
    return y, back


def _summed(xp, where, terms, count):
    """The sum of the terms of each place (count,)."""
    unit = EXACT * xp.maximum(abs(terms).max(), 1e-300)
    sums = xp.zeros(count)
    xp.add.at(sums, where, xp.rint(terms / unit))
    return sums * unit


def _check_zoom(name, zoom):
    if not 0 < zoom[0] <= zoom[1] < float("inf"):
        raise ValueError(f"{name}: zoom must be two numbers above 0, the smaller one first, got "
                         f"{zoom}")
