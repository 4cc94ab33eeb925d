"""STROTSS: style transfer by relaxed optimal transport and self-similarity (Kolkin, Salavon &
Shakhnarovich 2019).

The hypercolumn of a pixel is its colour and all that the network computes above it. Take those of
1024 random pixels of the image, x, of the same pixels of the photo, and of 1024 of the painting, y.

1. Content is a pattern, not activations: how far the pixels of the photo are from each other, in
   the cosines of their hypercolumns. So a face may become strokes, as long as what was alike in it
   is alike. l_C: `transport.self_similarity`
2. Style is a set without order. l_r is the least work of moving x to y, relaxed: every hypercolumn
   goes to the nearest, and has to have one. `transport.relaxed_emd`
3. A cosine knows directions only; l_m matches means and covariances, too (`transport.moments`), and
   l_p the colours (`transport.palette`). What is made small is

       E = (alpha l_C + l_m + l_r + l_p / alpha) / (2 + alpha + 1 / alpha)

4. The image is a Laplacian pyramid of five levels, every number of it moved by RMSprop, which steps
   alike far in broad colours and in fine strokes. Each step draws new pixels: the trace is rough.
5. It is made at 64 pixels first, then at twice as many, and so on. alpha is 16 and then halved each
   time. The first start is the photo's finest detail (the first band of its pyramid) on the
   painting's mean colour; every later one is the image before, enlarged, with the photo's finest
   detail added, but at the last size.

The paper's network is VGG-16 with activations of similar size in all layers. In others they differ
by powers of ten, and one layer would decide alone; so each layer's are divided here by their mean
over the paintings, and colours are 0..1. Fine detail comes from the network's poolings as they are,
maxima.

With masks, pixels of a region of the photo are compared with those of its region of a painting
(section "user control"), and E is the mean over the regions.
"""

from math import log2

import numpy as np

from minicnn import images
from minicnn.ascent import loop, parametrize, pyramid
from minicnn.ascent.objectives import Objective, Term, Value, transport
from minicnn.ascent.objectives.samples import bilinear
from minicnn.ascent.optimizers import RMSprop
from minicnn.ascent.transforms import apply
from minicnn.backend import array_module, to_device
from minicnn.vis.coarse_to_fine import relu_blocks
from minicnn.vis.regions import shrunk

ALPHA = 16.0  # the weight of the content at the first size
SMALLEST = 64  # pixels of the longer side at the first size
STEPS = 250  # of the authors' program
RATE = 0.51  # grey levels, 0.002 of the range from black to white
LEVELS = 5  # times that the pyramid halves the image
SAMPLES = 1024  # pixels compared in a step
WHOLE_BLOCKS = 3  # blocks of layers of which all ReLUs are taken; of the others the last
SAMPLED = "hypercolumns"  # the place of the terms


def default_layers(network):
    """All ReLUs of the first three blocks of layers and the last of each later one; in VGG-16 those
    of the authors' program, relu1_1 ... relu3_3, relu4_3 and relu5_3."""
    blocks = relu_blocks(network)
    return [name for block in blocks[:WHOLE_BLOCKS] for name in block] + [
        block[-1] for block in blocks[WHOLE_BLOCKS:]]


def count_of_sizes(size):
    """How often (H, W) can be halved until the longer side has 64 pixels, and once more."""
    return 1 + max(0, int(log2(max(size) / SMALLEST)))


def start(network, scene, size):
    """The first image (1, H, W, C): the photo's finest detail on the paintings' mean colour."""
    colours = [x.mean(axis=(1, 2), keepdims=True) for x in scene.paintings_at(network, size)]
    return detail(scene.photo_at(network, size)) + sum(colours) / len(colours)


def ascent(network, sizes, scene, layers, border, options):
    """The ascent of -E at each size, for `coarse_to_fine.steps`.

    Parameters
    ----------
    network : Network
    sizes : list of (H, W)
    scene : regions.Scene
    layers : sequence of str
        Of the hypercolumns.
    border : coarse_to_fine.Border
    options : style.StyleOptions
    """
    def of_size(k, x, count):
        size, last = sizes[k], 0 < k == len(sizes) - 1
        photo = to_device(scene.photo_at(network, size), network.device)
        if x.shape[1:3] != size:
            x = border.resized(x, size) + (0 if last else detail(photo))
        basis = parametrize.laplacian(network, size, min(LEVELS, int(log2(min(size)))),
                                      decorrelate=False, limit="linear")
        optimizer = RMSprop(options.rate / 255 / (2 if last else 1), rho=0.99, epsilon=1e-8)
        look = looking(network, size, scene, layers, border, [options.seed, k],
                       ALPHA * options.content_weight / 2**k)
        return loop.steps(network, None, basis.encode(x), optimizer, count, parametrization=basis,
                          seed=[options.seed, k], look=look)
    return of_size


def looking(network, size, scene, layers, border, seed, alpha):
    """A `loop.look` whose value is -E, of pixels that each look draws anew.

    Parameters
    ----------
    network : Network
    size : (H, W)
        Of the image.
    scene, layers, border
        As for `ascent`.
    seed : int or sequence of int
        Of the pixels of the paintings.
    alpha : float
    """
    def columns(x, mode="reflect", caches=False):
        return Hypercolumns(network, layers, border.around(mode), x, border.width, caches)

    rng, content = np.random.default_rng(seed), columns(scene.photo_at(network, size))
    paintings = [columns(x) for x in scene.paintings_at(network, size)]
    scales = {name: sum(float(each.maps[name].mean()) for each in paintings) / len(paintings)
              for name in layers}
    if silent := [name for name, scale in scales.items() if scale == 0]:
        raise ValueError(f"{', '.join(silent)} is silent for the paintings; leave it out")
    styles = []
    for part in scene.parts:
        painting = paintings[part.painting]
        styles.append(painting.at(draw(inside(part.style, painting.size), rng), scales)[0])
    goals = [transport.mean_and_covariance(style) for style in styles]
    pixels = [inside(part.content, size) for part in scene.parts]

    def look(network, objective, image, transforms, rng, backward, redirect):
        drawn = [draw(each, rng) for each in pixels]
        at, ends = np.concatenate(drawn), np.cumsum([len(each) for each in drawn])[:-1].tolist()
        x, back = columns(image, border.mode, backward).at(at, scales)
        xp, photo = array_module(x), content.at(at, scales)[0]
        parts = zip(scene.shares, xp.split(x, ends), xp.split(photo, ends), styles, goals,
                    strict=True)
        values = [(-share * energy(like, style, *goal, alpha)).evaluate({SAMPLED: own})
                  for share, own, like, style, goal in parts]
        value = Value(sum(one.total for one in values),
                      {name: sum(one.by_term[name] for one in values)
                       for name in values[0].by_term}, {})
        slopes = xp.concatenate([one.gradients[SAMPLED] for one in values])
        return value, back(slopes) if backward else None
    return look


def energy(content, style, mean, covariance, alpha):
    """E as an Objective of hypercolumns x (n, C).

    Parameters
    ----------
    content : array (n, C)
        Hypercolumns of the photo at the same pixels as x.
    style : array (m, C)
        Those of the painting.
    mean, covariance : arrays (C,) and (C, C)
        Of `style`.
    alpha : float
        At least 0; below 1, the colours' weight is 1 and not 1 / alpha.
    """
    shares = transport.distance_shares(content)

    def palette(x):
        value, slope = transport.palette(x[:, :3], style[:, :3])
        gradient = array_module(x).zeros_like(x)
        gradient[:, :3] = slope
        return value, gradient

    terms = {"content": (alpha, lambda x: transport.self_similarity(x, shares)),
             "transport": (1, lambda x: transport.relaxed_emd(x, style, transport.cosine)),
             "moments": (1, lambda x: transport.moments(x, mean, covariance)),
             "palette": (1 / max(alpha, 1), palette)}
    whole = sum(weight for weight, _ in terms.values())

    def of_one(function):  # as a batch of one image
        def values(x):
            value, gradient = function(x)
            return value[None], gradient
        return values
    return Objective(Term(name, SAMPLED, of_one(function), weight / whole)
                     for name, (weight, function) in terms.items())


class Hypercolumns:
    """The hypercolumns of an image: colours in 0..1 and maps, to be read at any pixels.

    Parameters
    ----------
    network : Network
    layers : sequence of str
    around : list of transforms
        That put a border around the image.
    x : array (1, H, W, 3)
    width : int
        Of the border, in pixels.
    caches : bool
        Whether there will be a way back.
    """

    def __init__(self, network, layers, around, x, width=0, caches=False):
        preprocessing = network.needed_preprocessing()
        self.order = images.CHANNELS[preprocessing.order]
        if len(self.order) != 3:
            raise ValueError(f"strotss: network {network.name} sees one channel, not the three "
                             "colours that are compared; use another network or method gatys")
        x = to_device(x, network.device)
        self.size, self.width = x.shape[1:3], width
        moved, self.undo = apply(around, x, None)
        self.run = network.forward(moved, to=layers, keep=(), caches=caches)
        self.maps = {name: self.run[name][0] for name in layers}
        low, high = (array_module(x).asarray(end, dtype=x.dtype)
                     for end in images.bounds(preprocessing, self.size))
        self.span = high - low
        self.colours = ((x - low) / self.span)[0][..., self.order]  # BGR undoes itself

    def at(self, pixels, scales):
        """Hypercolumns at some pixels.

        A map covers the whole image: of H pixels and h rows, pixel p lies at row
        (p + 1/2) h / H - 1/2.

        Parameters
        ----------
        pixels : int array (n, 2)
            Rows and columns.
        scales : dict of str to float
            What each layer's activations are divided by.

        Returns
        -------
        x : array (n, 3 + channels of all layers)
        back : callable
            From dx to the gradient at the image, (1, H, W, 3).
        """
        read = [bilinear(self.colours, *pixels.T)]
        for name, scale in scales.items():
            a = self.maps[name]
            rows, columns = ((pixels[:, k] + self.width + 0.5) * a.shape[k]
                             / (self.size[k] + 2 * self.width) - 0.5 for k in (0, 1))
            y, back = bilinear(a, rows, columns)
            read.append((y / scale, lambda dy, back=back, scale=scale: back(dy) / scale))
        parts, backs = zip(*read, strict=True)
        xp, ends = array_module(parts[0]), np.cumsum([y.shape[1] for y in parts])[:-1].tolist()

        def down(dx):
            colours, *slopes = (back(part) for back, part in
                                zip(backs, xp.split(dx, ends, axis=1), strict=True))
            seeds = {name: slope[None] for name, slope in zip(scales, slopes, strict=True)}
            return self.undo(self.run.backward(seeds)) + colours[None][..., self.order] / self.span
        return xp.concatenate(parts, axis=1), down


def detail(x):
    """The finest band of the Laplacian pyramid of x (1, H, W, C)."""
    return pyramid.split(x, 1)[0]


def inside(mask, size):
    """The pixels (n, 2) of a region in an image of a size: those most of which belong to it."""
    covered = np.ones(size) if mask is None else shrunk(mask, size)
    return np.argwhere(covered >= min(0.5, covered.max()))


def draw(pixels, rng):
    """Up to 1024 of the pixels, each at most once."""
    count = min(SAMPLES, len(pixels))
    return pixels[rng.choice(len(pixels), count, replace=False)]
