"""The file of patches: what goes in comes out, whole or not at all."""

import json
import shutil

import h5py
import numpy as np
import pytest

from minicnn.files import patches

ABOUT = {"network": "small", "count": 2, "relu": "deconvnet", "lrn": None, "size": [16, 20],
         "photos": 7}
BOXES = {(0, 0): (2, 5, 3, 7), (0, 1): (0, 2, 16, 20), (2, 0): (13, 16, 0, 4)}
RNG = np.random.default_rng(0)
PIXELS = {place: (RNG.integers(0, 256, (b - t, r - left, 3)).astype(np.uint8),
                  RNG.standard_normal((b - t, r - left, 3)).astype(np.float32))
          for place, (t, b, left, r) in BOXES.items()}


def tables():
    """Three channels, 4, 0 and 9: two places won, none, one."""
    photos = np.array([[5, 0], [-1, -1], [2, -1]])
    positions, boxes, windows = (np.zeros((3, 2, n), np.int32) for n in (2, 4, 4))
    for place, box in BOXES.items():
        positions[place], windows[place] = (box[0], box[2]), box
        boxes[place] = box[0] + 1, *box[1:]  # the unit sees a row less
    names = np.full((3, 2), "", object)
    names[0], names[2, 0] = ["grün/a.png", "bad\udcff.png"], "c.png"
    return {"channels": np.array([4, 0, 9]), "photos": photos, "names": names,
            "values": np.array([[3.5, 1.25], [0, 0], [2, 0]], np.float32),
            "positions": positions, "boxes": boxes, "windows": windows,
            "frames": np.array([[3, 4], [3, 4], [30, 6]], np.int32)}


def written(path):
    layers = {"mix/3x3": tables(), "fc": tables() | {"positions": np.full((3, 2, 2), -1)}}
    patches.write(path, ABOUT, ["broken.jpg: cannot be read"], layers, (
        (layer, *place, *pair) for place, pair in PIXELS.items() for layer in layers))
    return path


def test_what_goes_in_comes_out(tmp_path):
    found = patches.read(written(tmp_path / "p.h5"))
    assert found.about == ABOUT and found.unreadable == ["broken.jpg: cannot be read"]
    assert found.layers == {"mix/3x3": [4, 0, 9], "fc": [4, 0, 9]}
    channel = found.channel("mix/3x3", 4)
    assert channel[:6] == ("mix/3x3", 4, [3.5, 1.25], ["grün/a.png", "bad?.png"], [5, 0],
                           [(2, 3), (0, 16)])
    assert channel.windows == [BOXES[0, 0], BOXES[0, 1]]
    assert channel.boxes == [(3, 5, 3, 7), (1, 2, 16, 20)]
    assert channel.frame == (3, 4)
    for k in (0, 1):
        np.testing.assert_array_equal(channel.patches[k], PIXELS[0, k][0])
        np.testing.assert_array_equal(channel.projections[k], PIXELS[0, k][1])
        assert channel.patches[k].dtype == np.uint8 and channel.projections[k].dtype == np.float32


def test_a_file_of_version_1_stored_the_boxes(tmp_path):
    path = written(tmp_path / "p.h5")
    with h5py.File(path, "a") as file:
        file.attrs["version"] = 1
        for group in (file["mix/3x3"], file["fc"]):
            del group["boxes"]
            group.move("windows", "boxes")
    found = patches.read(path)
    channel = found.channel("mix/3x3", 4)
    assert channel.windows == channel.boxes == [BOXES[0, 0], BOXES[0, 1]]
    np.testing.assert_array_equal(channel.patches[1], PIXELS[0, 1][0])
    assert found.rules("fc") == ("deconvnet", None)


def test_the_rules_are_a_layer_s_own(tmp_path):
    about = ABOUT | {"relu": "auto", "rules": {"fc": ["guided", "through"]}}
    assert patches.Patches(tmp_path, about, {}, []).rules("fc") == ["guided", "through"]


def test_a_silent_channel_is_empty_and_a_layer_may_have_no_positions(tmp_path):
    found = patches.read(written(tmp_path / "p.h5"))
    silent = found.channel("fc", 0)
    assert silent.values == silent.patches == silent.projections == silent.names == []
    assert found.channel("fc", 9).positions == [()]
    assert [channel.channel for channel in found.channels("fc")] == [4, 0, 9]
    assert [channel.channel for channel in found.channels("fc", [9, 4])] == [9, 4]


def test_the_same_contents_are_the_same_bytes(tmp_path):
    one, other = (written(tmp_path / name).read_bytes() for name in ("a.h5", "b.h5"))
    assert one == other


def test_what_is_not_in_it_is_named(tmp_path):
    found = patches.read(written(tmp_path / "p.h5"))
    with pytest.raises(ValueError, match=r"p\.h5: there is no layer 'pool'.* are mix/3x3, fc"):
        found.channel("pool", 0)
    with pytest.raises(ValueError, match="channel 5 of fc is not in it; its channels are 4, 0, 9"):
        found.channel("fc", 5)


def cut_short(path):
    path.write_bytes(path.read_bytes()[:2000])


def change(path, **attributes):
    with h5py.File(path, "a") as file:
        file.attrs.update(attributes)


def without_a_table(path):
    with h5py.File(path, "a") as file:
        del file["fc/channels"]


@pytest.mark.parametrize("damage, words", [
    (cut_short, "cut short"), (lambda path: path.unlink(), "no such file"),
    (lambda path: change(path, format="minicnn"), "not a file of patches"),
    (lambda path: change(path, version=3), "version 3, and this minicnn reads versions up to 2"),
    (lambda path: change(path, about="{"), "damaged"), (without_a_table, "damaged")])
def test_a_file_that_cannot_be_used(tmp_path, damage, words):
    path = written(tmp_path / "p.h5")
    damage(path)
    with pytest.raises(ValueError) as error:
        patches.read(path)
    assert str(path) in str(error.value) and words in str(error.value)


def entries(path):
    """Every data set, attribute and part of the description that a file has."""
    with h5py.File(path) as file:
        found = []
        file.visititems(lambda name, item: found.append(name))
        return [*found, *(f"@{name}" for name in file.attrs),
                *(f"about/{name}" for name in json.loads(file.attrs["about"]))]


def remove(path, name):
    with h5py.File(path, "a") as file:
        if name.startswith("about/"):
            about = json.loads(file.attrs["about"])
            del about[name.removeprefix("about/")]
            file.attrs["about"] = json.dumps(about)
        elif name.startswith("@"):
            del file.attrs[name[1:]]
        else:
            del file[name]


NEEDLESS = ["about/size", "fc/windows", "mix/3x3/windows"]  # version 1 has no windows


def test_whatever_is_missing_is_one_line(tmp_path):
    whole, path = written(tmp_path / "whole.h5"), tmp_path / "p.h5"
    names = entries(whole)
    assert len(names) > 30
    for name in names:
        shutil.copy(whole, path)
        remove(path, name)
        if name in NEEDLESS:
            assert patches.read(path).layers
            continue
        with pytest.raises(ValueError, match=r"p\.h5: ") as error:
            patches.read(path)
        assert "\n" not in str(error.value), name


def replaced(where, value=None, **how):
    def damage(path):
        with h5py.File(path, "a") as file:
            del file[where]
            file.create_dataset(where, data=value, **how)
    return damage


def linked(where):
    def damage(path):
        shutil.copy(path, path.with_name("other.h5"))
        with h5py.File(path, "a") as file:
            del file[where]
            file[where] = h5py.ExternalLink("other.h5", where)
    return damage


def about(**values):
    def damage(path):
        with h5py.File(path, "a") as file:
            found = json.loads(file.attrs["about"]) | values
            file.attrs["about"] = json.dumps(found)
    return damage


@pytest.mark.parametrize("damage, words", [
    (linked("fc"), "fc is a link to elsewhere"),
    (linked("fc/patches"), "fc/patches is a link"),
    (linked("unreadable"), "unreadable is a link"),
    (replaced("fc/values", shape=(3, 2), dtype="f4", external=[("raw", 0, 24)]),
     "fc/values keeps its numbers in another file"),
    (replaced("fc/values", np.zeros((3, 3), "f4")), "fc/values: expected the shape"),
    (replaced("fc/values", np.zeros((3, 2), int)), "fc/values: expected floating point numbers"),
    (replaced("fc/names", np.zeros((3, 2))), "fc/names: expected text"),
    (replaced("fc/windows", np.full((3, 2, 4), -9) * [1, 2, 1, 2]), "fc/windows are larger"),
    (replaced("fc/windows", np.full((3, 2, 4), 9) * [0, 9, 0, 9]), "fc/windows are larger"),
    (about(count=3), "expected the shape"), (about(count="2"), "count missing or of another type"),
    (about(layers=["nowhere"]), "nowhere is missing"), (about(layers=[]), "layers missing"),
    (about(photos=None), "photos missing"), (about(rules=[1]), "rules missing")])
def test_entries_that_do_not_go_together(tmp_path, damage, words):
    path = written(tmp_path / "p.h5")
    damage(path)
    with pytest.raises(ValueError) as error:
        patches.read(path)
    assert str(path) in str(error.value) and words in str(error.value)


def test_numbers_that_are_not_finite(tmp_path):
    path = written(tmp_path / "p.h5")
    with h5py.File(path, "a") as file:
        file["fc/projections"][0, 1, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="channel 4 of fc holds numbers that are not finite"):
        patches.read(path).channel("fc", 4)


def test_a_write_that_fails_leaves_the_file_before(tmp_path):
    path = written(tmp_path / "p.h5")
    before = path.read_bytes()

    def fail():
        yield ("fc", 0, 0, *PIXELS[0, 0])
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        patches.write(path, ABOUT, [], {"fc": tables()}, fail())
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["p.h5"]
