"""What --json prints: one document, with the keys that are documented."""

import json
from pathlib import Path

import numpy as np
import pytest
import small

from minicnn import vis
from minicnn.cli import document, main

NETWORK = small.network()


@pytest.fixture
def answer(capsys, weights, tmp_path, monkeypatch):
    """Run a command with --json; the document that it prints."""
    monkeypatch.chdir(tmp_path)

    def run(command, *arguments, keys=None, network=True):
        given = ["--weights", weights] if network else []
        assert main([command, *map(str, (*given, *arguments)), "--json"]) == 0
        out, err = capsys.readouterr()
        found = json.loads(out, parse_constant=pytest.fail)
        assert err == "" and found["format"] == f"minicnn {command}" and found["version"] == 1
        expected = document.KEYS.get(command, document.PICTURE) if keys is None else keys
        assert set(found) == {"format", "version", *expected}
        return found
    return run


def test_values_that_json_has_not():
    text = document.document("x", a=np.float32(0.5), b=np.array([1.0, np.nan]), c=Path("p"),
                             d=(np.int64(3), None, True, float("inf")), e={1: "\x1b"})
    assert json.loads(text) == {"format": "minicnn x", "version": 1, "a": 0.5, "b": [1.0, None],
                                "c": "p", "d": [3, None, True, None], "e": {"1": "\x1b"}}
    assert text.isascii() and "\x1b" not in text


def test_classify(answer, photo):
    found = answer("classify", photo, photo, "--top", 2)
    assert [one["photo"] for one in found["photos"]] == [str(photo)] * 2
    expected = NETWORK.classify(photo, top=2)
    assert [(k["name"], k["probability"]) for k in found["photos"][1]["classes"]] == expected
    assert NETWORK.labels[found["photos"][0]["classes"][0]["number"]] == expected[0][0]


def test_classes_and_summary(answer):
    assert answer("classes", "tree")["classes"] == [{"number": 2, "name": "tree frog"}]
    found = answer("summary", "--receptive-fields")
    assert found["parameters"] == NETWORK.count() and found["input"] == list(NETWORK.input_shape)
    assert [one["name"] for one in found["layers"]] == NETWORK.names
    conv = next(one for one in found["layers"] if one["kind"] == "Conv")
    assert conv["parameters"]["w"] == list(NETWORK.params[conv["name"]]["w"].shape)
    assert conv["settings"]["kernel"] and conv["receptive_field"]["size"][0] >= 1
    assert answer("summary")["layers"][0]["receptive_field"] is None


def test_a_text_s_file_holds_the_document(said, weights, tmp_path):
    out = tmp_path / "c.json"
    assert said("classes", "--weights", weights, "--json", "--out", out) == ""
    assert len(json.loads(out.read_text())["classes"]) == 4


def test_pictures(answer, photo, tmp_path):
    found = answer("saliency", photo, "--keep-settings")
    assert found["out"] == "saliency.png" and found["files"][-1] == "saliency.json"
    assert len(found["files"]) > 2 and all((tmp_path / name).is_file() for name in found["files"])
    (one,) = found["results"]
    assert one["caption"].startswith("small ") and one["settings"]["method"]
    record = vis.saliency(NETWORK, photo)
    assert one["score"] == pytest.approx(record.score) and "map" not in one
    assert one["label"] == NETWORK.label(record.settings["target"])
    assert answer("maximize", "--target", 2, "--steps", 1)["results"][0]["label"] == (
        NETWORK.label(2))
    assert answer("maximize", "--layer", "relu2", "--steps", 1)["results"][0]["label"] is None
    assert answer("invert", photo, "--layers", "relu1", "--steps", 1)["results"][0]["error"] > 0
    assert (found["interrupted"], found["skipped"]) == (False, [])
    assert len(answer("maximize", "--layer", "relu2", "--channel", 0, 1, "--steps", 1)["results"]
               ) == 2
    assert len(answer("deconvnet", photo, "--layer", "relu2", "--relu", "each")["results"]) == 3


def test_activations(answer, photo):
    found = answer("activations", photo, "--layers", "relu2", "--out", "a.png")
    assert [one["layer"] for one in found["layers"]] == ["relu2"] and found["files"] == ["a.png"]
    assert answer("activations", photo, "--layers", "relu2")["files"] == ["activations/index.html"]


def test_compare(answer, photo, weights):
    found = answer("compare", photo, "--against", weights)
    first, second = found["networks"]
    assert first == second and first["filters"] == len(first["filter_aliasing"])


def test_strongest(answer, photo):
    found = answer("strongest", photo, "--layers", "relu2", "--channels", "0,2")
    channels = found["layers"]["relu2"]
    assert [one["channel"] for one in channels] == [0, 2]
    for one in channels:
        values = [unit["value"] for unit in one["units"]]
        assert values == sorted(values, reverse=True)
        assert all(set(unit) == {"photo", "value", "position", "box"} for unit in one["units"])
    assert found["files"][0] == "strongest/strongest.h5" and len(found["files"]) == 2


def test_of_files(answer, weights, capsys):
    found = answer("convert", weights, "--to", "b.h5", "--probe", "none", network=False)
    assert found["out"] == "b.h5" and found["parameters"] == NETWORK.count()
    found = answer("fetch", "--list", "--cache", "none", network=False)
    assert found["out"] is None and {"vgg16_caffe"} <= {one["name"] for one in found["files"]}


def test_doctor(capsys, weights):
    status = main(["doctor", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert status == (found["bad"] > 0) and found["format"] == "minicnn doctor"
    assert set(found) == {"format", "version", *document.KEYS["doctor"]}


def test_the_help_names_the_keys(capsys):
    for command, keys in [("classify", "network, photos;"), ("gradcam", "out, files, results,")]:
        with pytest.raises(SystemExit):
            main([command, "--help"])
        assert keys in " ".join(capsys.readouterr().out.split())
