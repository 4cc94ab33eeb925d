"""Figures of records: each is the one in benchmarks/results, rounded."""

import json
from pathlib import Path
from statistics import mean, stdev

import lecture
import pytest

from minicnn.report import recorded

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
WAYS = {"from scratch": "from scratch", "frozen": "frozen VGG-16, new head",
        "fine-tuned": "block 5 fine-tuned"}


def rows(name):
    return json.loads((RESULTS / f"{name}.json").read_text())["rows"]


@pytest.mark.parametrize("name", recorded.CLASSES)
def test_classes(name):
    (row,) = (row for row in rows("classes") if row["class"] == name and row["preset"] == "object"
              and row["seed"] == 0)
    assert recorded.CLASSES[name] == {"own": round(row["own"][0], 3),
                                      "other": round(row["other"][0], 3)}


def test_first_layer():
    found = {(row["kernel"], row["stride"]): row for row in rows("first_layer")}
    for form, row in found.items():
        assert recorded.FIRST_LAYER[form] == {
            "filters": row["filters"], "dead": len({*row["faint"], *row["silent_filters"]}),
            "filter_aliasing": round(mean(row["filter_aliasing"]), 3),
            "response_aliasing": round(mean(row["response_aliasing"]), 3)}
    row = found[7, 2]
    for epoch, alike in recorded.SETTLED.items():
        at = row["epochs"].index(epoch)
        assert alike == tuple(round(one[at], 3) for one in row["responses"].values())
        assert list(alike) == sorted(alike, reverse=True)  # as the claim says
    assert {epoch: round(row["jumps"]["relu1"][row["epochs"].index(epoch)], 3)
                              for epoch in recorded.JUMPS} == recorded.JUMPS


def which(way):
    name, _, augmented = way.partition(", ")
    return WAYS[name], lecture.VARIED if augmented else lecture.PLAIN


@pytest.mark.parametrize("way", recorded.LECTURE)
def test_lecture(way):
    found = lecture.scores(lecture.chosen(rows("lecture"), *which(way)))
    assert recorded.LECTURE[way] == (round(100 * mean(found), 1), round(100 * stdev(found), 1))


def test_lecture_s_steps():
    ways = list(recorded.LECTURE)
    for worse, better in zip(ways, ways[1:], strict=False):
        by, error = lecture.difference(rows("lecture"), which(worse), which(better))
        assert recorded.STEPS[better] == (round(100 * by, 1), round(100 * error, 1))
    assert list(recorded.STEPS) == ways[1:]
