"""Features: terms that use all channels of a layer at once."""

from minicnn.ascent.objectives.term import Objective, Term, position
from minicnn.backend import array_module
from minicnn.fast.threads import product

FLOOR = 0.1  # `cosine` raises smaller cosines to this, so that a bad start still has a gradient
EPSILON = 1e-4  # added to lengths before dividing by them
BLOCK = 1 << 22  # the most dot products in memory at a time


def energy(layer):
    """Half the sum of squares of a layer: strengthens whatever it sees (DeepDream, 2015).

        E = 1/2 sum of a^2        dE/da = a

    This gradient is what google/deepdream starts the backward pass with: the activations.

    Parameters
    ----------
    layer : str
    """
    def function(a):
        return (a * a).reshape(len(a), -1).sum(axis=1) / 2, a.copy()  # N,H,W,C -> N
    return Objective([Term(f"{layer} energy", layer, function)])


def direction(layer, vector, row=None, column=None):
    """The dot product of a layer's channels with a given direction.

    Parameters
    ----------
    layer : str
    vector : (C,) array, or (N, C) with one for each image
    row, column : int, optional
        One position; by default the mean over all positions.
    """
    def function(a):
        seen, way = _seen(a, layer, row, column), _directions(a, layer, vector)
        dots = (seen * way).sum(axis=2)  # N,M,C -> N,M
        slope = array_module(a).zeros_like(seen) + way / seen.shape[1]
        return dots.mean(axis=1), _put_back(slope, a, layer, row, column)
    return Objective([Term(f"{layer} direction{_where(row, column)}", layer, function)])


def cosine(layer, vector, power=1.0, row=None, column=None):
    """The dot product with a direction, times a power of the cosine (Lucid).

        value = mean over positions of  a.v max(c, 0.1)^power        c = a.v / (|a| |v|)

    The dot product alone also grows along a feature that only partly has this direction; the
    cosine penalises everything that is not along it. With power 0 this is `direction`.

    Parameters
    ----------
    layer : str
    vector : (C,) array, or (N, C) with one for each image
    power : float, at least 0
    row, column : int, optional
        One position; by default the mean over all positions.
    """
    if not power >= 0:
        raise ValueError(f"cosine: power must be at least 0, got {power}")

    def function(a):
        xp = array_module(a)
        seen, way = _seen(a, layer, row, column), _directions(a, layer, vector)
        dots = (seen * way).sum(axis=2, keepdims=True)  # N,M,C -> N,M,1
        length = xp.sqrt((seen * seen).sum(axis=2, keepdims=True))
        both = (length + EPSILON) * (xp.sqrt((way * way).sum(axis=2, keepdims=True)) + EPSILON)
        c = xp.maximum(dots / both, FLOOR)
        # the slope of c above FLOOR: along v, less the part along a, which only changes |a|
        along = seen / xp.where(length == 0, 1, length) / (length + EPSILON)
        slope_c = xp.where(c > FLOOR, way / both - dots / both * along, 0)
        slope = (c**power * way + power * c ** (power - 1) * dots * slope_c) / seen.shape[1]
        values = (dots * c**power).mean(axis=(1, 2))  # N,M,1 -> N
        return values, _put_back(slope.astype(a.dtype), a, layer, row, column)
    name = f"{layer} cosine^{power:g}{_where(row, column)}"
    return Objective([Term(name, layer, function)])


def distance(layer, target):
    """The distance of a layer from given activations: a loss, to be subtracted.

        E = |a - target|^2 / |target|^2        dE/da = 2 (a - target) / |target|^2

    Mahendran & Vedaldi (2015, eq. 2 and section 3.2): 0 at the target, 1 if nothing is active.

    Parameters
    ----------
    layer : str
    target : array (H, W, C), (1, H, W, C), or (N, H, W, C) with one for each image
        For a dense layer (C,), (1, C) or (N, C).
    """
    goals = target if target.ndim in (2, 4) else target[None]  # C -> 1,C or H,W,C -> 1,H,W,C
    if not goals.reshape(len(goals), -1).any(axis=1).all():
        raise ValueError(f"distance: the target is silent (zero everywhere) at {layer}; choose "
                         "another layer")

    def function(a):
        goal = array_module(a).asarray(goals, dtype=a.dtype)
        if goal.shape[1:] != a.shape[1:] or len(goal) not in (1, len(a)):
            raise ValueError(f"distance: {layer} has shape {a.shape}, the target {goal.shape}; "
                             "take the target from an image of the same size")
        size = (goal * goal).reshape(len(goal), -1).sum(axis=1)  # N,H,W,C -> N
        off = a - goal
        slope = 2 * off / size.reshape(-1, *[1] * (a.ndim - 1))  # N -> N,1,1,1
        return (off * off).reshape(len(a), -1).sum(axis=1) / size, slope
    return Objective([Term(f"{layer} distance", layer, function)])


def guide(layer, features):
    """The similarity to a guide image: each position's best dot product among its features.

        value = sum over positions of  max over j of  a.y_j        gradient there: the best y_j

    This is google/deepdream's guided dream. The first of several equally good features counts.

    Parameters
    ----------
    layer : str
    features : array (h, w, C) or (1, h, w, C)
        The guide image's activation at this layer; any height and width.
    """
    def function(a):
        seen = _seen(a, layer, None, None)
        among = array_module(a).asarray(features, dtype=a.dtype)
        if among.shape[-1:] != a.shape[-1:]:
            raise ValueError(f"guide: {layer} has {a.shape[-1]} channels, the guide's features "
                             f"are {among.shape}")
        among = among.reshape(-1, a.shape[-1])  # 1,h,w,C -> M',C
        best = among[_best(seen, among)]  # N,M -> N,M,C
        return (seen * best).sum(axis=(1, 2)), best.reshape(a.shape)  # N,M,C -> N,H,W,C
    return Objective([Term(f"{layer} guide", layer, function)])


def _best(seen, among):
    """(N, M): the index of the feature in `among` (M', C) with the largest dot product."""
    xp, (n, m, _) = array_module(seen), seen.shape
    best = xp.zeros((n, m), dtype=int)
    rows = max(1, BLOCK // len(among))
    for k in range(n):
        for top in range(0, m, rows):
            dots = product(seen[k, top : top + rows], among.T)  # (run, C) @ (C, M') -> run,M'
            best[k, top : top + rows] = dots.argmax(axis=1)
    return best


def _seen(a, layer, row, column):
    """The chosen positions, (N, M, C); M is 1 for a single position and for a dense layer."""
    if row is None and column is None:
        return a.reshape(len(a), -1, a.shape[-1])  # N,H,W,C -> N,M,C
    r, c = position(a, layer, row, column)
    return a[:, r, c, None]  # N,H,W,C -> N,1,C


def _put_back(slope, a, layer, row, column):
    """The adjoint of `_seen`: the gradient is zero at positions that it left out."""
    if row is None and column is None:
        return slope.reshape(a.shape)  # N,M,C -> N,H,W,C
    r, c = position(a, layer, row, column)
    gradient = array_module(a).zeros_like(a)
    gradient[:, r, c] = slope[:, 0]
    return gradient


def _directions(a, layer, vector):
    """The direction as (1 or N, 1, C), with a's dtype and on a's device."""
    way = array_module(a).asarray(vector, dtype=a.dtype)
    if way.shape not in ((a.shape[-1],), (len(a), a.shape[-1])):
        raise ValueError(f"{layer} has {a.shape[-1]} channels and the batch {len(a)} images; a "
                         f"direction must be (channels,) or (images, channels), got {way.shape}")
    return way.reshape(-1, 1, a.shape[-1])  # C or N,C -> N,1,C


def _where(row, column):
    return "" if row is None and column is None else f"@{row},{column}"
