"""The deconvnet against section 2.1 of Zeiler & Fergus (2014) taken at its word.

Everything here is a loop over pixels, feature maps and kernel entries, and shares nothing with
the library but the rows, their settings, the weights and output sizes. Filtering is done as the
paper says it: a convolution of the maps above with every kernel turned over both ways.
"""

from functools import lru_cache

import numpy as np
import pytest
import small
from nets import joined, summed, trained

from minicnn import vis
from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import LRN, Add, Concat, Conv, Dense, MaxPool, ReLU, Softmax
from minicnn.ops.window import output_size, pair
from minicnn.vis.deconvnet import descend, each_stage, lrn_rule

PREPROCESSING = Preprocessing((17, 14), "RGB", (100, 110, 120), 1 / 50, resize_to=None)


def alexnet_like(convention):
    """Stride, groups, LRN near its limits, poolings that overlap, stick out and are padded."""
    return trained(Network("alexnet-like", [
        ("conv1", Conv(6, 3, stride=(2, 1), pad=(1, 2))),
        ("relu1", ReLU()),
        ("norm1", LRN(5, alpha=0.9, beta=0.75, k=2, convention=convention)),
        ("pool1", MaxPool(3, 2, rounding="ceil")),
        ("conv2", Conv(4, 3, pad=1, groups=2)),
        ("relu2", ReLU()),
        ("pool2", MaxPool((3, 2), (2, 1), pad=1, rounding="ceil")),
        ("norm2", LRN(3, alpha=0.5, k=1, convention=convention)),
        ("conv3", Conv(5, (2, 3), bias=False)),
        ("relu3", ReLU()),
        ("fc", Dense(4)),
        ("prob", Softmax()),
    ], (17, 14, 3), PREPROCESSING), seed=14)  # no feature map is silent


def residual():
    """Blocks that add: maps from two of them meet, and a seed below the sum leaves one path out."""
    return trained(Network("residual", [
        ("conv1", Conv(4, 3, stride=2)),
        ("norm1", LRN(3, alpha=0.9)),
        *summed("sum1", "norm1", [("a1", Conv(4, 3, pad=1)), ("a2", ReLU())], []),
        *summed("sum2", "sum1", [("b1", Conv(4, 1))], [("c1", Conv(4, 3, pad=1)), ("c2", ReLU())]),
        ("relu2", ReLU()),
        *joined("both", "relu2", [("d1", Conv(2, 1))], [("d2", MaxPool(3, 1, pad=1))], []),
        ("twice", Add(), ["both", "both"]),  # as good as a factor of two
        ("fc", Dense(3)),
    ], (17, 14, 3), PREPROCESSING), seed=3)


NETWORKS = {
    "caffe": (alexnet_like("caffe"), small.photo(17, 14)),
    "paper": (alexnet_like("paper"), small.photo(17, 14)),
    "branched": (small.network(dtype=np.float64), small.photo()),
    "residual": (residual(), small.photo(17, 14)),
}


# ---- up, recording what the way down needs

class Up:
    """Every row's first input and its output by name, and of poolings where each maximum was."""

    def __init__(self, network, x):
        self.seen, self.below, self.places = {"image": x}, {}, {}
        for name, layer, inputs in network.rows:
            read = [self.seen[place] for place in inputs]
            self.below[name] = read[0]
            self.seen[name] = self.through(name, layer, read, network.params.get(name, {}))

    def through(self, name, layer, read, params):
        x = read[0]
        match layer:
            case Conv():
                return correlated(x, layer, params)
            case ReLU():
                return np.where(x > 0, x, 0)
            case LRN():
                return x * scales(x, layer) ** -layer.beta
            case MaxPool():
                pooled, self.places[name] = maxima(x, layer)
                return pooled
            case Dense():
                return x.reshape(1, -1) @ params["w"] + params["b"]
            case Softmax():
                return np.exp(x) / np.exp(x).sum()
            case Concat():
                return np.concatenate(read, axis=-1)
            case Add():
                return sum(read)
        raise AssertionError(f"no literal way up through {name}")


def sides(x, kernel, layer, rounding="floor"):
    geometry = zip(x.shape[1:3], pair(kernel, ""), pair(layer.stride, ""), pair(layer.pad, ""),
                   strict=True)
    return [output_size(*one, rounding=rounding) for one in geometry]


def group_of(channel, channels, groups):
    return channel // (channels // groups)


def correlated(x, layer, params):
    """Each output is its kernel laid on the image, products summed."""
    w, b = params["w"], params.get("b", np.zeros(layer.filters))
    (sr, sc), (pr, pc), per_group = pair(layer.stride, ""), pair(layer.pad, ""), w.shape[2]
    y = np.zeros((1, *sides(x, layer.kernel, layer), layer.filters))
    for _, p, q, o in np.ndindex(y.shape):
        first = group_of(o, layer.filters, layer.groups) * per_group
        total = b[o]
        for i, j, c in np.ndindex(w.shape[:3]):
            r, s = sr * p + i - pr, sc * q + j - pc
            if 0 <= r < x.shape[1] and 0 <= s < x.shape[2]:
                total += x[0, r, s, first + c] * w[i, j, c, o]
        y[0, p, q, o] = total
    return y


def scales(x, layer):
    """Of LRN: k + a times the squares of the channels around each."""
    a = layer.alpha / layer.size if layer.convention == "caffe" else layer.alpha
    scale = np.zeros_like(x)
    for _, r, s, c in np.ndindex(x.shape):
        near = range(max(0, c - layer.size // 2), min(x.shape[3], c + layer.size // 2 + 1))
        scale[0, r, s, c] = layer.k + a * sum(x[0, r, s, other] ** 2 for other in near)
    return scale


def maxima(x, layer):
    """The largest of each window, and its (row, column) in the image: the first of equals."""
    (kr, kc), (sr, sc), (pr, pc) = (pair(v, "") for v in (layer.window, layer.stride, layer.pad))
    y = np.zeros((1, *sides(x, layer.window, layer, layer.rounding), x.shape[3]))
    places = {}
    for _, p, q, c in np.ndindex(y.shape):
        inside = [(r, s) for r in range(sr * p - pr, sr * p - pr + kr)
                  for s in range(sc * q - pc, sc * q - pc + kc)
                  if 0 <= r < x.shape[1] and 0 <= s < x.shape[2]]
        best = max(inside, key=lambda place: x[(0, *place, c)])  # noqa: B023 (used at once)
        y[0, p, q, c], places[p, q, c] = x[(0, *best, c)], best
    return y, places


# ---- down

def rectified(maps, x, rule):
    """deconvnet: keep what is positive coming down; gradient: what was positive going up."""
    positive_above, positive_below = maps > 0, x > 0
    return np.where({"deconvnet": positive_above, "gradient": positive_below,
                     "guided": positive_above & positive_below}[rule], maps, 0)


def unpooled(maps, places, below):
    out = np.zeros(below.shape)
    for (p, q, c), (r, s) in places.items():
        out[0, r, s, c] += maps[0, p, q, c]
    return out


def filtered(maps, layer, w, below):
    """The maps spread out by the stride, convolved with the kernels flipped both ways."""
    kr, kc = pair(layer.kernel, "")
    (sr, sc), (pr, pc), per_group = pair(layer.stride, ""), pair(layer.pad, ""), w.shape[2]
    flipped = w[::-1, ::-1]
    _, height, width, channels = below.shape
    room = np.zeros((height + 2 * pr + 2 * kr, width + 2 * pc + 2 * kc, layer.filters))
    for _, p, q, o in np.ndindex(maps.shape):
        room[kr - 1 + sr * p, kc - 1 + sc * q, o] = maps[0, p, q, o]
    out = np.zeros(below.shape)
    for _, r, s, c in np.ndindex(below.shape):
        group = group_of(c, channels, layer.groups)
        for o in range(layer.filters):
            if group_of(o, layer.filters, layer.groups) == group:
                for i, j in np.ndindex(kr, kc):
                    out[0, r, s, c] += (room[r + pr + i, s + pc + j, o]
                                        * flipped[i, j, c - group * per_group, o])
    return out


def denormalised(maps, layer, x, rule):
    """gradient: every normalised value sends back by its slope in each of its neighbours."""
    if rule == "through":
        return maps
    scale = scales(x, layer)
    out = maps * scale ** -layer.beta
    if rule == "scale":
        return out
    a = layer.alpha / layer.size if layer.convention == "caffe" else layer.alpha
    for _, r, s, c in np.ndindex(x.shape):  # the normalised value that sends
        for other in range(x.shape[3]):
            if abs(other - c) <= layer.size // 2:
                slope = (-2 * a * layer.beta * x[0, r, s, c] * x[0, r, s, other]
                         * scale[0, r, s, c] ** (-layer.beta - 1))
                out[0, r, s, other] += maps[0, r, s, c] * slope
    return out


def down(network, place, up, seeds, rules, told):
    """The maps at a place: its seed, and what every row that reads it sends; None above the seed.

    It asks from below, where the library goes from above. `told` has the maps of every place that
    was asked.
    """
    if place not in told:
        sent = [maps for row in network.rows if place in row.inputs
                for maps in down_through(network, row, place, up, seeds, rules, told)]
        sent += [seeds[place]] if place in seeds else []
        told[place] = sum(sent) if sent else None
    return told[place]


def down_through(network, row, place, up, seeds, rules, told):
    """What one row sends to a place, once for every time that it reads it."""
    maps = down(network, row.name, up, seeds, rules, told)
    if maps is None:
        return
    start = 0
    for read in row.inputs:
        stop = start + up.seen[read].shape[-1]
        if read == place:
            match row.layer:
                case Concat():
                    yield maps[..., start:stop]
                case Add():
                    yield maps
                case _:
                    yield one_down(row, maps, up, rules, network.params.get(row.name))
        start = stop


def one_down(row, maps, up, rules, params):
    name, layer, _ = row
    below, (at_relu, at_lrn) = up.below[name], rules
    match layer:
        case Conv():
            return filtered(maps, layer, params["w"], below)
        case ReLU():
            return rectified(maps, below, at_relu)
        case LRN():
            return denormalised(maps, layer, below, at_lrn)
        case MaxPool():
            return unpooled(maps, up.places[name], below)
        case Dense():
            return (params["w"] @ maps[0]).reshape(below.shape)
    raise AssertionError(f"no literal way down through {name}")


# ---- the two together

CASES = [("caffe", "relu3", None, None), ("caffe", "relu3", 3, "all"),
         ("caffe", "pool2", 0, (2, 1)), ("caffe", "fc", None, None),
         ("paper", "relu3", 1, None), ("paper", "norm2", 2, "all"),
         ("branched", "relu2", 1, None), ("branched", "relu2", 1, "all"),
         ("branched", "mix", None, "all"), ("branched", "mix/relu_3x3", 2, None),
         ("branched", "fc", None, None),
         ("residual", "relu2", 1, None), ("residual", "sum1", None, "all"),
         ("residual", "fc", None, None), ("residual", "c1", 2, "all")]


@lru_cache
def went_up(name):
    network, photo = NETWORKS[name]
    return Up(network, network.prepare(photo).astype(np.float64))


def literally(name, layer, channel, position, rules):
    """(the projection, the maps at every place by name) for the unit or map a record names."""
    network, up = NETWORKS[name][0], went_up(name)
    unit = (0, ..., channel) if position == "all" else (0, *position, channel)
    seed = np.zeros(up.seen[layer].shape)
    seed[unit] = up.seen[layer][unit]
    told = {}
    return down(network, "image", up, {layer: seed}, rules, told), told


def agrees(actual, expected):
    """To 1e-10 of the largest; the few hundred sums on the way round at 1e-16 each."""
    assert np.abs(expected).max() > 0 and actual.dtype == np.float64
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


@pytest.mark.parametrize("name, layer, channel, position, at_lrn", [
    *[(*case, "through") for case in CASES],
    *[(*case, rule) for rule in ("gradient", "scale") for case in CASES[1::4]]])
def test_the_projection_is_the_paper_s(name, layer, channel, position, at_lrn):
    record = vis.deconvnet(*NETWORKS[name], layer, channel, position, lrn=at_lrn)
    where = [record.settings[key] for key in ("channel", "position")]
    agrees(record.x, literally(name, layer, *where, ("deconvnet", at_lrn))[0])


@pytest.mark.parametrize("rule", ["gradient", "guided"])
@pytest.mark.parametrize("name, layer, channel, position", CASES[1:2] + CASES[8:9])
def test_the_other_rules_rectify_otherwise(name, layer, channel, position, rule):
    record = vis.deconvnet(*NETWORKS[name], layer, channel, position, relu=rule)
    where = [record.settings[key] for key in ("channel", "position")]
    agrees(record.x, literally(name, layer, *where, (rule, lrn_rule(rule)))[0])


@pytest.mark.parametrize("layer, channel", [("relu2", 1), ("fc", None)])
def test_in_float32_it_is_the_same(layer, channel):
    record = vis.deconvnet(small.network(), small.photo(), layer, channel)
    where = [record.settings[key] for key in ("channel", "position")]
    expected, _ = literally("branched", layer, *where, ("deconvnet", "through"))
    # 1e-7 a step, a dozen steps
    np.testing.assert_allclose(record.x, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    assert record.x.dtype == np.float32


def test_every_map_on_the_way_is_the_paper_s():
    network, photo = NETWORKS["caffe"]
    run = network.forward(network.prepare(photo))
    seed = np.zeros_like(run["relu3"])
    seed[..., 3] = run["relu3"][..., 3]
    stages = list(descend(run, "relu3", seed))
    _, told = literally("caffe", "relu3", 3, "all", ("deconvnet", "through"))
    assert len(stages) - 1 == 10
    for stage in stages[1:]:
        (below,) = network.inputs(stage.layer)
        agrees(stage.array, told[below])


@pytest.mark.parametrize("name, layer", [("branched", "relu2"), ("residual", "fc")])
def test_every_map_where_paths_part_and_meet_is_too(name, layer):
    """Beside a chain: what is added up is all of what stands at the place where paths parted."""
    network, photo = NETWORKS[name]
    record, stages = each_stage(network, photo, layer)
    where = [record.settings[key] for key in ("channel", "position")]
    _, told = literally(name, layer, *where, ("deconvnet", "through"))
    assert told["image"] is not None
    added = [stage for stage in stages if stage.operation.startswith("add")]
    assert [stage.layer for stage in added] == {"branched": ["pool1"],
                                              "residual": ["both", "relu2", "sum1", "norm1"]}[name]
    for stage in added:
        agrees(stage.array, told[stage.layer])
    assert {stage.layer for stage in stages} == {
        place for place, maps in told.items() if maps is not None and place != "image"}


def test_the_literal_networks_meet_what_they_are_for():
    """Overlapping windows share a maximum, a last window sticks out, groups and padding matter."""
    network, photo = NETWORKS["caffe"]
    up = went_up("caffe")
    for pool in ("pool1", "pool2"):
        winners = [(*place, c) for (_, _, c), place in up.places[pool].items()]
        assert len(set(winners)) < len(winners)
    assert up.seen["pool1"].shape[1:3] == (4, 8) and up.below["pool1"].shape[1:3] == (9, 16)
    assert network.shapes["pool2"] == (3, 9, 4)
    agrees(network.forward(network.prepare(photo))["fc"], up.seen["fc"])
