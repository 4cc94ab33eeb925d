"""What computed a saved result: pages are taken again, somebody's own ops are asked for."""

import json

import course_style
import pytest
import small
from checks import refuses
from numpy.testing import assert_array_equal

from minicnn import vis
from minicnn.ops import conv, lrn
from minicnn.report import saved, saved_ops
from minicnn.report.saved import ReplayError

FAST = small.network()
PLAIN = FAST.using("plain").using(lrn="fast")
OWN = FAST.using({"conv2": course_style}, lrn=lrn)


def kept(network, path, weights):
    record = vis.maximize(network, "relu2", 1, steps=3)
    saved.save(record, network, path, "maximize", weights=weights)
    return record


def test_the_twins_are_not_told_of(tmp_path, weights):
    kept(FAST, tmp_path / "m.json", weights)
    assert "ops" not in json.loads((tmp_path / "m.json").read_text())["network"]


def test_pages_are_taken_again(tmp_path, weights):
    record = kept(PLAIN, tmp_path / "m.json", weights)
    network = saved.load_network(tmp_path / "m.json", saved.read(tmp_path / "m.json"))
    assert network.choice == PLAIN.choice and network.ops["conv1"] is conv
    assert_array_equal(saved.replay(tmp_path / "m.json").image, record.image)


def test_own_ops_have_to_be_given_again(tmp_path, weights):
    record = kept(OWN, tmp_path / "m.json", weights)
    refuses(["m.json", "conv2 from conv_forward_naive", "course_style.py", "SHA-256",
             "otherwise fast ops", "never runs", "--ops"], saved.replay, tmp_path / "m.json")
    assert_array_equal(saved.replay(tmp_path / "m.json", OWN).image, record.image)


def test_another_file_is_another_op(tmp_path, weights):
    kept(OWN, tmp_path / "m.json", weights)
    text = (tmp_path / "m.json").read_text()
    there = OWN.choice.describe()["rows"]["conv2"]["sha256"]
    (tmp_path / "m.json").write_text(text.replace(there, "0" * 64))
    with pytest.raises(ReplayError, match="SHA-256 000000000000.*SHA-256 " + there[:12]):
        saved.replay(tmp_path / "m.json", OWN)


WRONG = [5, [], {"otherwise": "slow"}, {"otherwise": "plain"}, {"otherwise": ["plain"]},
         {"otherwise": "plain", "missing": "error", "ops": {}, "rows": []},
         {"otherwise": "plain", "missing": "error", "ops": {"conv": "mine.py"}, "rows": {}},
         {"otherwise": "plain", "missing": "error", "ops": {"conv": {"is": 1, "sha256": None}},
          "rows": {}},
         {"otherwise": "plain", "missing": {}, "ops": {}, "rows": {}},
         {"otherwise": "plain", "missing": "page", "ops": {"what": "plain"}, "rows": {}},
         {"otherwise": "plain", "missing": "page", "ops": {"self": "plain"}, "rows": {}},
         {"otherwise": "plain", "missing": "page", "ops": {}, "rows": {"conv1": {"is": "x"}}}]


@pytest.mark.parametrize("told", WRONG, ids=str)
def test_what_is_no_choice_is_refused(told, tmp_path, weights):
    kept(PLAIN, tmp_path / "m.json", weights)
    entry = json.loads((tmp_path / "m.json").read_text())
    entry["network"]["ops"] = told
    (tmp_path / "m.json").write_text(json.dumps(entry))
    refuses(["m.json", "not a saved result", "ops"], saved.replay, tmp_path / "m.json")


def test_what_is_one():
    for network in (FAST, PLAIN, OWN):
        assert saved_ops.is_choice(json.loads(json.dumps(network.choice.describe())))


def test_a_row_that_the_network_has_not(tmp_path, weights):
    kept(PLAIN, tmp_path / "m.json", weights)
    entry = json.loads((tmp_path / "m.json").read_text())
    entry["network"]["ops"]["rows"] = {"conv9": "plain"}
    (tmp_path / "m.json").write_text(json.dumps(entry))
    refuses(["no layer 'conv9'"], saved.replay, tmp_path / "m.json")
