"""Any op of a network replaced: by the pages, by somebody else's, in all rows or in one."""

import pickle
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import course_style
import nets
import numpy as np
import pytest
import small
import strict_cupy
from checks import refuses
from numpy.testing import assert_allclose, assert_array_equal

import minicnn
from minicnn import models, vis
from minicnn.ascent.optimizers import SGD
from minicnn.gradcheck.own.forms import Form
from minicnn.gradcheck.own.sources import Source
from minicnn.network import Network
from minicnn.network.layers import (
    LRN,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Softmax,
)
from minicnn.network.using import Choice
from minicnn.ops import add, batch_norm, concat, conv, dropout, lrn, pool, relu
from minicnn.train.loop import train_step

PACKAGE = Path(minicnn.__file__).parent
OPS = {"conv": course_style, "pool": course_style, "lrn": course_style, "relu": course_style,
       "dense": course_style}


def alexnet_like(dtype=np.float64):
    """Of every op that the course has, with settings that it takes."""
    return nets.trained(Network("alexnet_like", [
        ("conv1", Conv(6, 3, stride=2, pad=1)),
        ("relu1", ReLU()),
        ("norm1", LRN(3, alpha=0.9)),
        ("pool1", MaxPool(3, 2)),
        ("conv2", Conv(5, 3, pad=1)),
        ("relu2", ReLU()),
        ("fc3", Dense(4)),
        ("prob", Softmax()),
    ], (16, 20, 3), small.network().preprocessing, small.LABELS), 3, dtype)


def own(source):
    """A module from a text that begins with NumPy."""
    module = types.ModuleType("own")
    exec("import numpy as np\n" + source, vars(module))
    return module


def same(network, other, x, tolerance, rules=({},)):
    """Every activation, and the gradient at the image and at all weights."""
    run, theirs = network.forward(x, learn=True), other.forward(x, learn=True)
    for name in network.names:
        assert_allclose(run[name], theirs[name], rtol=0, atol=tolerance, err_msg=name)
    seeds = {network.logits: nets.like(run[network.logits]), "conv2": nets.like(run["conv2"], 3)}
    for rule in rules:
        assert_allclose(run.backward(seeds, **rule), theirs.backward(seeds, **rule),
                        rtol=0, atol=tolerance, err_msg=str(rule))
    found, expected = (nets.parameters_of(r.weight_gradients(seeds)) for r in (run, theirs))
    assert found.keys() == expected.keys()
    for key in found:
        assert_allclose(found[key], expected[key], rtol=0, atol=tolerance, err_msg=key)


RULES = [{"relu": relu, "lrn": lrn} for relu in ("gradient", "deconvnet", "guided")
         for lrn in ("gradient", "through")]


# ---- pages and twins

@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 2e-5)])
def test_the_pages_are_the_twins_to_rounding(dtype, tolerance):
    """float32: 1e-6 is seen, where gradients are up to 3."""
    network = nets.everything(dtype=dtype)
    x = nets.images(2, dtype=dtype)
    plain = network.using("plain")
    run, theirs = plain.forward(x), network.forward(x)
    seeds = {"fc": nets.like(run["fc"]), "mix": nets.like(run["mix"])}
    assert_allclose(run["prob"], theirs["prob"], rtol=0, atol=tolerance)
    assert_allclose(run.backward(seeds), theirs.backward(seeds), rtol=0, atol=tolerance)
    assert plain.ops["conv1"] is conv and plain.ops["pool1"] is pool and plain.ops["flat"] is None


def test_the_arrays_are_shared_and_the_first_network_stays_as_it_is():
    network = nets.everything()
    plain = network.using("plain")
    assert plain.params["conv1"] is network.params["conv1"] and plain.rows == network.rows
    assert network.ops["conv1"].__name__ == "minicnn.fast.conv"
    assert plain.using("fast").ops == network.ops and plain.probe is network.probe


def test_choices_add_up_a_row_before_an_op():
    network = small.network().using(conv="plain").using({"conv2": "fast"}).using(lrn=lrn)
    assert network.ops["conv1"] is conv and network.ops["conv2"].__name__ == "minicnn.fast.conv"
    assert network.ops["norm1"].form.told.startswith("forward and backward of lrn.py (N,H,W,C")
    assert network.using("plain").choice == Choice("plain")


def test_networks_made_from_it_keep_the_choice():
    network = small.network().using("plain").using({"conv2": course_style})
    for made in (network.until("conv2"), network.astype(np.float64), network.to("cpu"),
                 network.extended("more", [("relu", ReLU(), "conv2")]),
                 pickle.loads(pickle.dumps(network))):
        assert made.ops["conv1"] is conv and made.ops["conv2"].form.source.name == (
            "course_style.py")
    averaged = small.network().using(pool=pool).with_average_pooling()
    assert averaged.ops["pool1"].__name__ == "minicnn.fast.average_pool"


ON_THE_WAY = {"network/network.py", "network/run.py", "network/rows.py", "network/layers.py",
              "network/using.py", "network/finite.py"}
PAGES = {"ops/conv.py", "ops/relu.py", "ops/pool.py", "ops/window.py", "backend/__init__.py",
         "backend/blas.py"}


def test_a_pass_on_the_pages_goes_through_the_pages_and_nothing_else():
    """What a student has to open, to follow VGG-16 up to conv3_2 and back, line by line."""
    network = models.vgg16(top=False, size=32).using("plain").initialize(0)
    x, files = nets.images(1, (32, 32, 3), dtype=np.float32), set()

    def seen(frame, event, argument):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(PACKAGE):
            files.add(path.relative_to(PACKAGE).as_posix())

    sys.setprofile(seen)
    try:
        run = network.forward(x, to="conv3_2")
        run.backward({"conv3_2": run.output})
    finally:
        sys.setprofile(None)
    assert files - ON_THE_WAY == PAGES


# ---- somebody else's ops

@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 2e-5)])
def test_the_course_s_ops_in_place_of_ours(dtype, tolerance):
    network = alexnet_like(dtype)
    x = nets.images(2, (16, 20, 3), dtype=dtype)
    same(network.using(**OPS), network, x, tolerance, RULES)


def test_the_textbook_s_classes_in_place_of_ours():
    network, x = alexnet_like(), nets.images(2, (16, 20, 3))
    classes = {"conv": course_style.Convolution, "pool": course_style.Pooling,
               "relu": course_style.Relu}
    same(network.using(**classes), network, x, 1e-12, RULES)


def test_pages_given_as_own_ops_are_the_pages():
    """Through all that is done to somebody's own op: every setting, rule and gradient."""
    network, x = nets.everything(), nets.images(2)
    wrapped = network.using(conv=conv, pool=pool, lrn=lrn, relu=relu, batch_norm=batch_norm,
                            concat=concat, add=add, dropout=dropout)
    plain = network.using("plain")
    same(wrapped, plain, x, 0, [{"relu": r, "lrn": n} for r in relu.RULES for n in lrn.RULES])
    assert_array_equal(wrapped.forward(x).switches("pool1"), plain.forward(x).switches("pool1"))


PHOTO = small.photo()
METHODS = {
    "classify": lambda net: np.array([p for _, p in net.classify(PHOTO, top=4)]),
    "deconvnet": lambda net: vis.deconvnet(net, PHOTO, "relu2", 1).image,
    "maximize": lambda net: vis.maximize(net, channel=1, steps=4).image,
}


@pytest.mark.parametrize("method", METHODS)
def test_the_methods_run_on_the_course_s_loops(method):
    """And make the page's pictures: rounded to grey levels, one level where the rounding tips."""
    network = alexnet_like(np.float32)
    ours, theirs = METHODS[method](network.using(**OPS)), METHODS[method](network.using("plain"))
    if method == "classify":
        assert_allclose(ours, theirs, rtol=0, atol=1e-6)  # float32
    else:
        assert np.abs(ours.astype(int) - theirs).max() <= 1 and theirs.std() > 1


def counting(calls):
    """The page of the ReLU, which counts how often it is called."""
    def forward(x):
        calls.append(x.shape)
        return relu.forward(x)
    return types.SimpleNamespace(forward=forward, backward=relu.backward)


EVERY_METHOD = {
    "activations": lambda net, folder: vis.activations(net, PHOTO),
    "deconvnet": lambda net, folder: vis.deconvnet(net, PHOTO, "relu2"),
    "deepdream_image": lambda net, folder: vis.deepdream_image(net, "conv2", [0], pyramid_levels=1,
                                                               iterations=1),
    "dream": lambda net, folder: vis.dream(net, PHOTO, "relu2", octaves=1, steps=1),
    "filters": lambda net, folder: vis.filters(net, ["relu2"], count=1, steps=1),
    "gradcam": lambda net, folder: vis.gradcam(net, PHOTO),
    "hypercolumns": lambda net, folder: vis.hypercolumns(net, PHOTO),
    "maximize": lambda net, folder: vis.maximize(net, steps=1),
    "occlusion": lambda net, folder: vis.occlusion(net, PHOTO, square=8, stride=8),
    "saliency": lambda net, folder: vis.saliency(net, PHOTO),
    "strongest": lambda net, folder: vis.strongest(net, [small.picture_file(folder)], folder / "s",
                                                   ["relu2"], count=1),
    "survey": lambda net, folder: vis.survey(net, [small.picture_file(folder)]),
    "style": lambda net, folder: vis.style(net, PHOTO, PHOTO[::-1], steps=1),
    "invert": lambda net, folder: vis.invert(net, PHOTO, "relu1", steps=1),
    "texture": lambda net, folder: vis.texture(net, PHOTO, steps=1),
    "zoom": lambda net, folder: vis.zoom(net, PHOTO, frames=1, layers="relu2", octaves=1, steps=1),
}


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_every_method_computes_with_what_was_chosen(method, tmp_path):
    calls = []
    EVERY_METHOD[method](small.network().using(relu=counting(calls)), tmp_path)
    assert calls


def test_no_method_is_forgotten():
    """kernels looks at weights alone, compare is two surveys, evolution many projections."""
    assert set(EVERY_METHOD) | {"kernels", "compare", "evolution"} == {
        name for name in vis.__all__ if isinstance(getattr(vis, name), vis.Method)}


def test_one_row_of_googlenet_runs_on_loops():
    network = models.googlenet().initialize(1)
    x = nets.images(1, (64, 64, 3), dtype=np.float32)
    mine = network.using({"inception_5b/3x3": course_style})
    run, theirs = (n.forward(x, to="inception_5b/output") for n in (mine, network))
    seeds = {"inception_5b/output": nets.like(run.output)}
    for ours, page in [(run.output, theirs.output), (run.backward(seeds), theirs.backward(seeds))]:
        assert_allclose(ours, page, rtol=0, atol=1e-4 * np.abs(page).max())  # float32; 1e-6 is seen


def test_a_training_step_on_own_ops():
    x = nets.images(3, (16, 20, 3))
    networks = [alexnet_like(), alexnet_like().using(**OPS)]
    losses = [[train_step(network, x, np.array([0, 1, 3]), optimizer)[0] for _ in range(3)]
              for network, optimizer in zip(networks, (SGD(0.1, 0.9), SGD(0.1, 0.9)), strict=True)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12) and losses[0][2] < losses[0][0]
    for key, value in nets.parameters(networks[0]).items():
        assert_allclose(nets.parameters(networks[1])[key], value, rtol=0, atol=1e-12, err_msg=key)


def test_running_statistics_come_from_an_own_batch_norm_s_cache():
    def network():
        return nets.trained(Network("bn", [
            ("conv", Conv(4, 3)), ("bn", BatchNorm()), ("gap", GlobalAveragePool()),
            ("fc", Dense(3)), ("prob", Softmax())], (6, 6, 3)))

    x, labels, arrays = nets.images(3, (6, 6, 3)), np.array([0, 1, 2]), []
    for net in (network(), network().using(batch_norm=batch_norm)):
        train_step(net, x, labels, SGD(0.1))
        arrays.append(net.params["bn"]["mean"])
    assert_array_equal(*arrays)
    silent = own("from minicnn.ops import batch_norm\n"
                 "def forward(x, gamma, beta, mean, variance, epsilon=1e-5, training=False):\n"
                 "    y, cache = batch_norm.forward(x, gamma, beta, mean, variance, epsilon, "
                 "training)\n    return y, [cache]\n"
                 "def backward(dy, cache): return tuple(batch_norm.backward(dy, cache[0]))\n")
    refuses(["bn", "mean", "variance", "cache"], train_step, network().using(batch_norm=silent),
            x, labels, SGD(0.1))


def test_several_threads_at_once():
    network = alexnet_like().using(**OPS, missing="error").using(conv=course_style.Convolution)
    batches = [nets.images(1, (16, 20, 3), seed) for seed in range(6)]

    def gradient(x):
        run = network.forward(x)
        return run.backward({"fc3": run["fc3"]})

    with ThreadPoolExecutor(3) as pool_of_threads:
        together = list(pool_of_threads.map(gradient, batches))
    for x, dx in zip(batches, together, strict=True):
        assert_array_equal(dx, gradient(x))


def test_another_process_loads_the_file_itself(tmp_path):
    """strongest with two workers on a student's convolution: the same file as with one."""
    path = tmp_path / "mine.py"
    path.write_text(Path(course_style.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    network = alexnet_like(np.float32).using(conv=path, pool=path)
    photos = [small.picture_file(folder) for folder in (tmp_path / "a", tmp_path / "b")
              if folder.mkdir() is None]
    found = [vis.strongest(network, photos, tmp_path / f"{workers}", ["relu2"], count=1,
                           workers=workers).patches.path.read_bytes() for workers in (1, 2)]
    assert found[0] == found[1]


def test_on_a_gpu_they_run_on_the_host_which_is_said_once(monkeypatch):
    network, x = alexnet_like(), nets.images(2, (16, 20, 3))
    mine = network.using(conv=course_style, relu=course_style)
    monkeypatch.setitem(sys.modules, "cupy", strict_cupy)
    with pytest.warns(UserWarning, match="own ops run on the host") as told:
        there = mine.to("gpu")
        run = there.forward(x)
        dx = run.backward({"fc3": run["fc3"]})
    assert len(told) == 1 and isinstance(dx, strict_cupy.ndarray)
    here = network.forward(x)
    assert_allclose(dx.get(), here.backward({"fc3": here["fc3"]}), rtol=0, atol=1e-12)


# ---- settings

def test_settings_that_it_lacks_are_told_with_their_rows():
    words = ["conv_forward_naive", "mix/3x3 (groups 2)", 'missing="page"', "--missing page"]
    refuses(words, small.network().using, conv=course_style)
    refuses(["pool1 (rounding ceil)", "mix/pool (pad 1)"], small.network().using, pool=course_style)


def test_or_their_rows_stay_on_the_page_which_is_said():
    with pytest.warns(UserWarning, match=r"mix/3x3 \(groups 2\): the plain "
                      r"implementation \(page\) computes these"):
        network = small.network().using(conv=course_style, missing="page")
    assert network.ops["mix/3x3"] is conv and network.ops["conv1"].form.op == "conv"
    network.until("relu2")  # says it no second time


def fits(settings, layer, shape):
    """Whether a pool or conv that takes some settings is let into a row of a layer."""
    module = own(f"def forward(x{', w, b' * isinstance(layer, Conv)}, {settings}): pass\n"
                 "def backward(dy, cache): pass")
    network = Network("net", [("row", layer)], shape)
    try:
        network.using({"row": module})
    except ValueError:
        return False
    return True


def test_a_setting_that_changes_nothing_need_not_be_taken():
    shape = (9, 9, 4)
    assert fits("stride=1", Conv(4, 3), shape) and fits("stride=1", Conv(4, 3, groups=1), shape)
    assert fits("stride=1, pad=0", Conv(4, 3, pad=(1, 1)), shape)
    assert not fits("stride=1", Conv(4, 3, pad=1), shape)
    assert not fits("pad=0", Conv(4, 3, stride=(1, 2)), shape)
    assert not fits("stride=1, pad=0", Conv(4, 3, dilation=2), shape)
    assert fits("window", MaxPool(3), shape) and fits("window", MaxPool(3, (3, 3)), shape)
    assert not fits("window", MaxPool(3, 2), shape)
    assert fits("window, stride", MaxPool(3, 2, rounding="ceil"), shape)  # (9-3)/2 is whole
    assert not fits("window, stride", MaxPool(2, 2, rounding="ceil"), shape)


def test_a_bias_that_it_does_not_take():
    module = own("def forward(x, w, stride=1, pad=0): return np.zeros((1, 4, 4, 4)), None\n"
                 "def backward(dy, cache): pass")
    refuses(["row (the array b)"], Network("net", [("row", Conv(4, 3))], (6, 6, 3)).using,
            conv=module)
    network = Network("net", [("row", Conv(4, 3, bias=False))], (6, 6, 3)).using(conv=module)
    assert network.initialize(0).forward(nets.images(1, (6, 6, 3))).output.shape == (1, 4, 4, 4)


def test_an_own_average_pool_need_not_know_of_borders_where_there_are_none():
    from minicnn.network.layers import AveragePool
    assert fits("window, stride", AveragePool(3, 2, border="image"), (9, 9, 4))
    assert not fits("window, stride, pad=0", AveragePool(3, 2, pad=1, border="image"), (9, 9, 4))


def test_statistics_of_a_batch_that_an_own_batch_norm_cannot_take():
    module = own("def forward(x, gamma, beta, mean, variance, epsilon=1e-5): return x, None\n"
                 "def backward(dy, cache): pass")
    network = nets.trained(Network("net", [("bn", BatchNorm())], (6, 6, 3))).using(
        batch_norm=module)
    x = nets.images(2, (6, 6, 3))
    assert_array_equal(network.forward(x).output, x)
    refuses(["layer bn, batch_norm by own", "takes no training", "True"],
            network.forward, x, learn=True)


# ---- what is refused

REFUSED = {
    "another word": (["plain", "fast", "slow"], ("slow",), {}),
    "an op that is not there": (["small has no sigmoid", "conv"], (), {"sigmoid": relu}),
    "a row that is not there": (["no layer 'conv_1'", "conv1"], ({"conv_1": conv},), {}),
    "a missing of another kind": (['`missing` must be "error" or "page"'], ("plain",),
                                  {"missing": "skip"}),
    "a form of another op": (["conv2 is a conv", "for a relu"],
                             ({"conv2": Form(Source(relu), "relu")},), {}),
    "a module without the op's name": (["using(conv=mine)", "got minicnn.ops.conv"], (conv,), {}),
    "nothing callable": (["has no conv"], (), {"conv": types.SimpleNamespace()}),
    "a file that is not there": (["nowhere.py: no such file"], (), {"conv": "nowhere.py"}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_says_what_is_wrong(what):
    words, given, ops = REFUSED[what]
    refuses(words, small.network().using, *given, **ops)


def test_what_was_said_of_missing_settings_stays():
    with pytest.warns(UserWarning, match=r"the plain implementation \(page\) computes these"):
        network = small.network().using(conv=course_style, missing="page")
    with pytest.warns(UserWarning, match=r"the plain implementation \(page\) computes these"):
        assert network.using(relu="plain").ops["mix/3x3"] is conv
    with pytest.raises(ValueError, match="does not take the settings"):
        network.using(relu="plain", missing="error")


def test_a_row_without_an_op():
    refuses(["flat has no op"], nets.everything().using, {"flat": conv})


def test_the_choice_in_words_and_as_plain_values():
    network = alexnet_like()
    assert network.choice.describe() == {} and str(network.choice) == "all others: fast"
    chosen = network.using("plain").using({"conv2": course_style}, lrn="fast").choice
    assert str(chosen).splitlines()[-1] == "all others: plain"
    told = chosen.describe()
    assert told["otherwise"] == "plain" and told["ops"] == {"lrn": "fast"}
    assert told["rows"]["conv2"]["sha256"] == Source(course_style).sha256


def test_dropout_s_seed_may_be_its_own():
    module = own("def forward(x, rate=0.5): return x * rate, rate\n"
                 "def backward(dy, cache): return dy * cache")
    network = nets.trained(Network("net", [("drop", Dropout(0.25))], (4, 4, 3))).using(
        dropout=module)
    x = nets.images(1, (4, 4, 3))
    assert_array_equal(network.forward(x, learn=True).output, x * 0.25)
    assert_array_equal(network.forward(x).output, x)
