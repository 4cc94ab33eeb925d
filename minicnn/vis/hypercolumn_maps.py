"""Hypercolumns: all that a network computes about one pixel, as one vector (Hariharan et al. 2015).

Low layers know where something is but not what; high layers know what but not where. The
hypercolumn h of a pixel joins both. It holds the activations of all chosen layers above that pixel:
every map is resized to the photo's size by bilinear interpolation, and all of them are stacked to
(H, W, C), where C counts the channels of all layers. Pixel centres lie at half-integers, as with
PIL, OpenCV and PyTorch's align_corners=False: a map covers the whole photo, and its corner values
lie half a map pixel inside.

With 1500 channels over 224 x 224 pixels the stack takes 300 MB, and it is hardly ever needed.
Resizing is linear. So whatever is linear in the channels is computed on the small maps, and only
the result is resized, one plane in place of C:

    mean over the channels            resize(sum of the maps) / C
    h . v at all pixels               sum over layers of resize(map . the layer's part of v)
    the nearest of k centres c        |h - c|^2 is smallest where h . c - |c|^2 / 2 is largest

The lengths |h| that a cosine needs are not linear; they are computed some rows at a time.
"""

from dataclasses import dataclass, field
from math import isqrt

import numpy as np

from minicnn.images import check_finite
from minicnn.ops import resize
from minicnn.vis.activations import compute, pick
from minicnn.vis.kmeans import kmeans

LIMIT = 2**30  # bytes; a larger stack is an error
CHUNK = 2**24  # bytes of hypercolumns in memory at a time, for what needs each of them
SAMPLES = 2**24  # bytes of hypercolumns from which clusters and components are computed


@dataclass(frozen=True)
class Hypercolumns:
    """The hypercolumns of one photo, as the maps that they are made of, not yet resized.

    Attributes
    ----------
    maps : dict of str to array (h, w, c)
        The map of each layer, at its own size, in the order of the channels.
    size : (H, W)
        Size of the photo as the network sees it, in pixels.
    """

    maps: dict = field(repr=False)
    size: tuple

    @property
    def channels(self):
        """C, the length of a hypercolumn."""
        return sum(a.shape[2] for a in self.maps.values())

    def at(self, rows, columns):
        """The hypercolumns at all crossings of some rows and columns of the photo.

        Parameters
        ----------
        rows, columns : sequence of R and of Q ints

        Returns
        -------
        array (R, Q, C)
        """
        parts = []
        for a in self.maps.values():
            weights = resize.forward(a[None, :, :, :1], self.size)[1]  # of each map row and column
            part = np.tensordot(weights.rows[rows], a, 1)  # (R, h) . (h, w, c) -> R,w,c
            part = np.tensordot(weights.columns[columns], part, (1, 1))  # (Q, w) . -> Q,R,c
            parts.append(part.swapaxes(0, 1))  # Q,R,c -> R,Q,c
        return np.concatenate(parts, axis=2)

    def stack(self, limit=LIMIT):
        """All hypercolumns, (H, W, C); ValueError if they need more than `limit` bytes."""
        height, width = self.size
        needed = height * width * self.channels * np.dtype(np.float32).itemsize
        if needed > limit:
            raise ValueError(
                f"hypercolumns: {height}x{width} pixels of {self.channels} channels need "
                f"{needed / 2**20:,.0f} MiB, more than the limit of {limit / 2**20:,.0f}; use "
                "fewer layers, a smaller photo or a higher limit; no view needs the whole stack")
        return self.at(range(height), range(width))

    def mean(self):
        """The mean of every hypercolumn, over all channels: (H, W)."""
        planes = [a.sum(axis=2, dtype=np.float64) for a in self.maps.values()]  # h,w,c -> h,w
        return self._resized([plane[..., None] for plane in planes])[..., 0] / self.channels

    def times(self, vectors):
        """The dot product of every hypercolumn with every vector: from (C, K) to (H, W, K)."""
        ends = np.cumsum([a.shape[2] for a in self.maps.values()])[:-1]
        parts = zip(self.maps.values(), np.split(vectors, ends), strict=True)
        return self._resized([a @ part for a, part in parts])  # (h,w,c) . (c,K) -> h,w,K

    def _resized(self, planes):
        """The sum of planes (h, w, K), one for each layer, at the photo's size: (H, W, K)."""
        return sum(resize.forward(plane[None], self.size)[0][0] for plane in planes)

    def lengths(self):
        """The length |h| of every hypercolumn, (H, W), computed some rows at a time."""
        height, width = self.size
        step = max(1, CHUNK // (width * self.channels * np.dtype(np.float32).itemsize))
        bands = [range(r, min(r + step, height)) for r in range(0, height, step)]
        return np.concatenate([np.linalg.norm(self.at(band, range(width)), axis=2)
                               for band in bands])

    def similarity(self, pixel):
        """The cosine h . v / |h| |v| of every hypercolumn with the v of one pixel: (H, W).

        It is 0 where all activations are 0. ValueError if they all are at the pixel itself.
        """
        row, column = pixel
        v = self.at([row], [column])[0, 0]
        if not v.any():
            raise ValueError(f"hypercolumns: no channel of {', '.join(self.maps)} is active at "
                             f"pixel {row},{column}; choose another pixel or other layers")
        lengths = self.lengths() * np.linalg.norm(v)  # |h| |v|
        return self.times(v[:, None])[..., 0] / np.where(lengths > 0, lengths, 1)

    def samples(self):
        """Hypercolumns on a regular grid of pixels, (N, C), as many as `SAMPLES` bytes hold."""
        side = max(2, isqrt(SAMPLES // (8 * self.channels)))
        rows, columns = (np.unique(np.linspace(0, n - 1, side).astype(int)) for n in self.size)
        return self.at(rows, columns).reshape(-1, self.channels)  # R,Q,C -> R*Q,C

    def segments(self, clusters, seed=0):
        """The number of each pixel's cluster, (H, W), 0 for the largest: k-means on `samples`."""
        centres = kmeans(self.samples(), clusters, seed)
        nearness = self.times(centres.T) - (centres**2).sum(axis=1) / 2  # h . c - |c|^2 / 2
        labels = nearness.argmax(axis=2)
        order = np.argsort(-np.bincount(labels.ravel(), minlength=len(centres)), kind="stable")
        return np.argsort(order)[labels]

    def components(self, count=3):
        """The first principal components of `samples`, at every pixel: (H, W, count).

        There are fewer if C is smaller. The largest weight of each component is positive.
        """
        samples = self.samples()
        directions = np.linalg.svd(samples - samples.mean(axis=0), full_matrices=False)[2][:count]
        signs = np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)])
        return self.times(directions.T * signs)

    def balanced(self):
        """The same with every layer's part of a hypercolumn scaled to length 1, in the root mean
        square over its map. Otherwise the layer with the largest activations, or the most channels,
        would decide alone.
        """
        balanced = {}
        for layer, a in self.maps.items():
            length = np.sqrt((a.astype(np.float64) ** 2).sum(axis=2).mean())
            balanced[layer] = a / (float(length) or 1.0)
        return Hypercolumns(balanced, self.size)


def hypercolumn_maps(network, image, layers=None, size=None):
    """Compute the hypercolumns of a photo, also for uses that `vis.hypercolumns` has no view for.

    Parameters
    ----------
    network : Network
    image : path, uint8 array (H, W, 3), or anything `Network.prepare` takes
    layers : sequence of str or int, optional
        Names or numbers, see `minicnn.vis.activations.pick`. By default, the last layer of each map
        size. A layer without positions is the same above all pixels.
    size : int, (H, W) or "keep", optional
        Side of the photo in pixels, see `Network.prepare`.

    Returns
    -------
    Hypercolumns
    """
    layers = pick(network, usual(network) if layers is None else layers)
    x = network.prepare(image, size)
    maps = compute(network, x, layers)
    for layer, a in maps.items():
        check_finite(a, f"hypercolumns: {layer}")
        maps[layer] = a if a.ndim == 3 else a[None, None]  # c -> 1,1,c
    return Hypercolumns(maps, x.shape[1:3])


def usual(network):
    """The last layer of each size of feature maps: the one that has seen most at that size."""
    last = {network.shapes[name][:2]: name for name in network.trunk
            if len(network.shapes[name]) == 3 and max(network.shapes[name][:2]) > 1}
    if not last:
        raise ValueError(f"network {network.name} has no feature maps; name the layers to use")
    return list(last.values())
