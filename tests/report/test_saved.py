"""A saved result replays to the same bytes; whatever differs is named, and nothing is executed."""

import json
import sys

import nets
import numpy as np
import pytest
import small
from numpy.testing import assert_array_equal

from minicnn import images, vis
from minicnn.files import hdf5
from minicnn.network.layers import LRN
from minicnn.report import saved
from minicnn.report.saved import ReplayError

NETWORK = small.network()
PHOTO = small.photo()
CALLS = [
    ("maximize", {"layer": "relu2", "channel": 1, "steps": 4, "start": "noise", "seed": 3}),
    ("maximize", {"channel": "tree frog", "steps": 3}),
    ("texture", {"layers": ["relu1"], "steps": 3, "seed": 1}),
    ("invert", {"layers": "relu1", "steps": 2, "seed": 1}),
    ("deconvnet", {"layer": "relu2"}),
    ("deconvnet", {"layer": "pool1", "channel": 2, "position": (1, 2), "relu": "guided"}),
    ("saliency", {}),
    ("saliency", {"method": "smooth", "samples": 3, "seed": 4, "size": (16, 20)}),
    ("saliency", {"method": "integrated", "steps": 3, "baseline": (1, 2, 3)}),
    ("gradcam", {"target": 1}),
    ("occlusion", {"square": 8, "stride": 6}),
    ("hypercolumns", {"layers": ["relu1"], "view": "segments", "clusters": 2, "seed": 1}),
]


def made(method, settings):
    inputs = [NETWORK] if method == "maximize" else [NETWORK, PHOTO]
    return getattr(vis, method)(*inputs, **settings)


@pytest.fixture
def kept(tmp_path, weights, photo):
    """A texture saved with all there is to know: (path, record)."""
    record = vis.texture(NETWORK, photo, steps=3)
    saved.save(record, NETWORK, tmp_path / "t.json", "texture", photo, weights)
    return tmp_path / "t.json", record


def change(path, *keys, to):
    """Alter one entry of a saved file."""
    entry = json.loads(path.read_text())
    inner = entry
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = to
    path.write_text(json.dumps(entry))


@pytest.mark.parametrize("method, settings", [
    ("saliency", {"method": "guided"}), ("saliency", {"method": "gradient"}),
    ("saliency", {"method": "integrated", "steps": 3, "baseline": 0}),
    ("gradcam", {"target": 1, "guided": True}), ("dream", {"octaves": 1, "steps": 2}),
    ("texture", {"steps": 3})])
def test_files_from_before_a_method_had_some_settings_replay_as_it_was_then(
        method, settings, tmp_path):
    """Before, guided backpropagation took LRN's gradient, maps were not blurred, dreams of small
    networks followed the gradient as it is, and a texture was made at one size, by Adam."""
    then = {"gradcam": {"lrn": "gradient"}, "dream": {"colours": "rgb"},
            "texture": {"optimizer": "adam", "sizes": 1, "padding": "zeros", "colours": "free"},
            "saliency": {"lrn": "gradient", "blur": 0, "shares": "signed"}}[method]
    record, path = made(method, settings | then), tmp_path / "s.json"
    saved.save(record, NETWORK, path, method, PHOTO)
    kept = json.loads(path.read_text())["settings"]
    change(path, "settings", to={key: v for key, v in kept.items() if key not in then})
    again = saved.replay(path, NETWORK, PHOTO)
    assert_array_equal(again.x, record.x)


@pytest.mark.parametrize("method, settings", CALLS)
def test_the_replay_is_the_same(method, settings, tmp_path):
    record = made(method, settings)
    saved.save(record, NETWORK, tmp_path / "r.json", method, PHOTO)
    again = saved.replay(tmp_path / "r.json", NETWORK, PHOTO)
    assert again.image.tobytes() == record.image.tobytes()
    assert again.caption == record.caption
    if hasattr(record, "x"):
        assert_array_equal(again.x, record.x)


def test_the_network_and_the_photo_are_found_where_they_were(kept):
    path, record = kept
    again = saved.replay(path)
    assert_array_equal(again.image, record.image)
    assert_array_equal(again.trace, record.trace)


def test_a_file_of_the_first_version_is_replayed_without_its_hash_of_the_layers(kept):
    """Before networks had rows it was another; what is replayed must still be the same picture."""
    path, record = kept
    change(path, "network", "layers", to="0" * 64)
    with pytest.raises(saved.ReplayError, match="the layers or the preprocessing"):
        saved.replay(path)
    change(path, "saved", to=1)
    assert_array_equal(saved.replay(path).image, record.image)
    change(path, "result", "sha256", to="0" * 64)
    with pytest.raises(saved.ReplayError, match="the picture differs from the saved one"):
        saved.replay(path)


def test_or_beside_the_file(kept, tmp_path, weights, photo, monkeypatch):
    path, record = kept
    other = tmp_path / "elsewhere"
    other.mkdir()
    for name in (path, photo):
        name.rename(other / name.name)
    assert_array_equal(saved.replay(other / path.name).image, record.image)


def test_what_the_file_says(kept):
    path, record = kept
    entry = json.loads(path.read_text())
    assert entry["method"] == "texture" and entry["settings"]["seed"] == 0
    assert entry["settings"]["layers"] == record.settings["layers"]
    assert entry["versions"]["numpy"] == np.__version__
    assert entry["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert entry["trace"] == record.trace.tolist()
    assert entry["result"]["caption"] == record.caption
    assert len({entry[part]["sha256"] for part in ("network", "photo", "result")}) == 3


def test_weights_stored_again_are_the_same_weights(kept, tmp_path):
    hdf5.save(NETWORK, tmp_path / "again.h5")
    assert_array_equal(saved.replay(kept[0], hdf5.load(tmp_path / "again.h5")).image,
                       kept[1].image)


# ---- what differs is named

def test_other_weights(kept):
    with pytest.raises(ReplayError, match="t.json: the SHA-256 of the weights of network small is"):
        saved.replay(kept[0], small.network(seed=3))


def test_one_weight_changed_in_its_last_bit(kept):
    network = small.network()
    w = network.params["conv1"]["w"] = network.params["conv1"]["w"].copy()
    w.flat[-7] = np.nextafter(w.flat[-7], np.float32(9))
    with pytest.raises(ReplayError, match="the SHA-256 of the weights of network small is"):
        saved.replay(kept[0], network)


def test_other_preprocessing(kept):
    network = small.network()
    network.preprocessing = images.Preprocessing((16, 20), "RGB", resize_to=None)
    with pytest.raises(ReplayError, match="the layers or the preprocessing of network small"):
        saved.replay(kept[0], network)


def test_another_setting_of_a_layer(kept):
    network = nets.replaced(NETWORK, "norm1", LRN(3, alpha=0.8))
    with pytest.raises(ReplayError, match="the layers or the preprocessing"):
        saved.replay(kept[0], network)


def test_another_photo(kept):
    with pytest.raises(ReplayError, match="the SHA-256 of the photo is"):
        saved.replay(kept[0], photo=small.photo(seed=5))


@pytest.mark.parametrize("keys, to", [(("settings", "seed"), 1), (("settings", "rate"), 6.5),
                                      (("settings", "steps"), 2), (("result", "sha256"), "0" * 64)])
def test_another_result(kept, keys, to):
    change(kept[0], *keys, to=to)
    words = "the picture differs from the saved one.* made with minicnn"
    with pytest.raises(ReplayError, match=words):
        saved.replay(kept[0])


def test_other_versions_are_a_warning(kept):
    change(kept[0], "versions", "numpy", to="1.0.0")
    with pytest.warns(UserWarning, match=r"numpy 1\.0\.0.*; this is .*: the picture may differ"):
        again = saved.replay(kept[0])
    assert_array_equal(again.image, kept[1].image)


# ---- files that are not what they should be

@pytest.mark.parametrize("keys, to, words", [
    (("method",), "os.system", "no method 'os.system'; there are activations"),
    (("method",), "Record", "no method 'Record'"),
    (("method",), "__builtins__", "no method"),
    (("method",), ["maximize"], "method missing, or of another type"),
    (("method",), "compare", "needs more than a network"),
    (("method",), "maximize", "maximize takes no photo, but the file names one"),
    (("settings", "progress"), True, "has no setting progress; it has colours, layers"),
    (("settings", "network"), 1, "has no setting network"),
    (("settings", "steps"), "many", "cannot take these settings"),
    (("settings",), [], "settings missing, or of another type"),
    (("saved",), 3, "has version 3, but this program reads versions up to 2"),
    (("network",), {}, "in network, name, layers, sha256, weights, labels missing"),
    (("photo",), "x", "in photo, path, sha256 missing"),
    (("photo",), None, "texture takes a photo, but the file names none"),
    (("result", "interrupted"), True, "Ctrl-C ended that texture early"),
    (("network", "weights"), None, "does not record where network small was loaded from"),
    (("network", "weights"), "nowhere.h5", "nowhere.h5: neither a shipped network"),
    (("photo", "path"), None, "the photo was given as an array; pass it again"),
    (("photo", "path"), "nowhere.png", "nowhere.png: no such file"),
])
def test_tampered_files_are_one_clear_error(kept, keys, to, words):
    change(kept[0], *keys, to=to)
    with pytest.raises(ValueError, match=words) as error:
        saved.replay(kept[0])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("settings, words", [
    ({"steps": 10**18}, "steps is larger than 100,000: 1000000000000000000"),
    ({"size": 10**5}, "size is larger than 10,000"), ({"size": [16, 10**9]}, "size is larger"),
    ({"layers": {"relu1": 1e300}}, "layers is larger"), ({"rate": 1e300}, "rate is larger"),
    ({"folder": "elsewhere"}, "has no setting folder"), ({"keep": True}, "has no setting keep"),
    ({"layers": [["relu1"]]}, "cannot take these settings"),
    ({"layers": 5}, "cannot take these settings"), ({"size": {}}, "size")])
def test_settings_that_nobody_would_save(kept, tmp_path, monkeypatch, settings, words):
    path, _ = kept
    monkeypatch.chdir(tmp_path)
    entry = json.loads(path.read_text())
    change(path, "settings", to=entry["settings"] | settings)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError, match=words) as error:
        saved.replay(path)
    assert "\n" not in str(error.value) and sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("method", ["filters", "kernels"])
def test_methods_without_a_single_picture_are_one_clear_error(tmp_path, kept, method, monkeypatch):
    path, _ = kept
    monkeypatch.chdir(tmp_path)
    change(path, "method", to=method)
    change(path, "photo", to=None)
    for folder, words in ((None, "no single picture"), ("made/here", "has no setting folder")):
        quick = {"count": 1, "steps": 1} if method == "filters" else {}
        change(path, "settings", to=quick | ({"folder": folder} if folder else {}))
        with pytest.raises(ReplayError, match=words):
            saved.replay(path)
    assert not (tmp_path / "made").exists()


def test_a_function_that_is_no_method_is_not_called(kept, monkeypatch):
    monkeypatch.setattr(vis, "helper", lambda network, image: pytest.fail("called"), raising=False)
    change(kept[0], "method", to="helper")
    with pytest.raises(ReplayError, match="there is no method 'helper'"):
        saved.replay(kept[0])


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '{"saved": 1}', "\xff\xfe",
                                  "[" * 100_000])
def test_files_of_another_kind(tmp_path, text):
    (tmp_path / "x.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ReplayError, match=r"x\.json: (is not JSON|not a saved result)"):
        saved.read(tmp_path / "x.json")
    with pytest.raises(ReplayError, match=r"y\.json: no such file"):
        saved.read(tmp_path / "y.json")


@pytest.mark.parametrize("method, settings, words", [
    ("activations", {}, "makes no single picture"),
    ("strongest", {}, "needs more than a network, a photo and settings"),
    ("nothing", {}, "no method 'nothing'"),
    ("texture", {}, "texture takes a photo; pass it"),
    ("maximize", {"start": np.zeros((1, 16, 20, 3))}, "cannot be saved as JSON: .* ndarray and "),
])
def test_what_cannot_be_replayed_is_not_saved(method, settings, words, tmp_path):
    record = (vis.activations(NETWORK, PHOTO) if method == "activations"
              else vis.maximize(NETWORK, steps=1, **settings))
    with pytest.raises(ReplayError, match=words):
        saved.save(record, NETWORK, tmp_path / "r.json", method,
                   PHOTO if method == "activations" else None)
    assert list(tmp_path.iterdir()) == []


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"end the name in one of \.json"):
        saved.save(vis.maximize(NETWORK, steps=1), NETWORK, tmp_path / "r.txt", "maximize")
