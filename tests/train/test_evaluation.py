"""Evaluation: counted by hand on a network whose answers are known."""

import numpy as np
import pytest

from minicnn.network import Network
from minicnn.network.layers import Dense, Sigmoid, Softmax
from minicnn.train import Data, evaluate
from minicnn.train.evaluation import named_otherwise


def judge(rows, layer=None):
    """A network of one pixel and `rows` channels that gives its input as scores."""
    network = Network("n", [("fc", Dense(rows)), ("prob", layer or Softmax())], (1, 1, rows))
    network.params["fc"] = {"w": np.eye(rows, dtype=np.float32), "b": np.zeros(rows, np.float32)}
    return network


def scores(classes, count=7):
    """Images whose likeliest class is given, and the next one second, and so on."""
    x = np.zeros((len(classes), 1, 1, count), np.float32)
    for k, c in enumerate(classes):
        x[k, 0, 0, [(c + n) % count for n in range(count)]] = -np.arange(count)
    return x


@pytest.mark.parametrize("batch", [1, 4, 250])
def test_counts_by_hand(batch):
    given, truth = [0, 1, 2, 2, 3], np.array([0, 1, 3, 3, 2])  # the last is 6th of the order
    found = evaluate(judge(7), (scores(given), truth), batch)
    assert found.images == 5 and found.top1 == pytest.approx(2 / 5)
    assert found.top5 == pytest.approx(4 / 5)
    assert found.confusion[3, 2] == 2 and found.confusion[2, 3] == 1 and found.confusion.sum() == 5
    assert found.confused() == [(3, 2, 2), (2, 3, 1)]
    log_total = np.log(np.exp(-np.arange(7.0)).sum())
    places = np.array([0, 0, 1, 1, 6])  # of the true class in the order: its score is minus that
    assert found.loss == pytest.approx((log_total + places).mean(), rel=1e-6)  # float32


def test_it_tells_itself_in_words():
    data = Data(scores([0, 1, 1]), np.array([0, 1, 0]), [*"abcdefg"])
    assert str(evaluate(judge(7), data)).splitlines() == [
        f"3 images   loss {evaluate(judge(7), data).loss:.3f}   top-1 66.7%   top-5 66.7%",
        "  a  taken for  b: 1 of 2"]


def test_it_shows_itself_in_a_notebook():
    found = evaluate(judge(7), Data(scores([0, 1, 1]), np.array([0, 1, 0]), ["<b>", *"bcdefg"]))
    page = found._repr_html_()
    assert repr(found) == str(found) and str(found).splitlines()[0] in page
    assert page.count("<img") == 2 and ">1 of 2</td>" in page  # the map and its colour bar
    assert "<b>" not in page


def test_one_sigmoid_tells_two_classes():
    x = np.array([3.0, -2, 1, -1], np.float32).reshape(4, 1, 1, 1)
    found = evaluate(judge(1, Sigmoid()), (x, np.array([1, 0, 0, 0])))
    assert "top-1 75.0%" in str(found) and "top-5" not in str(found)  # of two classes
    assert found.top1 == 0.75 and found.top5 == 1 and found.confusion.tolist() == [[2, 1], [0, 1]]


def test_grey_images_need_no_channel_axis_for_a_network_of_one_channel():
    x = np.array([3.0, -2], np.float32).reshape(2, 1, 1)
    assert evaluate(judge(1, Sigmoid()), (x, np.array([1, 0]))).top1 == 1


def test_a_class_out_of_range():
    with pytest.raises(ValueError, match="7 classes, so labels must be whole numbers 0 ... 6, got "
                                         "int64 from 0 to 7"):
        evaluate(judge(7), (scores([0, 1]), np.array([0, 7])))


def test_data_of_another_number_of_classes():
    data = Data(scores([0, 1], 3), np.array([0, 1]), ["a", "b"])
    with pytest.raises(ValueError, match="n tells 3 classes apart, but the data have 2; give"):
        evaluate(judge(3), data)


def test_classes_named_otherwise():
    data = Data(scores([0, 1], 3), np.array([0, 1]), ["Red_fox", "frog", "owl"])
    network = judge(3)
    assert named_otherwise(network, data) == []  # the network has no names
    network.labels = ["red fox, Vulpes", "owl", "frog"]
    assert named_otherwise(network, data) == [(1, "owl", "frog"), (2, "frog", "owl")]
    assert named_otherwise(network, Data(data.images, data.labels)) == []
    alone = judge(1, Sigmoid())
    alone.labels = ["dog"]  # of class 1
    two = np.zeros((2, 1, 1, 1), np.float32), np.array([0, 1])
    assert named_otherwise(alone, Data(*two, ["cat", "dog"])) == []
    assert named_otherwise(alone, Data(*two, ["dog", "cat"])) == [(1, "dog", "cat")]
