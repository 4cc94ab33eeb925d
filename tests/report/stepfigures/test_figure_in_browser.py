"""The step figures in a real browser: every number, the keyboard alone, a phone, no JavaScript."""

import time
from dataclasses import replace

import browser
import numpy as np
import pytest
import small

from minicnn.ops import conv, lrn, pool, relu
from minicnn.report.stepfigures import (
    step_columns,
    step_conv,
    step_conv_back,
    step_deconvnet,
    step_gram,
    step_lrn,
    step_pool,
    step_relu,
)
from minicnn.report.stepfigures.tables import number

pytestmark = pytest.mark.thorough

RNG = np.random.default_rng(0)
X, W, B = RNG.integers(-9, 10, (5, 6, 2)) / 2, RNG.normal(size=(3, 3, 2, 2)), RNG.normal(size=2)
DY, ONE = RNG.normal(size=(3, 4, 2)), RNG.integers(-4, 5, (6, 5)).astype(float)
A, CHANNELS, SEED = RNG.normal(size=(3, 4, 3)), *RNG.normal(size=(2, 7))
FIGURES = {
    "conv": step_conv(X, W, B),
    "back": step_conv_back(X, W, B, DY),
    "columns": step_columns(X, W, B, DY),
    "pool": step_pool(ONE, 3, 2),
    "relu": step_relu(ONE, ONE[::-1]),
    "lrn": step_lrn(CHANNELS, SEED, size=3),
    "gram": step_gram(A),
}
READ = """Object.fromEntries([...document.querySelectorAll("[data-panel]")].map(panel => [
  panel.dataset.panel, [...panel.querySelectorAll("tr")].map(row => [...row.querySelectorAll("td")]
    .map(cell => [cell.dataset.v, cell.firstChild ? cell.firstChild.textContent : ""]))
  .filter(row => row.length)]))"""
FOCUS = """(e => e.tagName === "TD" ? e.closest("figure").dataset.panel + " " + e.ariaLabel
  : e.tagName === "BODY" ? "" : e.tagName === "SELECT" ? "choose " + e.name
  : e.ariaLabel || e.value || e.textContent)(document.activeElement)"""
EXACT = 1e-12  # relative: float64 on both sides, in another order of sums


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    for kind, figure in FIGURES.items():
        figure.save(folder / f"{kind}.html")
    return folder


@pytest.fixture(scope="module")
def tab():
    with browser.opened() as opened:
        yield opened
        assert opened.complaints == []
        assert {url.split(":")[0] for url in opened.requests} <= {"file", "about", "data"}


def windows(stride, pad, dilation=1):
    """y, cache, the repeated dy and the gradients of X and W."""
    y, cache = conv.forward(X[None], W, B, stride, pad, 1, dilation)
    h, w = y.shape[1:3]
    dy = DY[np.arange(h) % 3][:, np.arange(w) % 4]
    return y[0], cache, dy, conv.backward(dy[None], cache)


def convolution():
    """(address, {panel: array}) of the figures of a convolution: kernel 1, channel 1."""
    y, cache, dy, (dx, dw, db) = windows(2, 1)
    padded = np.pad(X, ((1, 1), (1, 1), (0, 0)))
    patch, kernel = padded[0:3, 2:5, 1], W[..., 1, 1]
    chosen = "stride=2&pad=1&c=1&o=1"
    yield "conv", f"#{chosen}&step=1", {"x": padded[..., 1], "y": y[..., 1], "w": kernel,
                                        "a": patch, "m": patch * kernel}
    last = f"step={y[..., 0].size}"
    sent = dy[-1, -1, 1]
    yield "back", f"#{chosen}&{last}", {
        "dy": dy[..., 1], "w": kernel, "a": np.full((3, 3), sent), "m": sent * kernel}
    yield "back", f"#c=1&o=1&step={DY[..., 0].size}", {
        "x": windows(1, 0)[3].dx[0, ..., 1], "dy": DY[..., 1]}
    yield "back", f"#{chosen}&view=dw&{last}", {"dw": dw[..., 1, 1], "x": padded[..., 1]}
    yield "back", f"#{chosen}&view=db&{last}", {"db": db[1:, None]}
    cols, rows = conv._columns(cache)[0], dy.reshape(-1, 2)
    wide = W.reshape(-1, 2)
    yield "columns", f"#{chosen}", {"wide": cols, "column": wide[:, 1:],
                                    "out": y.reshape(-1, 2)[:, 1:]}
    yield "columns", f"#{chosen}&view=down", {"wide": rows @ wide.T, "line": wide[:, 1:].T,
                                              "out": rows[:, 1:]}
    yield "columns", "#view=down&c=1", {"x": windows(1, 0)[3].dx[0, ..., 1]}


def others():
    """The same of the other figures."""
    for address, settings in (("", {"window": 3, "stride": 2}),
                              ("window=2&stride=1&rounding=ceil", {"window": 2, "stride": 1}),
                              ("pad=1", {"window": 3, "stride": 2, "pad": 1})):
        y, cache = pool.forward(ONE[None, ..., None], **settings)
        dy = np.ones_like(y)
        if not settings.get("pad"):
            yield "pool", f"#{address}", {"x": ONE, "y": y[0, ..., 0],
                                          "switches": cache.switches[0, ..., 0]}
            yield "pool", f"#{address}&view=down&step={y.size}", {
                "x": pool.backward(dy, cache)[0, ..., 0]}
            yield "pool", f"#{address}&view=unpool&step={y.size}", {
                "x": pool.unpool(y, *cache)[0, ..., 0], "y": y[0, ..., 0]}
        else:
            yield "pool", f"#{address}", {"y": y[0, ..., 0]}
    y, cache = relu.forward(ONE)
    dy = ONE[::-1]
    yield "relu", "", {"x": ONE, "y": y, "dy": dy, **{
        rule: relu.backward(dy, cache, rule) for rule in relu.RULES}}
    for address, settings in (("", {"size": 3, "alpha": 1.0}), (
            "n=5&alpha=2&convention=paper", {"size": 5, "alpha": 2.0, "convention": "paper"})):
        y, cache = lrn.forward(CHANNELS[None, None, None], **settings)
        seed = SEED[None, None, None]
        g, dx = lrn.backward(seed, cache, "scale"), lrn.backward(seed, cache)
        yield "lrn", f"#{address}", {"x": CHANNELS[None], "square": CHANNELS[None] ** 2,
                                     "scale": cache.scale[0, 0], "y": y[0, 0]}
        yield "lrn", f"#{address}&view=down", {"g": g[0, 0], "dx": dx[0, 0],
                                               "cross": (dx - g)[0, 0]}
    g = np.einsum("hwi,hwj->ij", A, A) / 12
    yield "gram", "#i=2&j=1", {"a": A[..., 2], "b": A[..., 1], "m": A[..., 2] * A[..., 1], "g": g}


@pytest.mark.parametrize(("kind", "address", "expected"), [*convolution(), *others()],
                         ids=lambda one: one if isinstance(one, str) else "")
def test_every_number_is_the_library_s(tab, pages, kind, address, expected):
    tab.go(pages / f"{kind}.html", address)
    shown = tab.value(READ)
    assert shown
    for panel, array in expected.items():
        values = np.array([[float(v) for v, _ in row] for row in shown[panel]])
        assert values.shape == array.shape, panel
        assert np.abs(values - array).max() <= EXACT * max(1, np.abs(array).max()), panel
    for row in sum(shown.values(), []):  # and what is written is the number, rounded
        for value, written in row:
            assert written == ("" if value == "" else number(float(value.replace("I", "i"))))


# ---- the keyboard

@pytest.mark.parametrize("kind", FIGURES)
def test_the_keyboard_alone(tab, pages, kind):
    """Tab reaches every control and every table once; arrows go through a table and the steps."""
    tab.size(1280, 900)
    tab.go(pages / f"{kind}.html")
    stops = []
    for _ in range(40):
        tab.key("Tab")
        stops.append(tab.value(FOCUS))
        if stops[-1] == "" or stops.count(stops[-1]) > 1:
            break
        outline = tab.value("getComputedStyle(document.activeElement).outlineWidth")
        assert outline != "0px" or tab.value("document.activeElement.type") == "radio"
    tables = tab.value("[...document.querySelectorAll('[data-panel]')].map(e => e.dataset.panel)")
    reached = [stop.split(" ")[0] for stop in stops]
    assert all(reached.count(table) == 1 for table in tables), stops
    selects = tab.value("document.querySelectorAll('select').length")
    assert len([s for s in stops if s]) >= len(tables) + selects + 4  # slider, buttons, links

    tab.value("document.querySelector('input[type=range]').focus()")
    count = int(tab.value("document.querySelector('input[type=range]').max"))
    tab.key("End")
    assert f"step={count}" in tab.value("location.hash")
    tab.key("Home", "ArrowRight")
    assert "step=1" in tab.value("location.hash")

    for table in tables:
        tab.value(f"document.querySelector('[data-panel={table}] td[tabindex=\"0\"]').focus()")
        at = tab.value(FOCUS)
        for keys, more in ((["Home"], []), (["End"], []), (["ArrowLeft"], []), (["ArrowRight"], []),
                           (["ArrowDown"], []), (["ArrowUp"], [])):
            tab.key(*keys, *more)
            at = tab.value(FOCUS)
            assert at.startswith(f"{table} row "), (table, keys, at)
    tab.key("Enter", "Escape")
    assert "at=" not in tab.value("location.hash")
    assert not tab.complaints


def test_an_input_shows_every_output_that_uses_it(tab, pages):
    """By mouse for as long as it stays, by focus until Escape; the address names it."""
    step_conv(np.arange(25.0).reshape(5, 5), np.ones((3, 3))).save(pages / "plain.html")
    tab.go(pages / "plain.html")
    users = "document.querySelectorAll('[data-panel=y] td.part').length"
    assert tab.value(users) == 0
    tab.point("[data-panel=x] tr:nth-child(4) td:nth-child(4)")  # x[2, 2]
    assert tab.value(users) == 9
    tab.point("h1")
    assert tab.value(users) == 0
    tab.value("document.querySelector('[data-panel=x] tr:nth-child(2) td').focus()")
    assert tab.value(users) == 1 and "at=x.0.0" in tab.value("location.hash")
    tab.key("ArrowRight")
    assert tab.value(users) == 2
    tab.key("Escape")
    assert tab.value(users) == 0


def test_tab_leaves_the_step_and_escape_brings_it_back(tab, pages):
    tab.go(pages / "conv.html", "#step=8")
    tab.value("document.querySelector('[data-panel=x] td[tabindex=\"0\"]').focus()")
    tab.key("Tab")
    assert tab.value(FOCUS).startswith("y row 2, column 0")
    assert "step=8" in tab.value("location.hash")
    tab.key("ArrowRight")
    assert "step=9" in tab.value("location.hash")
    tab.key("Escape")
    assert "step=8" in tab.value("location.hash")


@pytest.mark.parametrize(("kind", "address"), [
    ("back", "#step=1"), ("back", "#step=2&view=dw"), ("back", "#at=dw.1.1&view=dw"),
    ("back", "#at=x.1.1"), ("pool", "#view=down&step=3"), ("conv", "#at=x.1.1")])
@pytest.mark.parametrize("width", [390, 1280])
def test_tables_stand_level_and_dots_count_what_arrived(tab, pages, kind, address, width):
    tab.size(width, 900)
    tab.go(pages / f"{kind}.html", address)
    dots = tab.value("[...document.querySelectorAll('td')].filter(e => /added/.test(e.ariaLabel))"
                     ".map(e => [parseInt(e.ariaLabel.split(', ').find(s => /added/.test(s))), "
                     "e.querySelector('small').textContent])")
    assert all(shown == ("•" * n if n < 6 else f"{n} •") for n, shown in dots)
    assert dots or kind == "conv" or "at=dw" in address
    level = tab.value("""[...document.querySelectorAll(".row")].map(row =>
      [...row.querySelectorAll("figure")].map(e => [e.getBoundingClientRect().top,
        e.querySelector("table").getBoundingClientRect().top]))""")
    for row in level:  # of figures that stand side by side
        tops = {}
        for figure, table in row:
            tops.setdefault(round(figure), set()).add(round(table))
        assert all(len(tables) == 1 for tables in tops.values()), row
    heights = tab.value("""[...document.querySelectorAll("[data-panel=x] tr")].map(row =>
      [...row.querySelectorAll("td")].map(td => { const r = document.createRange();
        r.selectNodeContents(td.firstChild); return r.getBoundingClientRect().top; }))""")
    assert all(max(row) - min(row) <= 1 for row in heights if row)  # rounding: a pixel
    tab.size(1280, 900)


def test_a_number_has_one_colour_in_its_window(tab, pages):
    tab.go(pages / "conv.html")
    colour = "getComputedStyle(document.querySelector('[data-panel={}] td')).backgroundColor"
    assert tab.value(colour.format("x")) == tab.value(colour.format("a")) != "rgb(255, 255, 255)"


def test_a_rule_says_what_stopped_a_number(tab, pages):
    step_relu([-2.0], [3.0]).save(pages / "one.html")
    tab.go(pages / "one.html")
    assert " ".join(tab.value("document.querySelector('.sum').innerText").split()) == (
        "gradient: 0 stopped: x is not > 0 deconvnet: 3 passes: dy > 0 "
        "guided: 0 stopped: x is not > 0")


def test_the_address_of_a_view_answers(tab, pages):
    tab.go(pages / "conv.html")
    tab.value("document.querySelector('.links a:last-child').click()")
    end = time.monotonic() + 5
    while tab.value(said := "document.querySelector('.links a:last-child').textContent") == (
            "Address of this view"):
        assert time.monotonic() < end
    assert tab.value(said) in ("Copied", "It stands in the address bar")


def test_a_product_shows_where_it_lands(tab, pages):
    tab.go(pages / "back.html", "#step=2&at=w.2.1")
    landed = tab.value("[...document.querySelectorAll('td.part')].map(e => e.closest('figure')"
                       ".dataset.panel + ' ' + e.ariaLabel.split(':')[0]).join('; ')")
    assert landed == "x row 2, column 2; a row 2, column 1; w row 2, column 1; m row 2, column 1"


def test_an_entry_of_the_matrix_shows_its_pixel(tab, pages):
    tab.go(pages / "columns.html", "#step=1&at=wide.1.8")  # KH, KW, C = 3, 3, 2: w[1, 1, 0]
    assert tab.value("[...document.querySelectorAll('td.part')].map(e => e.closest('figure')"
                     ".dataset.panel + ' ' + e.ariaLabel.split(':')[0]).join('; ')") == (
        "x row 1, column 2; wide row 1, column 8; column row 8, column 0")


def test_the_address_holds_the_state(tab, pages):
    tab.go(pages / "back.html", "#step=3&stride=2&view=dw")
    assert tab.value("document.querySelector('[name=view]:checked').value") == "dw"
    assert tab.value("document.querySelector('[name=stride]').value") == "2"
    before = tab.value(READ)
    address = tab.value("document.querySelector('.links a:last-child').hash")
    tab.go(pages / "back.html", address)
    assert tab.value(READ) == before
    tab.value("location.hash = '#step=1'")
    assert tab.value("document.querySelector('input[type=range]').value") == "1"


def test_numbers_can_be_changed(tab, pages):
    """By typing; the page computes anew, the address keeps it, Escape leaves it as it was."""
    cell = "document.querySelector('[data-panel={}] tr:nth-child(2) td')"
    tab.go(pages / "relu.html")
    before = tab.value(READ)
    tab.value(cell.format("x") + ".focus()")
    tab.key("Enter", "Escape")
    assert tab.value(READ) == before and "set=" not in tab.value("location.hash")
    tab.type("-7.5")
    tab.key("Enter")
    assert tab.value(cell.format("x") + ".dataset.v") == "-7.5"
    assert "set=x.0.0:-7.5" in tab.value("decodeURIComponent(location.hash)")
    assert tab.value(FOCUS).startswith("x row 0, column 0: −7.5")
    changed = ONE.copy()
    changed[0, 0] = -7.5
    _, cache = relu.forward(changed)
    guided = [[float(v) for v, _ in row] for row in tab.value(READ)["guided"]]
    assert guided == relu.backward(ONE[::-1], cache, "guided").tolist()

    tab.go(pages / "back.html", "#step=12&set=dy.0.0.0:100_w.1.1.0.0:-3_x.0.0.9:1_w.0:1")
    dy, w = DY.copy(), W.copy()
    dy[0, 0, 0], w[1, 1, 0, 0] = 100, -3
    _, cache = conv.forward(X[None], w, B)
    shown = np.array([[float(v) for v, _ in row] for row in tab.value(READ)["x"]])
    expected = conv.backward(dy[None], cache).dx[0, ..., 0]
    assert np.abs(shown - expected).max() <= EXACT * np.abs(expected).max()
    assert tab.value("decodeURIComponent(document.querySelector('.links a:last-child').hash)"
                     ).endswith("set=dy.0.0.0:100_w.1.1.0.0:-3")


def test_in_a_notebook_it_is_a_frame_of_its_own(tab, pages):
    (pages / "notebook.html").write_text(
        f"<!DOCTYPE html><meta charset=utf-8>{FIGURES['back']._repr_html_()}", encoding="utf-8")
    tab.go(pages / "notebook.html")
    inside = "document.querySelector('iframe').contentDocument"
    tab.value(f"{inside}.querySelector('[aria-label=\"one step on\"]').click()")
    assert tab.value(f"{inside}.querySelector('.where').textContent").startswith("output (0, 0)")
    assert tab.value(f"{inside}.querySelectorAll('.links a').length") == 1
    assert tab.value("location.hash") == "" and not tab.complaints


def test_the_way_down_stage_by_stage(tab, pages):
    network = small.network()
    photo = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    layer = [name for name in network.trunk if len(network.shapes[name]) == 3][-1]
    figure = step_deconvnet(network, photo, layer)
    figure.save(pages / "deconvnet.html")
    tab.go(pages / "deconvnet.html")
    tab.value("document.querySelector('input[type=range]').focus()")
    for stage in figure.data["stages"]:
        assert tab.value("document.querySelectorAll('.photo img')[1].src") == stage["whole"]
        assert stage["words"] == tab.value("document.querySelector('.words').textContent")
        tab.key("ArrowRight")
    named = {"layer": "<b id=odd>", "operation": "<b id=odd>"}  # names come from weight files
    stages = [stage | named for stage in figure.data["stages"]]
    replace(figure, data=figure.data | {"stages": stages}).save(pages / "deconvnet.html")
    tab.go(pages / "deconvnet.html")
    assert tab.value("document.querySelectorAll('#odd').length") == 0
    assert tab.value("document.querySelector('.where').textContent").startswith("<b id=odd>")


# ---- a phone, paper, no JavaScript

@pytest.mark.parametrize("kind", FIGURES)
def test_a_phone(tab, pages, kind):
    """Nothing is wider than the screen, and no number is too small to read."""
    tab.size(390, 844)
    tab.go(pages / f"{kind}.html")
    assert tab.value("document.documentElement.scrollWidth") <= 390
    least = "Math.min(...[...document.querySelectorAll('td')].map(e => parseFloat("
    assert tab.value(f"{least}getComputedStyle(e).fontSize)))") >= 11
    assert tab.value("[...document.querySelectorAll('pre')].every("
                     "e => e.scrollWidth <= e.clientWidth)")
    tab.size(1280, 900)


@pytest.mark.parametrize("kind", FIGURES)
def test_without_javascript_tables_remain(tab, pages, kind):
    tab.go(pages / f"{kind}.html", scripts=False)
    values = [one for row in tab.value(
        "[...document.querySelectorAll('.still tr')].map(r => [...r.querySelectorAll('td')]"
        ".map(c => c.dataset.v))") for one in row]
    library = np.concatenate([np.ravel(one) for one in FIGURES[kind].data["library"].values()])
    assert set(map(float, values)) & set(library.tolist())
    assert tab.value("document.querySelector('.text').offsetHeight") > 100
    tab.go(pages / f"{kind}.html")
    assert tab.value("document.querySelectorAll('.still').length") == 0
