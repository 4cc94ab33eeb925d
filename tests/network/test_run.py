"""Runs: what a pass keeps and frees, and that passes do not disturb each other."""

import gc
import weakref
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import matplotlib.pyplot
import nets
import numpy as np
import pytest

from minicnn.images import display
from minicnn.network import LayerNameError, Network
from minicnn.network.layers import Conv

ALL = nets.everything().names


# ---- what it frees

def alive_after(network, asked_at=None, **options):
    """Names of the layers whose activations still exist after a pass (or when `asked_at` ran)."""
    references, at_the_time = {}, []

    def seen(name, y):
        references[name] = weakref.ref(y)
        if name == asked_at:
            at_the_time.extend(alive())

    def alive():
        gc.collect()
        return [name for name, reference in references.items() if reference() is not None]

    nets.watch(network, seen)
    run = network.forward(nets.images(2), **options)
    return at_the_time if asked_at else alive(), run


def test_activations_that_are_not_asked_for_are_gone():
    alive, _ = alive_after(nets.everything(), keep=["relu2"], caches=False)
    assert alive == ["relu2", "prob"]


def test_they_are_freed_as_the_pass_goes_on():
    alive, _ = alive_after(nets.everything(), asked_at="fc", keep=(), caches=False)
    assert {"conv1", "bn1", "relu1", "pool1", "mix/1x1", "mix/3x1", "conv2", "relu2"}.isdisjoint(
        alive)


def test_caches_for_image_gradients_hold_no_input_of_a_convolution_or_dense_layer():
    alive, run = alive_after(nets.everything(), keep=())
    assert {"conv1", "bn1", "mix/1x1", "conv2", "relu2", "pool1"}.isdisjoint(alive)
    for name in ("conv1", "mix/1x1", "mix/3x1", "conv2", "fc"):
        assert run.caches[name].x is None


def test_learn_holds_the_inputs_that_weight_gradients_need():
    alive, run = alive_after(nets.everything(), keep=(), learn=True)
    assert {"pool1", "drop"} <= set(alive) and "conv1" not in alive
    assert all(run.caches[name].x is not None for name in ("conv1", "mix/1x1", "conv2", "fc"))


def test_without_caches_there_is_no_way_back():
    run = nets.everything().forward(nets.images(2), caches=False)
    assert run.caches == {}
    with pytest.raises(LayerNameError, match="without caches"):
        run.backward({"fc": nets.like(run["fc"])})


# ---- passes do not disturb each other

def whole(network, x, **options):
    run = network.forward(x, **options)
    return [run.output, run.backward({network.logits: nets.like(run[network.logits])})]


def test_two_runs_interleaved_give_what_each_gives_alone():
    network, one, two = nets.everything(), nets.images(2, seed=1), nets.images(3, seed=9)
    alone = whole(network, one) + whole(network, two, learn=True, seed=4)
    first = network.forward(one)
    second = network.forward(two, learn=True, seed=4)
    back_one = first.backward({"fc": nets.like(first["fc"])})
    back_two = second.backward({"fc": nets.like(second["fc"])})
    for got, expected in zip([first.output, back_one, second.output, back_two], alone,
                             strict=True):
        assert nets.same(got, expected)


def test_runs_in_threads_give_what_each_gives_alone():
    network, batches = nets.everything(), [nets.images(2, seed=seed) for seed in range(16)]
    alone = [whole(network, x, learn=True, seed=5) for x in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda x: whole(network, x, learn=True, seed=5), batches))
    assert all(nets.same(a, b) for one, two in zip(alone, together, strict=True)
               for a, b in zip(one, two, strict=True))


def test_backward_twice_gives_the_same_bytes_and_changes_no_argument():
    network, x = nets.everything(), nets.images(2)
    run = network.forward(x, learn=True)
    seeds = {"fc": nets.like(run["fc"]), "mix/3x1": nets.like(run["mix/3x1"])}
    before = [x.copy(), *(seed.copy() for seed in seeds.values())]
    assert nets.same(run.backward(seeds), run.backward(seeds))
    first, second = run.weight_gradients(seeds), run.weight_gradients(seeds)
    assert all(nets.same(d, second[name][key]) for name, named in first.items()
               for key, d in named.items())
    assert all(nets.same(a, b) for a, b in zip([x, *seeds.values()], before, strict=True))


def test_a_pass_changes_no_array():
    network = nets.everything()
    before = {name: (value, value.copy()) for name, value in nets.parameters(network).items()}
    run = network.forward(nets.images(2), learn=True)
    run.weight_gradients({"fc": nets.like(run["fc"])})
    for name, value in nets.parameters(network).items():
        assert value is before[name][0] and nets.same(value, before[name][1])
        assert value.flags.writeable


def test_the_seed_alone_decides_what_dropout_drops():
    network, x = nets.everything(), nets.images(2)
    drops = [network.forward(x, to="drop", learn=True, seed=seed)["drop"] for seed in (1, 1, 2)]
    assert nets.same(drops[0], drops[1]) and not nets.same(drops[0], drops[2])


# ---- how it shows itself

def test_it_says_what_it_holds():
    network, x = nets.everything(), nets.images(2)
    run = network.forward(x, to="relu1", keep=["conv1"])
    assert repr(run) == "<Run of everything: 2 images; holds image, conv1, relu1>"
    assert list(run.keys()) == list(run) == ["image", "conv1", "relu1"]
    assert dict(run)["conv1"] is run["conv1"]
    assert repr(network.forward(x[:1], keep=())).startswith("<Run of everything: 1 image; ")


def test_it_shows_the_feature_maps_of_a_layer():
    matplotlib.use("Agg")  # no window
    run = nets.everything().forward(nets.images(2))
    figure = run.show("mix", image=1)
    sheet, (_, h, w, c) = figure.axes[0].images[0].get_array(), run["mix"].shape
    assert sheet.shape == (h, 16 * (w + 1) - 1, 3) and c < 16
    shown = display.channels(display.levels(run["mix"][1]))
    assert nets.same(sheet[:, w + 1:2 * w + 1], shown[1]) and (sheet[:, c * (w + 1):] == 255).all()
    assert figure.axes[0].get_title() == f"everything mix, {h}x{w}x{c}"
    assert run.show("fc").axes[0].images[0].get_array().shape == (1, 127, 3)
    with pytest.raises(LayerNameError, match="near it: mix"):
        run.show("mixx")
    matplotlib.pyplot.close("all")


def test_seeds_that_are_no_dict():
    run = nets.everything().forward(nets.images(1))
    with pytest.raises(ValueError, match=r"\{layer: the gradient at its output\}, got str; .*"
                                         r"run.backward\(\{'fc': run\['fc'\]\}\)"):
        run.backward("fc")
    with pytest.raises(ValueError, match="got ndarray"):
        run.backward(run["fc"])


# ---- as a mapping, and in a notebook

def test_a_run_is_a_mapping():
    run = nets.everything().forward(nets.images(2), keep=["relu2"])
    assert isinstance(run, Mapping) and list(run) == list(run.keys()) == ["image", "relu2", "prob"]
    assert len(run) == 3 and "relu2" in run and "conv1" not in run and 3 not in run
    assert all(run[name] is a for name, a in run.items())
    assert dict(run).keys() == run.keys() and [a.shape for a in run.values()] == [
        run[name].shape for name in run]
    assert run.get("conv1") is None and run.get("relu2") is run["relu2"]
    assert run == run and run != nets.everything().forward(nets.images(2)) and {run: 1}[run] == 1


def test_what_it_does_not_hold_is_a_key_error_in_plain_words():
    run = nets.everything().forward(nets.images(1), to="relu2", keep=())
    for kind in (KeyError, ValueError):
        with pytest.raises(kind, match="^conv1 was not kept in this run"):
            run["conv1"]
    assert run._ipython_key_completions_() == ["image", "relu2"]


def test_a_run_shows_itself():
    run = nets.everything().forward(nets.images(3))
    page = run._repr_html_()
    assert page.count("<tr>") == 1 + len(run) and "3 images" in page
    assert page.count("<img") == sum(a.ndim == 4 and a[0, ..., 0].size > 1 for a in run.values())
    assert f"<td>{run['relu2'].dtype}</td>" in page.replace(
        ' style="text-align:left;vertical-align:middle"', "")
    assert f"{run['relu2'][0].mean():.4g}" in page  # of the first image


def test_a_run_of_many_layers_stays_small():
    network = Network("many", [(f"conv{k}", Conv(2, 3, pad=1)) for k in range(300)], (64, 64, 3))
    page = network.initialize(0).forward(np.ones((1, 64, 64, 3), np.float32))._repr_html_()
    assert page.count("<img") == 40 and len(page) < 300_000
    assert len(network._repr_html_()) < 300_000
