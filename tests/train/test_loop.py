"""The training loop: it learns, it can be taken up again, it keeps its books right."""

import copy
import re
import signal
import threading
from itertools import islice

import nets
import numpy as np
import pytest

from minicnn import images as pictures
from minicnn.ascent.optimizers import SGD, Adam
from minicnn.images import Preprocessing
from minicnn.network import Network
from minicnn.network.layers import Dense, Dropout, Sigmoid, Softmax
from minicnn.ops import cross_entropy
from minicnn.train import Data, augment, batch_norm, evaluate, loop, schedules

PREPROCESSING = Preprocessing((6, 6), "BGR", (120.0, 125.0, 130.0), 1 / 64, resize_to=6)


def data(count=32, classes=10):
    """Noise with random labels: nothing to generalise, all to be learned by heart."""
    rng = np.random.default_rng(0)
    return (rng.integers(0, 256, (count, 6, 6, 3)).astype(np.uint8),
            rng.integers(0, classes, count))


def network(seed=0, norms=False):
    plain = nets.classifier()
    plain.preprocessing = PREPROCESSING
    return (batch_norm.add(plain) if norms else plain).initialize(seed)


@pytest.mark.parametrize("optimizer", [SGD(0, 0.9), Adam(0)])
def test_a_small_net_learns_32_random_images_by_heart(optimizer):
    images, labels, learner = *data(), network()
    rate = loop.one_cycle(0.05 if isinstance(optimizer, SGD) else 0.02)
    epochs = list(loop.epochs(learner, images, labels, optimizer, 60, rate, batch=8))
    assert [epoch.index for epoch in epochs] == list(range(60))
    assert epochs[-1].loss < 0.1 < epochs[0].loss
    assert loop.accuracy(learner, images, labels) == 1.0


@pytest.mark.parametrize("make", [lambda: SGD(0, 0.9, 1e-3), lambda: Adam(0)])
def test_training_taken_up_again_goes_on_as_if_it_had_never_stopped(make):
    """Order, augmentation, dropout, rate and statistics: bit for bit."""
    images, labels = data()

    def epochs(learner, optimizer, start=0):
        return loop.epochs(learner, images, labels, optimizer, 4, loop.one_cycle(0.02),
                           augment.flip, batch=8, seed=3, start=start)

    whole, optimizer = network(norms=True), make()
    told = list(epochs(whole, optimizer))
    first, stopped = network(norms=True), make()
    told_first = list(islice(epochs(first, stopped), 2))
    second = nets.fill(network(seed=9, norms=True), nets.parameters(first))
    told_second = list(epochs(second, copy.deepcopy(stopped), start=2))
    assert told_first + told_second == told
    for place, value in nets.parameters(whole).items():
        assert value.tobytes() == nets.parameters(second)[place].tobytes(), place


def test_another_seed_is_another_course():
    images, labels = data()
    losses = [next(loop.epochs(network(), images, labels, SGD(0), 1, lambda done: 0.01, batch=8,
                               seed=seed)).loss for seed in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]


def test_an_epoch_sees_every_image_once_in_whole_batches():
    """30 images in batches of 8: three batches, six images wait for another epoch."""
    images, labels = data(30)
    images[:, 0, 0, 0] = np.arange(30)
    seen, batches = [], []

    def watching(pixels, rng):
        seen.extend(pixels[:, 0, 0, 0].tolist())
        return pixels

    list(loop.epochs(network(), images, labels, SGD(0), 1, lambda done: 0.0, watching, 8,
                     progress=lambda order: (batches.append(len(order)), order)[1]))
    assert len(seen) == len(set(seen)) == 24 and batches == [3]


def test_every_epoch_has_its_own_order():
    images, labels = data()
    images[:, 0, 0, 0] = np.arange(32)
    seen = []

    def watching(pixels, rng):
        seen.extend(pixels[:, 0, 0, 0].tolist())
        return pixels

    list(loop.epochs(network(), images, labels, SGD(0), 2, lambda done: 0.0, watching, 8))
    assert set(seen[:32]) == set(seen[32:]) and seen[:32] != seen[32:] != list(range(32))


def test_the_rate_follows_the_share_done():
    images, labels = data()
    asked = []
    list(loop.epochs(network(), images, labels, SGD(0), 2,
                     lambda done: asked.append(done) or 0.0, batch=16))
    assert asked == [0, 0.25, 0.5, 0.75]


WRONG = {
    "too few labels": (lambda x, y: (x, y[:-1]), "32 labels, one for each image, got shape"),
    "one-hot labels": (lambda x, y: (x, np.eye(10)[y]), "labels.argmax\\(axis=1\\)"),
    "labels from 1": (lambda x, y: (x, y + 1), "10 classes, so labels must be .* 0 ... 9"),
    "labels as floats": (lambda x, y: (x, y / 2), "whole numbers 0 ... 9, got float64"),
    "grey images": (lambda x, y: (x[..., 0], y), "images\\[..., None\\]"),
    "images of another size": (lambda x, y: (x[:, :5], y), "takes images \\(N, 6, 6, 3\\), got"),
}


@pytest.mark.parametrize("what", WRONG)
def test_images_and_labels_that_do_not_fit(what):
    change, words = WRONG[what]
    images, labels = data()
    labels[0] = 9
    with pytest.raises(ValueError, match=words):
        next(loop.epochs(network(), *change(images, labels), SGD(0), 1, 0.01, batch=8))


def test_a_rate_may_be_a_number():
    images, labels = data()
    runs = [[epoch.loss for epoch in loop.epochs(network(), images, labels, SGD(0), 2, rate,
                                                 batch=8)]
            for rate in (0.01, lambda done: 0.01)]
    assert runs[0] == runs[1]


def test_a_schedule_may_be_where_a_rate_is():
    """In the optimiser as well as beside it; the optimiser keeps it, for another training."""
    images, labels = data()
    for make in (SGD, Adam):
        optimizer, schedule = make(loop.one_cycle(0.02)), loop.one_cycle(0.02)
        own, beside, again = (list(loop.fit(network(), (images, labels), 2, one, rate=rate, batch=8,
                                            progress=False))
                              for one, rate in ((optimizer, None), (make(5.0), schedule),
                                                (make(optimizer.rate), None)))
        assert own == beside == again and callable(optimizer.rate)


@pytest.mark.parametrize("rate, got", [
    (-0.1, "-0.1"), ("0.1", "'0.1'"), (float("nan"), "nan"), (np.array([0.1]), "array"),
    (lambda done: None, "None"), (lambda done: -done - 1, "-1"),
    (loop.one_cycle, "<function .*one_cycle.*rate=train.one_cycle\\(0.01\\)"),  # not called
])
def test_what_is_no_rate(rate, got):
    for optimizer, beside in ((Adam(rate), None), (Adam(0.1), rate)):
        with pytest.raises(ValueError, match=f"learning rate .* at least 0, got {got}"):
            next(loop.fit(network(), data(), 1, optimizer, rate=beside, batch=8, progress=False))
        assert optimizer.rate is rate or optimizer.rate == 0.1


def test_a_single_step_has_no_schedule():
    images, labels = data()
    with pytest.raises(ValueError, match="got <function .* number, .* schedule"):
        loop.train_step(network(), images / np.float32(255), labels, Adam(loop.one_cycle(0.1)))


def test_plain_arrays_need_no_preprocessing():
    images, labels = data()
    plain = nets.classifier().initialize(0)
    x = images / np.float32(255)
    epochs = list(loop.epochs(plain, x, labels, SGD(0, 0.9), 3, 0.1, batch=8))
    assert epochs[-1].loss < epochs[0].loss
    assert 0 <= loop.accuracy(plain, x, labels) <= 1
    with pytest.raises(ValueError, match=r"Preprocessing\(\(6, 6\)\), .* or give floating point"):
        next(loop.epochs(plain, images, labels, SGD(0), 1, 0.1, batch=8))


@pytest.mark.parametrize("what", [name for name in WRONG if "images" not in name])
def test_accuracy_asks_for_the_same(what):
    change, words = WRONG[what]
    images, labels = data()
    labels[0] = 9
    with pytest.raises(ValueError, match=words):
        loop.accuracy(network(), *change(images, labels))


def test_words_as_labels_and_no_images():
    images, labels = data()
    with pytest.raises(ValueError, match="whole numbers 0 ... 9, got <U1 such as 'a'"):
        next(loop.epochs(network(), images, ["a"] * 32, SGD(0.1), 1, batch=8))
    with pytest.raises(ValueError, match="there are no images"):
        loop.accuracy(network(), images[:0], labels[:0])
    assert 0 <= loop.accuracy(network(), list(images), list(labels)) <= 1


def test_the_optimiser_s_own_rate_and_no_optimiser():
    images, labels = data()
    own, given = (next(loop.epochs(network(), images, labels, SGD(rate), 1, *more, batch=8))
                  for rate, more in ((0.02, ()), (5.0, (0.02,))))
    assert own == given
    with pytest.raises(ValueError, match=r"such as Adam\(0.003\), got 'adam'"):
        next(loop.epochs(network(), images, labels, "adam", 1, batch=8))


def test_a_loss_that_is_not_finite_ends_it():
    images, labels = data()
    plain, x = nets.classifier().initialize(0), images / np.float32(255)
    x[3, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="step . of epoch 0: network .* the image has 1 of"):
        list(loop.epochs(plain, x, labels, SGD(0.1), 1, batch=8))


def test_a_rate_that_is_far_too_large_names_layer_and_step_and_leaves_no_nan():
    images, labels = data()
    plain, x = nets.classifier().initialize(0), images / np.float32(255)
    with (np.errstate(over="ignore", invalid="ignore"),
          pytest.raises(ValueError, match="step 1 of epoch 0: .* the output of layer fc has")):
        list(loop.epochs(plain, x, labels, SGD(1e30), 1, batch=8))
    assert all(np.isfinite(array).all() for arrays in plain.params.values()
               for array in arrays.values())


def test_progress_is_a_bar_or_one_s_own(capsys):
    images, labels = data()
    plain = list(loop.epochs(network(), images, labels, SGD(0.1), 1, batch=8, progress=True))
    seen = []
    own = list(loop.epochs(network(), images, labels, SGD(0.1), 1, batch=8,
                           progress=lambda batches: seen.append(len(batches)) or batches))
    assert own == plain and seen == [4]


def test_the_room_has_what_one_looks_for():
    from minicnn import train
    assert train.epochs is loop.epochs and train.SGD is SGD


def test_fewer_images_than_a_batch_are_refused():
    images, labels = data(5)
    with pytest.raises(ValueError, match="batch"):
        list(loop.epochs(network(), images, labels, SGD(0), 1, lambda done: 0.0, batch=8))


def test_the_optimiser_s_memory_keeps_the_parameters_type():
    images, labels = data()
    optimizer = SGD(0, 0.9)
    list(loop.epochs(network(), images, labels, optimizer, 2, loop.one_cycle(0.01), batch=8))
    assert {v.dtype for v in optimizer.velocity.values()} == {np.dtype(np.float32)}


# ---- one step

def test_a_step_tells_the_loss_and_hits_before_it():
    images, labels = data(4)
    learner = nets.replaced(network(), "drop1", Dropout(0.0))
    x = pictures.normalize(images, learner.preprocessing)
    scores = learner.forward(x, to="fc").output
    loss, hits = loop.train_step(learner, x, labels, SGD(0.1))
    expected, _ = cross_entropy.forward(scores, labels)
    assert loss == pytest.approx(float(expected), rel=1e-6)  # float32
    assert hits == (scores.argmax(axis=1) == labels).sum()


def test_a_step_is_downhill_along_the_gradient_of_every_parameter():
    images, labels = data(4)
    learner = network()
    x, before = pictures.normalize(images, learner.preprocessing), nets.parameters(learner)
    run = learner.forward(x, learn=True, seed=7)
    _, cache = cross_entropy.forward(run["fc"], labels)
    gradients = nets.parameters_of(run.weight_gradients(
        {"fc": cross_entropy.backward(1.0, cache)}))
    loop.train_step(learner, x, labels, SGD(0.5), seed=7)
    after = nets.parameters(learner)
    assert set(gradients) == set(after) == {"conv1/w", "conv1/b", "fc/w", "fc/b"}
    for place, gradient in gradients.items():
        np.testing.assert_array_equal(after[place], before[place] - np.float32(0.5) * gradient)


def test_a_step_moves_the_running_statistics_towards_the_batch_s():
    images, labels = data(4)
    learner = network(norms=True)
    x = pictures.normalize(images, learner.preprocessing)
    values = learner.forward(x, to="conv1").output
    loop.train_step(learner, x, labels, SGD(0.1))
    params = learner.params["conv1_bn"]
    mean, variance = values.mean(axis=(0, 1, 2)), values.var(axis=(0, 1, 2))
    # float32; the layer keeps 0.9 of what it had, mean 0 and variance 1
    np.testing.assert_allclose(params["mean"], 0.1 * mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(params["variance"], 0.9 + 0.1 * variance, rtol=1e-5)
    assert params["mean"].dtype == np.float32


# ---- measuring and preparing

@pytest.mark.parametrize("batch", [1, 3, 250])
def test_accuracy_by_hand(batch):
    """Ten images of one pixel whose value is the score of class 1; class 0 scores 100."""
    judge = Network("n", [("fc", Dense(3)), ("prob", Softmax())], (1, 1, 1),
                    Preprocessing((1, 1), "L", 0.0, 1.0, resize_to=None))
    judge.params["fc"] = {"w": np.array([[0, 1, 0]], np.float32),
                          "b": np.array([100, 0, -100], np.float32)}
    images = np.arange(0, 200, 20, np.uint8).reshape(10, 1, 1, 1)
    ones = np.ones(10, int)
    assert loop.accuracy(judge, images, ones, batch=batch) == 0.4  # 120, 140, 160, 180
    assert loop.accuracy(judge, images, ones, top=2, batch=batch) == 1.0
    assert loop.accuracy(judge, images, 2 * ones, top=2, batch=batch) == 0.0


@pytest.mark.parametrize("preprocessing", [
    PREPROCESSING, Preprocessing((6, 6), "RGB", 127.5, (0.1, 0.2, 0.3), resize_to=6),
    Preprocessing((6, 6), "BGR", np.random.default_rng(1).uniform(0, 255, (6, 6, 3)),
                  resize_to=6)], ids=["BGR", "RGB", "mean image"])
def test_a_batch_is_prepared_as_single_photos_are(preprocessing):
    images, learner = data(3)[0], network()
    learner.preprocessing = preprocessing
    together = pictures.normalize(images, learner.preprocessing)
    alone = np.concatenate([pictures.prepare(image, preprocessing) for image in images])
    np.testing.assert_array_equal(together, alone, strict=True)


def test_a_network_that_does_not_say_how_to_prepare_is_refused():
    with pytest.raises(ValueError, match="preprocessing"):
        loop.accuracy(nets.classifier().initialize(), *data(3))


def test_one_cycle_climbs_then_falls():
    rate = loop.one_cycle(2.0, warm=0.2, end=0.01)
    values = [rate(done) for done in np.linspace(0, 1, 101)]
    assert values[0] == pytest.approx(0.08) and values[-1] == pytest.approx(0.02)
    assert max(values) == values[20] == pytest.approx(2.0)
    assert (np.diff(values[:21]) > 0).all() and (np.diff(values[20:]) < 0).all()


def test_label_smoothing_is_the_cross_entropy_with_softened_targets():
    images, labels = data()
    net = network()
    x = np.random.default_rng(1).standard_normal((8, 6, 6, 3)).astype(np.float32)
    scores = net.forward(x, to=net.logits, learn=True)[net.logits].astype(float)
    target = np.eye(10)[labels[:8]] * 0.9 + 0.01
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    before = {k: v.copy() for k, v in net.params[net.logits].items()}
    loss, _ = loop.train_step(net, x, labels[:8], SGD(1.0), smoothing=0.1)
    assert loss == pytest.approx(-(target * logs).sum(axis=1).mean(), rel=1e-5)  # float32
    moved = before["b"] - net.params[net.logits]["b"]
    np.testing.assert_allclose(moved, (np.exp(logs) - target).mean(axis=0), atol=1e-6)


# ---- fit: what it has beyond the loop

def fitted(learner, **more):
    return list(loop.fit(learner, data(), 3, SGD(0.02, 0.9),
                         **{"batch": 8, "progress": False, "seed": 2,
                            "augment": augment.flip} | more))


def the_same(one, two):
    for place, value in nets.parameters(one).items():
        assert value.tobytes() == nets.parameters(two)[place].tobytes(), place


class Stopping:
    """A variation that presses Ctrl-C at its nth batch, while the step before may be running."""

    def __init__(self, n):
        self.left = n

    def __call__(self, images, rng):
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)
        return augment.flip(images, rng)


@pytest.mark.parametrize("at", [2, 6, 9])
def test_ctrl_c_keeps_all_steps_and_the_same_call_goes_on_to_the_same_bytes(at, tmp_path):
    """Twelve steps in three epochs, stopped in each of them."""
    whole = network(norms=True)
    told = fitted(whole, validation=data(16))
    stopped, path = network(norms=True), tmp_path / "c.npz"
    with pytest.raises(KeyboardInterrupt):
        fitted(stopped, validation=data(16), checkpoint=path, augment=Stopping(at))
    again = network(seed=9, norms=True)
    assert fitted(again, validation=data(16), checkpoint=path) == told
    the_same(whole, again)


def test_a_training_says_that_it_waits_and_an_epoch_tells_itself():
    made = network()
    training = loop.fit(made, data(), 2, Adam(0.01), batch=8, progress=False)
    assert repr(training) == (
        f"<training of {made.name}, not begun: loop over it, or list(...) trains at once>")
    first = next(training)
    assert repr(training) == f"<training of {made.name}, begun>"
    assert repr([first]) == f"[{first}]" and str(first).startswith("epoch 1   loss ")
    training.close()
    assert list(training) == []


def test_a_finished_training_tells_its_epochs_again(tmp_path):
    told = fitted(network(), checkpoint=tmp_path / "c.npz")
    finished = network(seed=9)
    assert fitted(finished, checkpoint=tmp_path / "c.npz") == told
    with pytest.raises(ValueError, match="another training: batch was 8, is 4"):
        fitted(network(), checkpoint=tmp_path / "c.npz", batch=4)
    with pytest.raises(ValueError, match="another training: momentum was 0.9, is 0.5"):
        list(loop.fit(network(), data(), 3, SGD(0.02, 0.5), batch=8, seed=2,
                      checkpoint=tmp_path / "c.npz"))


def test_a_checkpoint_of_another_schedule_is_another_training(tmp_path):
    settings = {"batch": 8, "checkpoint": tmp_path / "c.npz"}
    told = list(loop.fit(network(), data(), 2, rate=schedules.cosine(0.02), **settings))
    assert list(loop.fit(network(9), data(), 2, rate=schedules.cosine(0.02), **settings)) == told
    with pytest.raises(ValueError, match="another training: rate was"):
        list(loop.fit(network(), data(), 2, rate=schedules.cosine(0.5), **settings))


def test_what_is_no_network_is_refused_at_once():
    with pytest.raises(ValueError, match="expected a Network, .* got str"):
        loop.fit("minivgg", data())


def test_a_step_is_done_whole_although_ctrl_c_comes_in_its_middle(tmp_path):
    class Pressed(SGD):
        presses = 1

        def step(self, value, gradient, key=None):
            if key[0] == "fc" and self.presses and len(self.velocity) > 1:
                Pressed.presses = 0
                signal.raise_signal(signal.SIGINT)
            return super().step(value, gradient, key)

    def run(learner, optimizer, **more):
        return list(loop.fit(learner, data(), 2, optimizer, batch=8, progress=False, **more))

    whole, stopped = network(), network()
    run(whole, SGD(0.02, 0.9))
    with pytest.raises(KeyboardInterrupt):
        run(stopped, Pressed(0.02, 0.9), checkpoint=tmp_path / "c.npz")
    assert (nets.parameters(stopped)["conv1/w"] != nets.parameters(network())["conv1/w"]).any()
    again = network(seed=9)
    run(again, Pressed(0.02, 0.9), checkpoint=tmp_path / "c.npz")
    the_same(whole, again)


def test_the_validation_data_are_measured_after_each_epoch():
    learner = network()
    *_, last = fitted(learner, validation=data(16))
    measured = evaluate(learner, data(16))
    assert (last.val_loss, last.val_accuracy) == (measured.loss, measured.top1)
    assert re.fullmatch(r"epoch 3   loss \d\.\d+   accuracy [\d.]+%   validation: loss \d\.\d+   "
                        r"accuracy [\d.]+%", str(last))
    assert fitted(network())[0].val_loss is None and "validation" not in str(fitted(network())[0])


def test_frozen_layers_stay_and_cost_no_gradient():
    learner, before = network(norms=True), nets.parameters(network(norms=True))
    fitted(learner, frozen="conv*")
    after = nets.parameters(learner)
    for place, value in before.items():
        same = (after[place] == value).all()
        assert same == place.startswith("conv1"), place  # its batch norm's statistics as well
    x = np.zeros((2, 6, 6, 3), np.float32)
    run = learner.forward(x, learn=["fc", "drop1"])
    assert set(run.weight_gradients({"fc": run["fc"]})) == {"fc"}


@pytest.mark.parametrize("frozen, words", [("conv2", "no layer 'conv2' to freeze; near it: conv1"),
                                           (["conv*", "fc"], "all layers .* are frozen")])
def test_wrong_names_of_frozen_layers(frozen, words):
    with pytest.raises(ValueError, match=words):
        fitted(network(), frozen=frozen)


def test_mixup_mixes_images_and_targets_by_the_same_share():
    images, labels = data()
    given = Data(images / np.float32(255), labels)
    x, targets = loop._prepared(network(), given, np.arange(8), None, 0.4, np.random.default_rng(0))
    share = np.random.default_rng(0).beta(0.4, 0.4)
    first = targets[np.arange(8), labels[:8]]
    assert (np.isclose(first, share) | np.isclose(first, 1)).all()
    np.testing.assert_allclose(targets.sum(axis=1), 1)
    for image, target, label in zip(x, targets, labels, strict=False):
        others = [k for k in range(8)
                  if np.allclose(image, share * given.images[np.flatnonzero(labels == label)[0]]
                                 + (1 - share) * given.images[k], atol=1e-6)]
        assert not others or target[labels[others[0]]] > 0
    assert fitted(network(), mixup=0.4) != fitted(network())


def test_a_clipped_step_has_the_length_asked_for():
    images, labels = data(8)
    learner = network()
    before = nets.parameters(network())
    x = pictures.normalize(images, learner.preprocessing)
    loop.train_step(learner, x, labels, SGD(1.0), clip=0.01)
    moved = [(before[p] - v).ravel() for p, v in nets.parameters(learner).items()]
    # float32: each parameter is rounded to 1e-7 of its size
    assert np.linalg.norm(np.concatenate(moved)) == pytest.approx(0.01, rel=1e-3)
    one, two = network(), network()
    fitted(one, clip=1e6)
    fitted(two)
    the_same(one, two)


def test_an_augmentation_may_bring_images_to_the_network_s_size():
    large = np.random.default_rng(0).integers(0, 256, (16, 9, 9, 3)).astype(np.uint8)
    labels = np.arange(16) % 10
    told = list(loop.fit(network(), (large, labels), 1, batch=8, progress=False,
                         augment=lambda images, rng: images[:, :6, :6]))
    assert len(told) == 1
    with pytest.raises(ValueError, match=r"gives images \(9, 9, 3\), but .* \(6, 6, 3"):
        list(loop.fit(network(), (large, labels), 1, batch=8, progress=False, augment=augment.flip))


def test_two_classes_by_one_sigmoid():
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((64, 1, 1, 3)).astype(np.float32), np.arange(64) % 2
    x[labels == 1, ..., 0] += 3
    net = Network("two", [("fc", Dense(1)), ("p", Sigmoid())], (1, 1, 3)).initialize(0)
    *_, last = loop.fit(net, (x, labels), 30, Adam(0.05), batch=16, progress=False)
    assert last.accuracy > 0.9 and loop.accuracy(net, x, labels) > 0.9
    with pytest.raises(ValueError, match="2 classes, so labels must be whole numbers 0 ... 1"):
        next(loop.fit(net, (x, labels + 1), 1, progress=False))


def test_fit_s_own_defaults_and_nonsense():
    (told,) = loop.fit(network(), data(), 1, batch=8, progress=False)
    (same,) = loop.fit(network(), data(), 1, Adam(0.001), batch=8, progress=False)
    assert told == same
    for wrong in ({"smoothing": 1.0}, {"mixup": -1}, {"clip": 0}, {"epochs": 0}):
        with pytest.raises(ValueError, match="expected smoothing in"):
            next(loop.fit(network(), data(), **wrong))


@pytest.mark.parametrize("where, words", [
    ("w", "step 1 of epoch 0: .*layer conv1 has .*; its array w has .* clip"),
    ("rate", "not finite"),
])
def test_a_number_that_is_not_finite_is_named_at_its_first_step(where, words):
    class Breaking(SGD):
        def step(self, value, gradient, key=None):
            value = super().step(value, gradient, key)
            return value * np.float32("nan") if where == "w" and key == ("conv1", "w") else value

    with np.errstate(all="ignore"), pytest.raises(ValueError, match=words):
        list(loop.fit(network(), data(), 3, Breaking(1e30 if where == "rate" else 0.1), batch=8,
                      progress=False))


def test_a_failed_training_leaves_the_checkpoint_of_the_epoch_before(tmp_path):
    class Breaking(SGD):
        steps = 0

        def step(self, value, gradient, key=None):
            self.steps += 1  # four parameters, four steps an epoch
            return super().step(value, gradient, key) * np.float32(
                "nan" if self.steps > 24 else 1)

    with pytest.raises(ValueError, match="step 3 of epoch 1"):
        list(loop.fit(network(), data(), 3, Breaking(0.1), batch=8, progress=False,
                      checkpoint=tmp_path / "c.npz"))
    told = loop.fit(network(), data(), 3, Breaking(0.1), batch=8, progress=False,
                    checkpoint=tmp_path / "c.npz")
    assert [next(told).index, next(told).index] == [0, 1]


def test_nan_in_the_images_is_told_from_nan_in_the_network():
    x, labels = data()[0] / np.float32(255), data()[1]
    x[:, 2, 2, 1] = np.inf
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="step 0 .*: the image has"):
        list(loop.fit(network(), (x, labels), 1, batch=8, progress=False))


def test_a_gradient_that_overflows_is_named_with_its_layer():
    x, labels = np.full((8, 1, 1, 2), 1e25, np.float32), np.zeros(8, int)
    net = Network("n", [("fc1", Dense(2)), ("fc2", Dense(3)), ("prob", Softmax())], (1, 1, 2))
    net.params["fc1"] = {"w": np.full((2, 2), 1e-20, np.float32), "b": np.zeros(2, np.float32)}
    net.params["fc2"] = {"w": np.eye(2, 3, dtype=np.float32), "b": np.zeros(3, np.float32)}
    with np.errstate(all="ignore"), pytest.raises(
            ValueError, match="step 0 .*: the gradient at the parameters of layer fc1"):
        list(loop.fit(net, (x, labels), 1, SGD(0.1), batch=8, progress=False))


def test_a_bar_shows_loss_and_accuracy(monkeypatch):
    told = []

    class Bar:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def set_postfix_str(self, text, refresh):
            told.append(text)

        def update(self, n):
            told.append(n)

    monkeypatch.setattr(loop, "bar", lambda **settings: told.append(settings) or Bar())
    next(loop.fit(network(), data(), 1, batch=8))
    assert told[0] == {"name": "epoch 1", "shown": True, "total": 4, "initial": 0}
    assert re.fullmatch(r"loss \d\.\d{3}, accuracy [\d.]+%", told[1]) and told[2] == 1


def test_in_another_thread_ctrl_c_is_left_alone():
    done = []
    thread = threading.Thread(target=lambda: done.extend(
        loop.fit(network(), data(), 1, batch=8, progress=False)))
    thread.start()
    thread.join()
    assert len(done) == 1
