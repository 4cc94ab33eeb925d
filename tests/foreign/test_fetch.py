"""`fetch`: from a real server on this machine and from files; nothing is opened unproved."""

import json
from pathlib import Path

import numpy as np
import official
import pytest
from file_server import Answer, ranged

from minicnn import load, models
from minicnn.files import cache, hdf5, manifest
from minicnn.files.errors import WeightsError
from minicnn.files.manifest import ManifestError
from minicnn.foreign import fetch as module
from minicnn.foreign import load as pretrained
from minicnn.foreign.download import DownloadError
from minicnn.foreign.fetch import fetch

DATA, ARRAYS = official.squeezenet()


@pytest.fixture
def world(tmp_path, monkeypatch):
    with official.world(tmp_path, monkeypatch, DATA) as found:
        yield found


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Leave out the probe that is made once the mean image is known; see test_fetch_probe."""
    monkeypatch.setattr(module, "verified", lambda network, where: "No probe: a test.")


@pytest.fixture
def never_opened(monkeypatch):
    """Fail the test if anything is converted."""
    def opened(*arguments):
        raise AssertionError("a file was opened before it was proved")
    monkeypatch.setattr(module, "convert", opened)


# ---- what goes well

def test_a_network_is_brought_and_found_by_name(world):
    path = fetch("mine")
    assert path == world.cache / "mine.h5"
    network = pretrained.load("mine")
    assert network.name == "squeezenet11" and network.label(3) == "class 3"
    assert network.preprocessing == official.SOURCE.preprocessing
    for place, value in ARRAYS.items():
        layer, _, key = place.rpartition("/")
        np.testing.assert_array_equal(network.params[layer][key], value, strict=True)
    assert world.left() == ["downloads/names.json", "mine.h5", "mine.json"]


def test_a_network_s_name_is_enough(world):
    assert fetch("squeezenet11") == world.cache / "mine.h5"
    assert load("squeezenet11").about["official"] == "mine"


def test_what_is_known_of_it_goes_with_it(world):
    path = fetch("mine")
    about, (entry,) = hdf5.load(path).about, cache.entries()
    for told in (about, entry.record):
        assert told["official"] == "mine" and told["address"] == world.url
        assert told["hash"] == official.hashes(DATA) and told["licence"] == "MIT (of a test)"
        assert told["accuracy"] == {"top1": 58.2, "top5": None, "how": "one centre crop",
                                    "source": "a page"}
    assert about["source_sha256"] == official.hashes(DATA)["sha256"]
    assert entry.record["class_names"] == 1000 and entry.record["parameters"] == 1_235_496
    assert cache.verify(entry) is None


def test_what_is_there_is_not_brought_again_unless_asked_or_damaged(world):
    path = fetch("mine")
    before = len(world.server.asked)
    assert fetch("mine") == path and len(world.server.asked) == before
    fetch("mine", again=True)
    assert world.server.asked[before][0] == "/squeeze.pth"
    before = len(world.server.asked)
    path.write_bytes(path.read_bytes()[:-1])
    fetch("mine")
    assert len(world.server.asked) == before + 1  # the class names are there
    assert cache.verify(*cache.entries()) is None


def test_the_original_can_be_kept_and_is_used_again(world):
    fetch("mine", keep=True)
    original = world.cache / "downloads" / "squeeze.pth"
    assert original.read_bytes() == DATA
    fetch("mine", again=True, keep=True)
    assert [path for path, _ in world.server.asked].count("/squeeze.pth") == 1
    original.write_bytes(DATA[:-1])
    fetch("mine", again=True)
    assert [path for path, _ in world.server.asked].count("/squeeze.pth") == 2
    assert not original.exists()


def test_a_cache_of_one_s_own(world):
    other = world.folder / "deep" / "er"
    assert fetch("mine", cache=other) == other / "mine.h5"
    assert not world.cache.exists()


def test_a_break_is_gone_on_from_at_the_next_call(world):
    world.server.page("/squeeze.pth", ranged(DATA, cut=1_000_000))
    world.monkeypatch.setattr("minicnn.foreign.download.time.sleep", lambda seconds: None)
    with pytest.raises(DownloadError, match="broke off after"):
        for _ in range(3):
            fetch("mine")
            world.server.asked.clear()
    part, = cache.unfinished()
    begun = part.stat().st_size
    assert 0 < begun < len(DATA) and all("part" in name for name in world.left())
    world.server.page("/squeeze.pth", ranged(DATA))
    fetch("mine")
    assert f"bytes={begun}-" in world.server.ranges()
    assert pretrained.load("mine").count() == 1_235_496


# ---- what goes wrong

def test_all_that_failed_and_what_to_bring_is_told(world, never_opened):
    world.say(addresses=[world.server.root + "/gone", world.server.root + "/page"])
    world.server.page("/page", Answer(b"<html>", headers={"Content-Type": "text/html"}))
    with pytest.raises(DownloadError) as error:
        fetch("mine")
    digits, root = official.hashes(DATA)["sha256"], world.server.root
    assert str(error.value) == ("squeeze.pth could not be downloaded: HTTP status 404 (Not Found); "
                                "answers with a web page, not with a file")
    assert error.value.__notes__ == [
        f"tried {root}/gone: HTTP status 404 (Not Found)",
        f"tried {root}/page: answers with a web page, not with a file",
        f"without a connection, copy the file here from another machine: {len(DATA):,} bytes, "
        f"sha256 {digits}", "then run: minicnn fetch mine --from-file squeeze.pth"]
    assert world.left() == []


@pytest.mark.parametrize("answer", [
    Answer(bytes(len(DATA))), Answer(DATA[:-1]), Answer(endless=True, length=None),
    Answer(DATA[:-1], length=len(DATA) - 1)], ids=["bytes", "short", "endless", "size"])
def test_nothing_is_opened_before_it_is_proved(world, never_opened, answer):
    world.server.page("/squeeze.pth", answer)
    world.monkeypatch.setattr("minicnn.foreign.download.time.sleep", lambda seconds: None)
    with pytest.raises(DownloadError):
        fetch("mine")
    assert all(".part" in name for name in world.left())


def test_a_file_without_a_hash_says_so_and_is_checked_by_its_contents(world):
    world.say(hashes={})
    assert "no hash is known" in hdf5.load(fetch("mine")).about["hash"]
    assert "no hash is known" in module.remedy(manifest.find("mine"))[0]
    world.server.page("/squeeze.pth", Answer(b"x" * len(DATA)))
    with pytest.raises(WeightsError, match="squeeze.pth"):
        fetch("mine", again=True)
    assert not (world.cache / "downloads" / "squeeze.pth").exists()  # or it would serve for ever
    assert pretrained.load("mine").name == "squeezenet11"  # the older one is still there


@pytest.mark.parametrize("entry, message", [
    ({"last": "fire9/expand3x3"}, "expected weights up to layer fire9/expand3x3 .* end at conv10"),
    ({"preprocessing": official.plain(models.squeezenet11().preprocessing)}, "it prepares photos"),
    ({"model": "vgg16", "last": "fc8"}, "squeeze.pth"),
])
def test_a_file_that_is_not_as_the_manifest_says_is_not_kept(world, entry, message):
    world.say(**entry)
    with pytest.raises(ValueError, match=message):
        fetch("mine")
    assert "mine.h5" not in world.left()


def test_an_unknown_name(world):
    with pytest.raises(ManifestError, match="mime: .* near names: mine"):
        fetch("mime")
    assert not world.cache.exists()


def test_a_half_converted_network_is_never_seen(world):
    def interrupted(*arguments):
        raise KeyboardInterrupt
    path = fetch("mine")
    world.monkeypatch.setattr(module.hdf5, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch("mine", again=True)
    assert hdf5.load(path).name == "squeezenet11"


# ---- from a file

def test_from_a_file_nothing_is_asked_of_the_file_s_addresses(world):
    given = world.file("any name")
    path = fetch("mine", from_file=given)
    assert [asked for asked, _ in world.server.asked] == ["/names.json"]
    assert given.read_bytes() == DATA  # a user's file is never deleted
    assert hdf5.load(path).about["address"] == "a file of the user's"
    assert str(world.folder) not in json.dumps(hdf5.load(path).about)


def test_from_a_file_without_any_network(world):
    """With the class names beside it; without them it says so, and works."""
    world.say(addresses=["http://127.0.0.1:9/x"],
              names=official.companion("labels", "names.json", ["http://127.0.0.1:9/n"],
                                       official.LABELS))
    world.monkeypatch.setattr("minicnn.foreign.download.time.sleep", lambda seconds: None)
    given = world.file()
    assert hdf5.load(fetch("mine", from_file=given)).labels in (None, [])
    note = cache.entries()[0].record["notes"][-1]
    assert note.startswith("The classes have no names: ") and "put names.json beside" in note
    world.file("names.json", official.LABELS)
    assert hdf5.load(fetch("mine", from_file=given)).label(0) == "class 0"


def test_class_names_of_a_synset_file_beside_it(world):
    world.file("synset_words.txt", "".join(f"n{k:08} thing {k}\n" for k in range(1000)).encode())
    assert hdf5.load(fetch("mine", from_file=world.file())).label(2) == "thing 2"
    assert world.server.asked == []


@pytest.mark.parametrize("data, message", [
    (DATA[:-1], f"has {len(DATA) - 1:,} bytes, not {len(DATA):,}"),
    (bytes(len(DATA)), "its sha256 is"),
    (b"other", "it is the file of `minicnn fetch other`")])
def test_another_file_is_refused_and_told_what_it_is(world, never_opened, data, message):
    with pytest.raises(WeightsError, match="is not the squeeze.pth from http://") as error:
        fetch("mine", from_file=world.file(data=data))
    assert message in str(error.value) and world.left() == []


def test_no_such_file(world):
    with pytest.raises(WeightsError, match="none.pth: no such file; expected squeeze.pth"):
        fetch("mine", from_file=world.folder / "none.pth")
    with pytest.raises(WeightsError, match="is a folder"):
        fetch("mine", from_file=world.folder)


# ---- companions

@pytest.mark.parametrize("text, words", [
    (b"[]", "1000 class names, one for each output of pool10, got 0"),
    (b"{", "not a list of class names"),
    (b'{"0": ["n1"]}', "not a list of class names"), (b"3", "not a list of class names"),
    (b'{"0": ["n1", "a"]}', "of pool10, got 1")])
def test_class_names_that_are_none_leave_a_note(world, text, words):
    url = world.server.page("/names.json", Answer(text))
    world.say(names=official.companion("labels", "names.json", [url]))
    path = fetch("mine")
    assert words in cache.entries()[0].record["notes"][-1] and not hdf5.load(path).labels


def test_class_names_damaged_in_the_cache_are_brought_again(world):
    fetch("mine")
    (world.cache / "downloads" / "names.json").write_bytes(b"{}")
    assert hdf5.load(fetch("mine", again=True)).label(9) == "class 9"


def test_a_companion_of_another_hash_is_not_used(world):
    given = world.file()
    world.file("names.json", official.LABELS.replace(b"class_7", b"class_8"))
    path = fetch("mine", from_file=given)
    assert "names.json: it is not the file from" in cache.entries()[0].record["notes"][-1]
    assert not hdf5.load(path).labels


def test_a_mean_image_beside_the_file(world):
    world.say(companions=["mean"])
    given = world.file()
    image = official.mean_image(given.parent / "mean.npy", [123.675, 116.28, 103.53])
    found = hdf5.load(fetch("mine", from_file=given)).preprocessing
    assert found.mean.shape == (256, 256, 3) and found.order == "RGB"
    spread = found.mean - found.mean.mean(axis=(0, 1), dtype=np.float64)
    expected = (image - image.mean(axis=(1, 2), keepdims=True)).transpose(1, 2, 0)
    np.testing.assert_allclose(spread, expected, atol=1e-4)  # float32 of numbers up to 150


@pytest.mark.parametrize("pixel, shape", [
    ([103.53, 116.28, 123.675], (3, 256, 256)), ([np.nan] * 3, (3, 256, 256)),
    ([123.675], (1, 256, 256)), ([123.675, 116.28, 103.53], (3, 100, 100))],
    ids=["order", "nan", "grey", "small"])
def test_another_mean_image_is_not_used(world, pixel, shape):
    world.say(companions=["mean"])
    given = world.file()
    official.mean_image(given.parent / "mean.npy", pixel, shape)
    found = hdf5.load(fetch("mine", from_file=given)).preprocessing
    note = cache.entries()[0].record["notes"][-2]
    assert np.ndim(found.mean) == 1 and note.startswith("The mean pixel replaces")


# ---- names

def test_a_known_name_that_is_not_here_says_how_to_get_it(world):
    for name in ("mine", "squeezenet11"):
        with pytest.raises(WeightsError, match=f"{name}: .*`minicnn fetch {name}` .*squeeze.pth"):
            pretrained.load(name)


def test_the_real_manifest_s_names_are_refused_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match="`minicnn fetch vgg16`"):
        pretrained.load("vgg16")


def test_a_real_file_of_another_kind_is_refused(shared_data, tmp_path):
    """What Keras and PyTorch themselves wrote, but not the official files."""
    foreign = shared_data / "weights" / "foreign"
    for name, file in (("vgg19_keras", "keras_vgg19norm_to_conv3_1.h5"),
                       ("vgg19_torchvision", "torch_vgg19norm_to_conv3_1.pth"),
                       ("bvlc_alexnet", "lenet_mnist.caffemodel")):
        with pytest.raises(WeightsError, match=f"{file}: it is not the .* bytes, not "):
            fetch(name, from_file=foreign / file, cache=tmp_path)


@pytest.mark.parametrize("file, last, order", [
    ("keras_vgg19norm_to_conv3_1.h5", "conv3_1", "BGR"),
    ("torch_vgg19norm_to_conv3_1.pth", "conv3_1", "BGR")])
def test_files_that_keras_and_pytorch_wrote(world, shared_data, file, last, order):
    """As if they were official: by their own size and hash."""
    real = shared_data / "weights" / "foreign" / file
    data = real.read_bytes()
    prepared = official.plain(models.vgg19().preprocessing)
    world.say(model="vgg19", last=last, file=file, size=len(data), hashes=official.hashes(data),
              companions=[], preprocessing=prepared)
    network = hdf5.load(fetch("mine", from_file=real))
    assert (network.name, list(network.param_shapes)[-1]) == ("vgg19", last)
    assert network.preprocessing.order == order and Path(real).exists()


def test_killed_after_the_download_it_goes_on_to_the_same_bytes(world, monkeypatch):
    whole = fetch("mine").read_bytes()
    for path in world.cache.glob("mine.*"):
        path.unlink()

    def killed(*arguments, **settings):
        raise SystemExit

    with monkeypatch.context() as context:
        context.setattr(module, "convert", killed)
        with pytest.raises(SystemExit):
            fetch("mine")
    asked = len(world.server.asked)
    assert fetch("mine").read_bytes() == whole and len(world.server.asked) == asked
    assert world.left() == ["downloads/names.json", "mine.h5", "mine.json"]
