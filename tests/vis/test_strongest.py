"""The strongest patches: which, where, and what they are, against one photo at a time; and that
neither processes, batches nor kills change a byte."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import nets
import numpy as np
import pytest
import small

from minicnn import images, vis
from minicnn.files import patches
from minicnn.files.unfinished import Unfinished
from minicnn.network import LayerNameError, Network, receptive
from minicnn.network.layers import LRN, Conv, ReLU
from minicnn.vis import strongest_pictures
from minicnn.vis.strongest import rectified

NETWORK = small.network()
PHOTOS = [small.photo(seed=k) for k in range(12)]
LAYERS = {"relu1": [0, 5], "mix": [8, 3, 0], "relu2": [1, 4], "fc": [2]}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return vis.strongest(NETWORK, PHOTOS, tmp_path_factory.mktemp("found"), LAYERS, count=3).patches


# ---- what is found

def values(layer, channel):
    """(value, -photo) of the strongest unit in each photo, best first: the rule, spelt out."""
    runs = [NETWORK.forward(NETWORK.prepare(photo), to=layer) for photo in PHOTOS]
    return sorted(((float(run[layer][..., channel].max()), -k) for k, run in enumerate(runs)),
                  reverse=True)


@pytest.mark.parametrize("layer, channel", [(k, c) for k, v in LAYERS.items() for c in v])
def test_the_places_are_those_of_the_photos_one_by_one(found, layer, channel):
    one = found.channel(layer, channel)
    best = [(value, -k) for value, k in values(layer, channel)[:3] if value > 0]
    assert list(zip(one.values, one.photos, strict=True)) == best
    assert one.names == [f"picture {k}" for k in one.photos] and len(set(one.photos)) == len(best)


@pytest.mark.parametrize("layer, channel", [(k, c) for k, v in LAYERS.items() for c in v])
def test_a_patch_holds_what_the_unit_sees_and_its_projection_is_the_deconvnet_s(
        found, layer, channel):
    one = found.channel(layer, channel)
    field = receptive.field(NETWORK, layer, channel)
    for k, number in enumerate(one.photos):
        record = vis.deconvnet(NETWORK, PHOTOS[number], layer, channel,
                               relu=found.rules(layer)[0])
        assert record.settings["position"] == one.positions[k]
        top, bottom, left, right = one.boxes[k]
        assert field.box(one.positions[k]) == (top, bottom, left, right)
        first, last, begin, end = one.windows[k]
        assert first <= top and bottom <= last and begin <= left and right <= end
        top, bottom, left, right = one.windows[k]
        np.testing.assert_array_equal(one.patches[k], PHOTOS[number][top:bottom, left:right])
        rgb = images.to_rgb(record.x, NETWORK.preprocessing)[0]
        np.testing.assert_array_equal(one.projections[k], rgb[top:bottom, left:right])
        rgb[top:bottom, left:right] = 0
        assert not rgb.any()  # all of the projection's energy is in the patch


def test_something_was_found_in_every_layer(found):
    """Else the tests above would have compared nothing."""
    for layer, channels in LAYERS.items():
        assert any(len(found.channel(layer, channel).values) == 3 for channel in channels), layer


def test_what_the_file_says(found):
    assert found.about == {
        "network": "small", "count": 3, "relu": "auto", "lrn": "auto", "shifts": 1,
        "size": [16, 20], "photos": 12,
        "rules": {"relu1": ["deconvnet", "through"], "mix": ["deconvnet", "through"],
                  "relu2": ["guided", "through"], "fc": ["guided", "through"]}}
    assert found.layers == LAYERS and found.unreadable == []
    assert [path.name for path in found.path.parent.iterdir()] == ["strongest.h5"]


def test_what_a_unit_sees_at_the_border_is_moved_into_the_photo(found):
    """relu1 is a 3x3 convolution with padding: always 3x3 pixels, around the unit if possible."""
    one = found.channel("relu1", 0)
    assert one.frame == (3, 3) and any(0 in position for position in one.positions)
    for (row, column), window in zip(one.positions, one.windows, strict=True):
        top, left = min(max(row - 1, 0), 13), min(max(column - 1, 0), 17)
        assert window == (top, top + 3, left, left + 3)


def test_where_a_unit_sees_further_than_the_photo_the_photo_is_stored(found, tmp_path):
    """relu2 sees 13 pixels each way, also where the photo has only 11 rows."""
    flat = vis.strongest(NETWORK, PHOTOS, tmp_path, {"relu2": [1]}, count=3, size=(11, 16)).patches
    one = flat.channel("relu2", 1)
    assert one.frame == (13, 13) and one.values
    for (top, bottom, left, right), patch in zip(one.windows, one.patches, strict=True):
        assert (top, bottom, right - left) == (0, 11, 13) and 0 <= left <= 3
        assert patch.shape == (11, 13, 3)
    assert found.channel("fc", 2).windows[0] == (0, 16, 0, 20)


def test_rules_and_size_are_those_asked_for(tmp_path):
    found = vis.strongest(NETWORK, PHOTOS[:2], tmp_path, {"mix": [0]}, count=1, relu="guided",
                          lrn="scale", size=(18, 24)).patches
    one = found.channel("mix", 0)
    record = vis.deconvnet(NETWORK, PHOTOS[one.photos[0]], "mix", 0, relu="guided",
                           lrn="scale", size=(18, 24))
    top, bottom, left, right = one.windows[0]
    np.testing.assert_array_equal(
        one.projections[0],
        images.to_rgb(record.x, NETWORK.preprocessing)[0, top:bottom, left:right])


def test_the_settings_make_the_same_file(tmp_path):
    record = vis.strongest(NETWORK, PHOTOS[:3], tmp_path / "a", ["relu2"], [4, 1], count=2)
    assert record.settings["layers"] == {"relu2": [4, 1]} and record.settings["size"] == (16, 20)
    vis.strongest(NETWORK, PHOTOS[:3], tmp_path / "b", **record.settings)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_silent_channel_has_no_places(tmp_path):
    network = small.network()
    network.params["conv2"]["b"][3] = -1e3
    found = vis.strongest(network, PHOTOS[:2], tmp_path, ["relu2"], [3, 1], count=4).patches
    assert found.channel("relu2", 3).values == []
    assert len(found.channel("relu2", 1).values) == 2  # as many as there are photos


def test_every_rectified_map_is_looked_at_where_nothing_is_named(tmp_path):
    assert rectified(NETWORK) == ["relu1", "mix/relu_1x1", "mix/relu_3x3", "mix/relu_project",
                                  "relu2"]
    found = vis.strongest(NETWORK, PHOTOS[:1], tmp_path).patches
    assert found.layers == {name: list(range(NETWORK.shapes[name][-1]))
                            for name in rectified(NETWORK)}


# ---- whatever happens, the same bytes

def contents(path):
    return Path(path, "strongest.h5").read_bytes()


def test_batches_and_processes_change_nothing(found, tmp_path):
    vis.strongest(NETWORK, PHOTOS, tmp_path / "a", LAYERS, count=3, batch=5)
    vis.strongest(NETWORK, PHOTOS, tmp_path / "b", LAYERS, count=3, batch=1, workers=2)
    assert contents(tmp_path / "a") == contents(tmp_path / "b") == found.path.read_bytes()


KILLED = """
import os, shutil, signal, sys
import h5py, small
from minicnn import vis
from minicnn.files.unfinished import Unfinished
from minicnn.vis import strongest_pictures, strongest_units

def kill_at(owner, name, moment):
    real, calls = getattr(owner, name), []
    def counted(*arguments, **settings):
        calls.append(1)
        if len(calls) == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **settings)
    setattr(owner, name, counted)

if __name__ == "__main__":
    folder, where, moment, workers = sys.argv[1:]
    kill_at(*{"replace": (os, "replace"), "part": (Unfinished, "part"), "never": (os, "replace"),
              "store": (h5py.Dataset, "__setitem__"), "remove": (shutil, "rmtree")}[where],
            int(moment))
    strongest_units.SAVE_EVERY = 0
    strongest_pictures.PART = 1 << 13
    layers = {"relu1": [0, 5], "mix": [8, 3, 0], "relu2": [1, 4], "fc": [2]}
    vis.strongest(small.network(), [small.photo(seed=k) for k in range(12)], folder, layers,
                  count=3, batch=2, workers=int(workers))
"""


def run(tmp_path, where, moment, workers=1):
    """The same work in a process of its own; its exit status."""
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    paths = os.pathsep.join([str(Path(small.__file__).parent), *filter(None, sys.path)])
    return subprocess.run([sys.executable, str(script), str(tmp_path / "out"), where, str(moment),
                           str(workers)], env=os.environ | {"PYTHONPATH": paths},
                          capture_output=True, timeout=60).returncode


@pytest.mark.thorough
def test_killed_at_every_stage_and_resumed_it_is_the_same_file(found, tmp_path):
    """Kill -9 while the state is replaced, a part is added, the file is written, and after."""
    stages = [("replace", 3, 1), ("replace", 8, 1), ("part", 2, 1), ("store", 5, 2),
              ("remove", 1, 1)]
    for where, moment, workers in stages:
        assert run(tmp_path, where, moment, workers) == -signal.SIGKILL, where
        done = (tmp_path / "out" / "strongest.h5").exists()
        assert done == (where == "remove")
        assert any((tmp_path / "out").glob("minicnn-unfinished-*/state.npz"))
    assert contents(tmp_path / "out") == found.path.read_bytes()
    assert run(tmp_path, "never", 0) == 0
    assert contents(tmp_path / "out") == found.path.read_bytes()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["strongest.h5"]


def test_ctrl_c_in_the_second_pass_keeps_the_parts(found, tmp_path, monkeypatch):
    monkeypatch.setattr(strongest_pictures, "PART", 1 << 13)
    made, save = [], Unfinished.save_part

    def third_raises(self, number, **arrays):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(number)
        save(self, number, **arrays)

    monkeypatch.setattr(Unfinished, "save_part", third_raises)
    with pytest.raises(KeyboardInterrupt):
        vis.strongest(NETWORK, PHOTOS, tmp_path, LAYERS, count=3)
    again = []
    monkeypatch.setattr(Unfinished, "save_part", lambda self, number, **arrays: (
        again.append(number), save(self, number, **arrays)))
    vis.strongest(NETWORK, PHOTOS, tmp_path, LAYERS, count=3)
    assert made == [0, 1] and again[0] == 2
    assert contents(tmp_path) == found.path.read_bytes()


def test_other_work_does_not_go_on_from_unfinished_work(tmp_path, monkeypatch):
    """Each of these would give another result, and so has a folder of its own."""
    other = small.network(seed=3)
    normalised = nets.replaced(NETWORK, "norm1", LRN(3, alpha=0.5))
    calls = [(NETWORK, PHOTOS, {}), (other, PHOTOS, {}), (normalised, PHOTOS, {}),
             (NETWORK, PHOTOS[:5], {}), (NETWORK, PHOTOS[::-1], {}),
             (NETWORK, PHOTOS, {"count": 2}), (NETWORK, PHOTOS, {"layers": ["relu1"]}),
             (NETWORK, PHOTOS, {"channels": [0, 1]}), (NETWORK, PHOTOS, {"relu": "guided"}),
             (NETWORK, PHOTOS, {"lrn": "scale"}), (NETWORK, PHOTOS, {"shifts": 9}),
             (NETWORK, PHOTOS, {"size": (18, 22)})]

    def interrupt(self, **arrays):
        raise KeyboardInterrupt

    monkeypatch.setattr(Unfinished, "save", interrupt)
    for network, pictures, settings in calls:
        for batch in (3, 4):  # which changes nothing
            with pytest.raises(KeyboardInterrupt):
                vis.strongest(network, pictures, tmp_path, batch=batch, **settings)
    assert len(list(tmp_path.iterdir())) == len(calls)


# ---- photos of all kinds

def test_a_folder_with_broken_photos(tmp_path):
    """One is cut short, one is no picture: the others give what they give alone."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for k, name in enumerate(["a.png", "b.jpg", "more/c.png", "more/d.jpg"]):
        images.save(folder / name, PHOTOS[k])
    (folder / "b.jpg").write_bytes((folder / "b.jpg").read_bytes()[:300])
    (folder / "e.png").write_text("no picture")
    found = vis.strongest(NETWORK, folder, tmp_path / "out", ["relu1"], count=4, batch=2).patches
    assert found.about["photos"] == 5 and len(found.unreadable) == 2
    assert "b.jpg: cannot be read" in found.unreadable[0]
    assert "e.png: not a picture" in found.unreadable[1]
    good = [folder / name for name in ("a.png", "more/c.png", "more/d.jpg")]
    alone = vis.strongest(NETWORK, good, tmp_path / "alone", ["relu1"], count=4).patches
    for ours, theirs in zip(found.channels("relu1"), alone.channels("relu1"), strict=True):
        assert ours.values == theirs.values and ours.names == theirs.names
    assert patches.read(found.path).unreadable == found.unreadable


def test_photos_where_there_are_none(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: no photos in this folder"):
        vis.strongest(NETWORK, tmp_path / "empty", tmp_path / "out")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"none of the 1 photos can be used: .*text\.png"):
        vis.strongest(NETWORK, tmp_path / "text.png", tmp_path / "out")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


# ---- what is refused, before any photo is read

@pytest.mark.parametrize("settings, words", [
    ({"layers": ["relu3"]}, "no layer 'relu3'; near it: .*relu2"),
    ({"layers": ["relu2"], "channels": [5]}, "relu2 has 5 channels, .*there is no 5"),
    ({"layers": {"relu2": [-1]}}, "relu2 has 5 channels, counted from 0; there is no -1"),
    ({"layers": {"relu2": []}}, "relu2 has 5 channels, and none was named"),
    ({"layers": []}, "name the layers to look at"),
    ({"relu": "leaky"}, "relu must be one of auto, gradient, .* got 'leaky'"),
    ({"lrn": "skip"}, "lrn must be one of .* got 'skip'"),
    ({"shifts": 4}, "shifts must be one of 1, 9, got 4"),
    ({"count": 0}, "count must be a whole number of at least 1, got 0"),
    ({"batch": 0}, "batch must be a whole number of at least 1"),
    ({"workers": 0}, "workers must be a whole number of at least 1"),
    ({"size": "keep"}, "size: expected a whole number"),
    ({"size": 2, "layers": ["relu2"]}, "does not fit")])
def test_settings_out_of_range(tmp_path, settings, words):
    with pytest.raises(ValueError, match=words):
        vis.strongest(NETWORK, PHOTOS, tmp_path, **settings)
    assert not list(tmp_path.iterdir())


def test_a_wrong_layer_is_a_layer_name_error(tmp_path):
    with pytest.raises(LayerNameError):
        vis.strongest(NETWORK, PHOTOS, tmp_path, ["nowhere"])


def test_a_network_without_maps_or_preprocessing(tmp_path):
    plain = nets.trained(Network("plain", [("conv", Conv(2, 3))], (8, 8, 3)))
    with pytest.raises(ValueError, match="plain has no rectified feature maps"):
        vis.strongest(plain, PHOTOS, tmp_path)
    bare = nets.trained(Network("bare", [("conv", Conv(2, 3)), ("relu", ReLU())], (8, 8, 3)))
    with pytest.raises(ValueError, match="Preprocessing"):
        vis.strongest(bare, PHOTOS, tmp_path)


def test_several_workers_on_a_gpu(tmp_path):
    network = small.network()
    network.device = "gpu"
    with pytest.raises(ValueError, match="cannot share a GPU"):
        vis.strongest(network, PHOTOS, tmp_path, workers=2)
