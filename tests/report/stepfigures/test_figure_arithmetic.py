"""The arithmetic of steps.js against the library's, over many settings; it runs in Node."""

import itertools
import json
import shutil
import subprocess

import numpy as np
import pytest

from minicnn.ascent.objectives.gram_matrices import gram_matrix
from minicnn.ops import conv, lrn, pool, relu
from minicnn.report.stepfigures import (
    step_columns,
    step_conv,
    step_conv_back,
    step_gram,
    step_lrn,
    step_pool,
    step_relu,
)
from minicnn.report.stepfigures.arrays import named
from minicnn.report.stepfigures.figure import HERE
from minicnn.report.stepfigures.tables import number

RNG = np.random.default_rng(0)
EXACT = 1e-12  # relative: both sides are float64, and differ in the order of their sums only
RUN = """
const {evaluate, FIGURES, text, fromAddress, beginning} = require(process.argv[1]);
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
const answer = {
  evaluate: ([kind, data, settings]) => evaluate[kind](data, settings),
  text: ([value]) => text(value),
  fits: ([kind, data, key, settings]) => FIGURES[kind].settings(data).find(
    one => one.key === key).fits(settings),
  scene: ([kind, data, state]) => FIGURES[kind].scene(data, state,
    FIGURES[kind].run(data, state)),
  address: ([kind, data, hash]) => fromAddress(hash, data, FIGURES[kind]),
  beginning: ([kind, data]) => beginning(data, FIGURES[kind]),
};
console.log(JSON.stringify(asked.map(([what, ...rest]) => answer[what](rest))));
"""

pytestmark = pytest.mark.thorough


def node(*asked):
    """What steps.js answers, a question each."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("needs node")
    ran = subprocess.run([program, "-e", RUN, str(HERE / "steps.js")], input=json.dumps(asked),
                         capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def same(got, expected):
    expected = np.asarray(expected)
    got = np.array(got, np.float64)
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= EXACT * max(1, np.abs(expected).max())


def as_named(settings):
    """Settings as the page has them."""
    return {name: named(one) if isinstance(one, tuple) else one for name, one in settings.items()}


def repeated(dy, h, w):
    """dy as the page has it at other settings."""
    return dy[np.arange(h) % len(dy)][:, np.arange(w) % dy.shape[1]]


def test_convolution_at_every_setting():
    x, w, b = RNG.normal(size=(6, 5, 2)), RNG.normal(size=(3, 2, 2, 2)), RNG.normal(size=2)
    dy = RNG.normal(size=(3, 2, 2))
    data = {"x": x.tolist(), "w": w.tolist(), "b": b.tolist(), "dy": dy.tolist()}
    asked, expected = [], []
    for stride, pad, dilation, size in itertools.product(
            (1, 2, 3, (2, 1)), (0, 1, 2, (0, 1)), (1, 2, (1, 2)), (1, 2, 3)):
        settings = {"stride": stride, "pad": pad, "dilation": dilation}
        cut = w[:size, :size]
        y, cache = conv.forward(x[None], cut, b, **settings)
        seed = repeated(dy, *y.shape[1:3])
        ones = cache._replace(w=np.ones_like(cut[..., :1]))
        count = conv.backward(np.ones_like(y[..., :1]), ones, ("x",)).dx[0, ..., 0]
        asked.append(["evaluate", "conv", data, {**as_named(settings), "size": size}])
        expected.append({"y": y[0], "count": count, "dy": seed, **{
            name: one[0] if name == "dx" else one
            for name, one in conv.backward(seed[None], cache)._asdict().items()}})
    for got, wanted in zip(node(*asked), expected, strict=True):
        for name, array in wanted.items():
            same(got[name], array)


def test_pooling_at_every_setting():
    x = RNG.integers(-4, 5, (6, 7)).astype(float)  # ties in most windows
    dy = RNG.normal(size=(2, 3))
    asked, expected = [], []
    for window, stride, pad, rounding in itertools.product(
            (1, 2, 3, (1, 3)), (1, 2, 3, (2, 1)), (0, 1, 2, (0, 1)), ("floor", "ceil")):
        if np.greater_equal(pad, window).any():
            continue
        settings = {"window": window, "stride": stride, "pad": pad, "rounding": rounding}
        y, cache = pool.forward(x[None, ..., None], **settings)
        seed = repeated(dy, *y.shape[1:3])
        asked.append(["evaluate", "pool", {"x": x.tolist(), "dy": dy.tolist()},
                      as_named(settings)])
        expected.append((y[0, ..., 0], cache.switches[0, ..., 0],
                         pool.backward(seed[None, ..., None], cache)[0, ..., 0],
                         pool.unpool(y, *cache)[0, ..., 0]))
    for got, (y, switches, dx, unpooled) in zip(node(*asked), expected, strict=True):
        same(got["y"], y)
        same(got["switches"], switches)
        same(got["dx"], dx)
        same(got["unpooled"], unpooled)


def test_the_rules_the_normalisation_and_the_gram_matrix():
    x, dy = RNG.integers(-3, 4, (2, 4, 5)).astype(float)
    _, cache = relu.forward(x)
    channels, seed = RNG.normal(size=(2, 8))
    a = RNG.normal(size=(3, 4, 3))
    asked, wanted = [["evaluate", "relu", {"x": x.tolist(), "dy": dy.tolist()}, {}],
                     ["evaluate", "gram", {"a": a.tolist()}, {}]], []
    for n, alpha, beta, k, convention in itertools.product(
            (1, 3, 5, 7), (1e-4, 2.0), (0.5, 0.75), (1.0, 2.0), lrn.CONVENTIONS):
        y, lrn_cache = lrn.forward(channels[None, None, None], n, alpha, beta, k, convention)
        wanted.append((y.ravel(), lrn.backward(seed[None, None, None], lrn_cache).ravel()))
        asked.append(["evaluate", "lrn", {"x": channels.tolist(), "dy": seed.tolist()},
                      {"n": n, "alpha": alpha, "beta": beta, "k": k, "convention": convention}])
    rules, gram, *normalised = node(*asked)
    for rule in relu.RULES:
        same(rules[rule], relu.backward(dy, cache, rule))
    same(gram["g"], gram_matrix(a[None])[0])
    for got, (y, dx) in zip(normalised, wanted, strict=True):
        same(got["y"], y)
        same(got["dx"], dx)


def test_numbers_are_written_alike():
    values = [0, 1, -7, 0.25, 1 / 3, -1 / 18, 123.456, 12345678.0, 1.5e-5, 0.0999, 9.999, 99.99,
              *RNG.normal(size=50) * 10.0 ** RNG.integers(-6, 9, 50)]
    assert node(*(["text", float(v)] for v in values)) == [number(v) for v in values]


def test_a_setting_that_leaves_no_window_is_refused():
    data = step_conv(np.ones((4, 4)), np.ones((3, 3))).data
    two = {**data["settings"], "dilation": 2}
    assert node(["fits", "conv", data, "dilation", data["settings"]],
                ["fits", "conv", data, "dilation", two],
                ["fits", "conv", data, "dilation", {**two, "pad": 1}]) == [True, False, True]


FIGURES = {
    "conv": step_conv(RNG.normal(size=(4, 5)), RNG.normal(size=(3, 3))),
    "back": step_conv_back(RNG.normal(size=(4, 5)), RNG.normal(size=(3, 3))),
    "columns": step_columns(RNG.normal(size=(4, 5)), RNG.normal(size=(3, 3))),
    "pool": step_pool(RNG.normal(size=(4, 5)), 2, 1),
    "relu": step_relu([1.0, -1], [2.0, 3]),
    "lrn": step_lrn([1.0, 2, 3]),
    "gram": step_gram(RNG.normal(size=(3, 3, 2))),
}


@pytest.mark.parametrize("kind", FIGURES)
def test_an_address_that_is_nonsense_is_the_start(kind):
    data = FIGURES[kind].data
    hashes = ["#stride=9&pad=x&step=-1", "#step=1e9&view=none&at=x", "#%00&&==&t=999",
              "#set=<script>", "#set=x.9.9:1_b.0:1_x:2_x.0.0.0:1e9", "#at=x.99.99",
              "#at=toString.0.0", "#__proto__=1&constructor=2"]
    first, *got = node(["beginning", kind, data], *(["address", kind, data, one]
                                                    for one in hashes))
    assert got == [first] * len(hashes)


def test_the_parts_of_a_sum_add_up():
    """The window's products, as they are shown, are those of patch and kernel."""
    figure = step_conv(RNG.normal(size=(4, 4)), RNG.normal(size=(3, 3)), [0.5])
    state = {**figure.data["settings"], "step": 2, "at": None, "t": 0, "view": ""}
    (scene,) = node(["scene", "conv", figure.data, state])
    patch, kernel, products = ([[cell["v"] for cell in row] for row in panel["cells"]]
                               for panel in scene["rows"][1] if "cells" in panel)
    same(np.multiply(patch, kernel), products)
    same(np.sum(products) + 0.5, np.array(figure.data["library"]["y"])[1, 0, 0])


def scenes(figure, *states):
    """The scenes of a figure in some states, each given by what differs from its beginning."""
    first = {**figure.data["settings"], "step": 0, "at": None, "t": 0, "view": ""}
    return node(*(["scene", figure.data["kind"], figure.data, {**first, **state}]
                  for state in states))


def cells(scene, name):
    (panel,) = (one for row in scene["rows"] for one in row if one.get("id") == name)
    return panel["cells"]


def test_products_are_added_one_at_a_time():
    """The output is then the sum so far."""
    figure = step_conv(np.arange(1.0, 10).reshape(3, 3), [[1.0, 2], [3, 4]], [9.0])
    shown = scenes(figure, *({"t": t} for t in (1, 2, 3, 4, 0)))
    assert [cells(scene, "y")[0][0]["v"] for scene in shown] == [1, 5, 17, 37, 46]


def test_a_pixel_of_a_pooling_shows_what_its_windows_send():
    figure = step_pool([[1.0, 3, 2], [4, 2, 0], [6, 1, 5]], 2, 1, dy=[[1.0, 10], [100, 1000]])
    down, up = scenes(figure, {"view": "down", "at": ["x", 1, 1]}, {"view": "up", "at": [
        "x", 1, 0]})
    assert [[cell["v"] for cell in row] for row in cells(down, "a")] == [[0, 0], [0, 0]]
    assert [[cell.get("s") for cell in row] for row in cells(down, "a")] == [
        ["1,1", "1,0"], ["0,1", "0,0"]]
    assert [[cell.get("v") for cell in row] for row in cells(up, "a")] == [[6, None], [4, None]]
    (value,) = scenes(figure, {"view": "unpool", "at": ["x", 2, 0], "step": 4})
    assert "unpooled</i>[2, 0] = <b>6</b>" in value["sum"]


def test_a_sum_of_one_number_is_written_once():
    ones = step_conv_back(np.ones((4, 4)), np.ones((2, 2)))
    pooled = step_pool([[1.0, 2], [3, 4]], 2)
    (nothing, one), (bias,) = scenes(pooled, {"view": "down", "at": ["x", 0, 0]}, {
        "view": "down", "at": ["x", 1, 1]}), scenes(ones, {"view": "db", "step": 1})
    assert [scene["sum"].count(" =") for scene in (nothing, one)] == [1, 1]
    assert bias["sum"].count(" =") == 1
    (corner,) = scenes(ones, {"view": "dx", "at": ["x", 0, 0]})
    assert "by 1 window. It sends its" in corner["words"]
