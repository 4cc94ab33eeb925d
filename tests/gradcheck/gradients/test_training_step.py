"""Whole training steps: right ones pass, and what a wrong one does wrong is named."""

import numpy as np
import pytest

from minicnn.gradcheck import GradientError, check_training_step
from minicnn.gradcheck.gradients.training_step import Running

X = np.random.default_rng(0).standard_normal((5, 4))
LABELS = np.array([0, 2, 1, 1, 0])


def start():
    rng = np.random.default_rng(1)
    return {"W1": rng.standard_normal((4, 6)), "b1": rng.standard_normal(6),
            "W2": rng.standard_normal((6, 3)), "b2": rng.standard_normal(3)}


def scores(params, x):
    return np.maximum(x @ params["W1"] + params["b1"], 0) @ params["W2"] + params["b2"]


def loss(params, x, labels):
    s = scores(params, x)
    s = s - s.max(1, keepdims=True)
    return np.mean(np.log(np.exp(s).sum(1)) - s[np.arange(len(s)), labels])


def gradients(params, x, labels):
    hidden = np.maximum(x @ params["W1"] + params["b1"], 0)
    s = scores(params, x)
    p = np.exp(s - s.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    p[np.arange(len(p)), labels] -= 1
    p /= len(x)
    dz = (p @ params["W2"].T) * (hidden > 0)
    return {"W1": x.T @ dz, "b1": dz.sum(0), "W2": hidden.T @ p, "b2": p.sum(0)}


def stepping(move, factor=1.0, decay=0.0, biases=False, times=1):
    """A step whose optimiser is move(state, g) -> what to take off, with a state a parameter."""
    states = {}

    def step(params, x, labels):
        value = loss(params, x, labels)
        for key, g in gradients(params, x, labels).items():
            g = factor * g + (decay * params[key] if params[key].ndim > 1 or biases else 0)
            for _ in range(times):
                params[key] -= move(states.setdefault(key, {"m": 0, "v": 0, "t": 0}), g)
        return value

    return step


def sgd(state, g):
    return 0.1 * g


def heavy(sign=1, dampening=0, nesterov=False):
    def move(state, g):
        state["m"] = sign * 0.9 * state["m"] + (1 - dampening) * g
        return 0.1 * (g + 0.9 * state["m"] if nesterov else state["m"])

    return move


def rmsprop(state, g):
    state["v"] = 0.99 * state["v"] + 0.01 * g**2
    return 0.1 * g / (np.sqrt(state["v"]) + 1e-8)


def adam(corrected=True, first=1, inside=False, betas=(0.9, 0.999), epsilon=1e-8):
    def move(state, g):
        m = state["m"] = betas[0] * state["m"] + (1 - betas[0]) * g
        v = state["v"] = betas[1] * state["v"] + (1 - betas[1]) * g**2
        state["t"] += 1
        t = state["t"] - 1 + first
        if corrected and t:
            m, v = m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)
        return 0.1 * m / (np.sqrt(v + epsilon) if inside else np.sqrt(v) + epsilon)

    return move


def check(step, **claimed):
    return check_training_step(step, start(), X, LABELS, loss, lr=0.1, **claimed)


# ---- right steps


@pytest.mark.parametrize(("step", "claimed"), [
    (stepping(sgd), {}),
    (stepping(sgd, decay=0.01), {"weight_decay": 0.01}),
    (stepping(heavy()), {"optimizer": "momentum"}),
    (stepping(heavy(nesterov=True)), {"optimizer": "momentum", "nesterov": True}),
    (stepping(rmsprop), {"optimizer": "rmsprop"}),
    (stepping(adam()), {"optimizer": "adam"}),
    (stepping(adam(), decay=0.1), {"optimizer": "adam", "weight_decay": 0.1}),
    (stepping(sgd, decay=0.01, biases=True), {"weight_decay": 0.01, "decayed": [*start()]}),
])
def test_right_steps_pass(step, claimed):
    report = check(step, **claimed)
    assert report.ok, report
    assert report.gradient_ok and report.conduct_ok


def test_new_params_may_be_returned():
    def step(params, x, labels):
        found = gradients(params, x, labels)
        return loss(params, x, labels), {key: params[key] - 0.1 * found[key] for key in params}

    assert check(step).ok


def test_decoupled_weight_decay():
    move, states = adam(), {}

    def step(params, x, labels):
        value = loss(params, x, labels)
        for key, g in gradients(params, x, labels).items():
            off = 0.1 * 0.05 * params[key] if params[key].ndim > 1 else 0
            params[key] -= move(states.setdefault(key, {"m": 0, "v": 0, "t": 0}), g) + off
        return value

    assert check(step, optimizer="adam", weight_decay=0.05, decoupled=True).ok


# ---- wrong steps


def cleared_never():
    total = {}

    def step(params, x, labels):
        value = loss(params, x, labels)
        for key, g in gradients(params, x, labels).items():
            total[key] = total.get(key, 0) + g
            params[key] -= 0.1 * total[key]
        return value

    return step


def forgetful():
    """Adam made anew at every step."""
    return lambda params, x, labels: stepping(adam())(params, x, labels)


MOMENTUM, ADAM, DECAY = {"optimizer": "momentum"}, {"optimizer": "adam"}, {"weight_decay": 0.1}
WRONG = [
    ("the sum instead of the mean", stepping(sgd, factor=5), {}),
    ("divided by the number of images twice", stepping(sgd, factor=0.2), {}),
    ("goes up the gradient", stepping(sgd, factor=-1), {}),
    ("updated twice a step", stepping(heavy(), times=2), MOMENTUM),
    ("twice as large", stepping(sgd, times=2), {}),
    ("not set to zero", cleared_never(), {}),
    ("the velocity is taken off instead of added", stepping(heavy(sign=-1)), MOMENTUM),
    ("gets (1 - momentum) g", stepping(heavy(dampening=0.9)), MOMENTUM),
    ("Nesterov's momentum is used", stepping(heavy(nesterov=True)), MOMENTUM),
    ("Nesterov's momentum is missing", stepping(heavy()), MOMENTUM | {"nesterov": True}),
    ("it is plain SGD instead of momentum", stepping(sgd), MOMENTUM),
    ("the bias correction is missing", stepping(adam(corrected=False)), ADAM),
    ("t of the bias correction starts at 0", stepping(adam(first=0)), ADAM),
    ("epsilon is added before the square root", stepping(adam(inside=True, epsilon=1e-3)),
     ADAM | {"epsilon": 1e-3}),
    ("beta1 and beta2 are exchanged", stepping(adam(betas=(0.999, 0.9))), ADAM),
    ("applies to all parameters, biases included", stepping(sgd, decay=0.1, biases=True), DECAY),
    ("the weight decay is missing", stepping(sgd), DECAY),
    ("the weight decay is twice as large", stepping(sgd, decay=0.2), DECAY),
    ("the optimiser's state is not kept", forgetful(), ADAM),
    ("part of the gradient", stepping(adam(), decay=0.1), ADAM | DECAY | {"decoupled": True}),
]


@pytest.mark.parametrize(("words", "step", "claimed"), WRONG, ids=[row[0] for row in WRONG])
def test_wrong_steps_are_named(words, step, claimed):
    report = check(step, **claimed)
    assert not report.gradient_ok, report
    assert report["update"].words.endswith(words) or words in report["update"].words, report
    assert report.conduct_ok
    with pytest.raises(GradientError):
        report.raise_if_failed()


def test_one_parameter_that_is_forgotten():
    def step(params, x, labels):
        value = loss(params, x, labels)
        for key, g in gradients(params, x, labels).items():
            params[key] -= 0.1 * g if key != "b1" else 0
        return value

    words = check(step)["update"].words
    assert words.startswith("b1 wrong; the move of b1[")
    assert words.endswith("it does not move at all")


def test_a_wrong_gradient_of_one_parameter():
    def step(params, x, labels):
        value = loss(params, x, labels)
        for key, g in gradients(params, x, labels).items():
            params[key] -= 0.1 * g * (1.01 if key == "W2" else 1)
        return value

    assert check(step)["update"].words.startswith("W2 wrong; the move of W2[")


@pytest.mark.parametrize(("words", "told"), [
    ("the sum over the batch", lambda before, after: 5 * before),
    ("after the update instead of before", lambda before, after: after),
    ("too large by a factor 3", lambda before, after: 3 * before),
    ("returned no number", lambda before, after: None),
])
def test_another_loss_than_claimed(words, told):
    plain = stepping(sgd)

    def step(params, x, labels):
        value = plain(params, x, labels)
        return told(value, loss(params, x, labels))

    report = check(step)
    assert words in report["loss"].words and report["update"].ok, report


# ---- conduct


def test_frozen_parameters_stay():
    def step(keys):
        def step(params, x, labels):
            value = loss(params, x, labels)
            found = gradients(params, x, labels)
            for key in keys:
                params[key] -= 0.1 * found[key]
            return value

        return step

    assert check(step(["W2", "b2"]), frozen=("W1", "b1")).ok
    report = check(step(["W2", "b2", "b1"]), frozen=("W1", "b1"))
    assert report.gradient_ok and not report.conduct_ok
    assert report["frozen parameters"].words.startswith("b1 is frozen, but a step moved it")


def test_arguments_that_are_changed():
    plain = stepping(sgd)

    def step(params, x, labels):
        value = plain(params, x, labels)
        x -= x.mean()
        params["b1"] = params["b1"].astype("f4").astype("f4")
        return value

    assert check(step)["arguments untouched"].words == (
        "the step changed x; the step made b1 float32 instead of float64")


def test_errors_of_the_step_are_findings():
    report = check(lambda params, x, labels: params["nothing"])
    assert "raised KeyError" in report["runs"].words


def test_wrong_use():
    with pytest.raises(ValueError, match="expected optimizer to be sgd, momentum"):
        check(stepping(sgd), optimizer="lion")
    with pytest.raises(ValueError, match=r"\['W7'\] are not in params"):
        check(stepping(sgd), frozen=("W7",))


# ---- running statistics


def normalised(params, x):
    z = x @ params["w"]
    return z, (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5)


def squares(params, x, labels):
    return np.mean((normalised(params, x)[1].sum(1) - labels) ** 2) / 2


def normalising(keep=0.9, variance=np.var, times=1):
    def step(params, x, labels):
        z, y = normalised(params, x)
        error = (y.sum(1) - labels)[:, None] / len(x) * np.ones_like(y)
        dz = (error - error.mean(0) - y * (error * y).mean(0)) / np.sqrt(z.var(0) + 1e-5)
        value = squares(params, x, labels)
        params["w"] -= 0.1 * x.T @ dz
        for _ in range(times):
            params["mean"] = keep * params["mean"] + (1 - keep) * z.mean(0)
            params["variance"] = keep * params["variance"] + (1 - keep) * variance(z)
        return value

    return step


def of_batch(z):
    return z.var(0)


def of_all(z):
    return z.var(0, ddof=1)


def check_running(step, unbiased=False, test=None):
    params = {"w": start()["W1"], "mean": np.zeros(6), "variance": np.ones(6)}
    running = [Running("mean", "variance", lambda params, x: x @ params["w"], unbiased=unbiased)]
    return check_training_step(step, params, X, LABELS, squares, lr=0.1, running=running, test=test)


def test_running_statistics():
    def wrong(*settings, unbiased=False):
        report = check_running(normalising(*settings), unbiased)
        assert report.gradient_ok and not report.conduct_ok, report
        return report["running statistics"].words

    assert check_running(normalising(variance=of_batch)).ok
    assert check_running(normalising(variance=of_all), unbiased=True).ok
    assert "mean[0] is" in wrong(0.1, of_batch)
    assert "momentum and 1 - momentum are exchanged" in wrong(0.1, of_batch)
    assert "it does not move" in wrong(1.0, of_batch)
    assert "it is the batch's own" in wrong(0.0, of_batch)
    assert "it moves twice a step" in wrong(0.9, of_batch, 2)
    assert "is unbiased, divided by n - 1" in wrong(0.9, of_all)
    assert "is biased, divided by n" in wrong(0.9, of_batch, unbiased=True)
    assert "it is the standard deviation" in wrong(0.9, lambda z: z.std(0))


def test_testing_leaves_the_running_statistics():
    def test(params, x):
        params["mean"] *= 0.9
        return x @ params["w"] - params["mean"]

    def still(params, x):
        return x @ params["w"] - params["mean"]

    assert check_running(normalising(variance=of_batch), test=still).ok
    report = check_running(normalising(variance=of_batch), test=test)
    assert report["testing mode"].words == "testing changed mean"
