"""The results of `minicnn check` as plain values."""

import json
import re
import types

import handed_in

from minicnn.gradcheck.judge import files, record

OP = re.compile(r'"([a-z ]+)":')


def results(text, **how):
    module = types.ModuleType("mine")
    exec(text, vars(module))
    with files.opened(module) as layers:
        done = [files.judged(layers, one, quick=True) for one in layers.found]
    return record.as_dict("folder/mine.py", done, len(done), **how)


def test_what_is_written_is_what_the_docstring_says():
    found = results(handed_in.CROPPED_CONV + handed_in.RELU, without=("groups",))
    text = json.dumps(found)
    inside = {name for op in found["ops"] for name in op} | set(found)
    inside |= {*found["ops"][0]["counts"], *found["ops"][0]["wrong"][0]}
    documented = set(OP.findall(record.__doc__))
    assert inside <= documented
    assert documented - inside <= {"arguments untouched", "name", "seen", "nearest", "code"}
    assert found["version"] == record.VERSION and found["file"] == "mine.py" and not found["ok"]
    conv, relu = found["ops"]
    assert (conv["gradient"], conv["conduct"], conv["ok"]) == ("wrong", "right", False)
    assert 0 < conv["points"] < 1 and conv["wrong"][0]["arrays"] == ["dx"]
    assert relu["ok"] and relu["points"] == relu["conduct points"] == 1 and relu["wrong"] == []
    assert "folder" not in text  # no path of somebody's machine


def test_only_what_was_judged_whole_is_ok():
    assert results(handed_in.RELU)["ok"]
    assert not results(handed_in.RELU, finished=False)["ok"]
    assert not record.as_dict("mine.py", [], 0)["ok"]
    assert record.as_dict("mine.py", [], 0, error="it ended")["error"] == "it ended"
