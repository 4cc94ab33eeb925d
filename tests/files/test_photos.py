"""Where many photos come from: what a place stands for, in which order, and what is refused."""

import pickle
import shutil

import h5py
import numpy as np
import pytest
import small

from minicnn import images
from minicnn.files import photos
from minicnn.images import ImageError
from minicnn.train import data


@pytest.fixture
def folder(tmp_path):
    """Photos in folders, and files that are none."""
    for name in ("b.png", "a.JPG", "inner/deep/c.jpeg", "inner/.hidden.png", ".git/d.png",
                 "notes.txt"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".txt":
            path.write_text("no photo")
        else:
            images.save(path, small.photo(seed=len(name)))
    return tmp_path / "photos"


def data_set(path, count=5, labels=True):
    """A data set of `count` PNG files, and the photos in it."""
    pictures = [small.photo(seed=k) for k in range(count)]
    files = []
    for k, picture in enumerate(pictures):
        images.save(path.with_name(f"{k}.png"), picture)
        files.append(path.with_name(f"{k}.png").read_bytes())
    with h5py.File(path, "w") as file:
        group = file.create_group("val")
        group["bytes"] = np.frombuffer(b"".join(files), np.uint8)
        group["offsets"] = np.cumsum([0, *map(len, files)])
        if labels:
            group["labels"] = [k % 2 for k in range(count)]
            file["classes"] = np.array([b"fox", "grün".encode()])
    return pictures


# ---- folders, files, arrays

def test_a_folder_stands_for_the_photos_in_it_by_name(folder):
    source = photos.find(folder)
    assert [source.name(k) for k in range(len(source))] == [
        str(folder / name) for name in ("a.JPG", "b.png", "inner/deep/c.jpeg")]
    np.testing.assert_array_equal(source.read(1), images.load(folder / "b.png"))


def test_a_list_keeps_its_order_and_may_hold_folders_and_arrays(folder):
    array = small.photo()
    source = photos.find([folder / "b.png", array, str(folder / "inner")])
    assert [source.name(k) for k in range(len(source))] == [
        str(folder / "b.png"), "picture 1", str(folder / "inner/deep/c.jpeg")]
    np.testing.assert_array_equal(source.read(1), array)


def test_a_broken_photo_shows_when_it_is_read(folder):
    (folder / "b.png").write_bytes(b"no picture")
    source = photos.find(folder)
    assert len(source) == 3
    with pytest.raises(ImageError, match=r"b\.png: not a picture"):
        source.read(1)


def test_the_fingerprint_is_of_names_order_and_arrays(folder):
    names = [folder / "a.JPG", folder / "b.png"]
    same, other, array = photos.find(names), photos.find(names[::-1]), small.photo()
    assert photos.find(names).fingerprint() == same.fingerprint() != other.fingerprint()
    assert photos.find(array).fingerprint() == photos.find(array.copy()).fingerprint()
    assert photos.find(array).fingerprint() != photos.find(array ^ 1).fingerprint()


@pytest.mark.parametrize("make, words", [
    (lambda path: path / "nowhere", "nowhere: no such file or folder; give photos"),
    (lambda path: [], "the list is empty; give photos"),
    (lambda path: path / "notes", "notes: no photos in this folder, nor in folders inside it; "
                                  "expected names ending in .png, .jpg"),
    (lambda path: path / "no.h5", "no.h5: no such file; give the path of a data set"),
    (lambda path: [path / "set.h5", path / "b.png"], "set.h5: a data set must be given alone")])
def test_what_is_not_there_is_named(folder, make, words):
    (folder / "notes").mkdir()
    data_set(folder / "set.h5")
    shutil.copy(folder / "notes.txt", folder / "notes")
    with pytest.raises(ValueError) as error:
        photos.find(make(folder))
    assert words in str(error.value)


# ---- data sets

def test_a_data_set_gives_its_photos_with_their_classes(tmp_path):
    pictures = data_set(tmp_path / "set.h5")
    source = photos.find(tmp_path / "set.h5")
    assert len(source) == 5 and source.name(0) == "val 0, fox" and source.name(3) == "val 3, grün"
    for k, picture in enumerate(pictures):
        np.testing.assert_array_equal(source.read(k), picture)


def test_a_data_set_without_labels(tmp_path):
    data_set(tmp_path / "set.h5", labels=False)
    assert photos.find(tmp_path / "set.h5").name(3) == "val 3"


def test_a_source_can_be_sent_to_another_process_after_it_was_read(tmp_path, folder):
    data_set(tmp_path / "set.h5")
    for source in (photos.find(tmp_path / "set.h5"), photos.find(folder)):
        first = source.read(1)
        sent = pickle.loads(pickle.dumps(source))
        np.testing.assert_array_equal(sent.read(1), first)
        assert sent.fingerprint() == source.fingerprint()


def test_a_data_set_that_moved_is_the_same_and_one_that_changed_is_not(tmp_path):
    data_set(tmp_path / "set.h5")
    shutil.copy(tmp_path / "set.h5", tmp_path / "moved.h5")
    prints = [photos.find(tmp_path / name).fingerprint() for name in ("set.h5", "moved.h5")]
    data_set(tmp_path / "other.h5", count=4)
    assert prints[0] == prints[1] != photos.find(tmp_path / "other.h5").fingerprint()


def test_a_broken_photo_in_a_data_set(tmp_path):
    data_set(tmp_path / "set.h5")
    with h5py.File(tmp_path / "set.h5", "a") as file:
        first = int(file["val/offsets"][2])
        file["val/bytes"][first : first + 4] = 0
    source = photos.find(tmp_path / "set.h5")
    with pytest.raises(ImageError, match="val 2, fox: not a picture"):
        source.read(2)
    assert source.read(3).shape == (16, 20, 3)


def test_a_split_that_is_not_there_and_a_file_that_is_no_data_set(tmp_path, weights):
    data_set(tmp_path / "set.h5")
    with pytest.raises(ValueError, match="there is no split 'train'; there are val"):
        photos.find(tmp_path / "set.h5", "train")
    with pytest.raises(ValueError, match="no split 'val'; .* none: this file is not a data set"):
        photos.find(weights)
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(ValueError, match=r"text\.h5: cannot be read as HDF5"):
        photos.find(tmp_path / "text.h5")


def links(path, where):
    """Replace a data set by a link to one of another file."""
    with h5py.File(path, "a") as file:
        file.move(where, "kept")
        file[where] = h5py.ExternalLink("other.h5", "kept")


def outside(path, where):
    """Keep the numbers of a data set in a file beside it."""
    with h5py.File(path, "a") as file:
        data = file[where][()]
        data.tofile(path.with_name("raw"))
        del file[where]
        file.create_dataset(where, data.shape, data.dtype,
                            external=[(str(path.with_name("raw")), 0, data.nbytes)])


@pytest.mark.parametrize("where, value, words", [
    ("val/labels", [0, 1, 0, 1, 2], "its labels are 0 to 2, and the 2 classes are counted from 0"),
    ("val/labels", [0, 1, -1, 1, 0], "its labels are -1 to 1"),
    ("val/labels", [0, 1], "it has 2 labels for 5 pictures"),
    ("val/labels", [0.5] * 5, "labels: expected whole numbers, got float64"),
    ("val/labels", b"text", "labels: expected whole numbers"),
    ("val/offsets", 5, "offsets: expected 1 dimension"), ("val/offsets", [0], "it has no pictures"),
    ("val/offsets", [[0, 5]], "offsets: expected 1 dimension"),
    ("val/offsets", [0, 900, 800, 1000, 1100, 1200], "its offsets do not rise from 0"),
    ("val/offsets", [-1, 1, 2, 3, 4, 5], "its offsets do not rise from 0"),
    ("val/offsets", [0, 1, 2, 3, 4, 10**9], "its offsets do not rise from 0"),
    ("val/bytes", None, "bytes is missing"), ("val/offsets", None, "offsets is missing"),
    ("val/bytes", [1.5], "bytes: expected whole numbers"),
    ("val/bytes", links, "bytes is a link to elsewhere"), ("classes", links, "classes is a link"),
    ("val", links, "val is a link to elsewhere"),
    ("val/bytes", outside, "bytes keeps its numbers in another file"),
    ("val/labels", outside, "labels keeps its numbers in another file"),
    ("classes", [1, 2], "classes: expected text"), ("classes", b"one", "expected 1 dimension")])
def test_a_damaged_data_set_is_refused_in_one_line(tmp_path, where, value, words):
    path = tmp_path / "set.h5"
    data_set(path)
    shutil.copy(path, tmp_path / "other.h5")
    if callable(value):
        value(path, where)
    else:
        with h5py.File(path, "a") as file:
            del file[where]
            if value is not None:
                file[where] = value
    with pytest.raises(ValueError, match=r"set\.h5: ") as error:
        photos.find(path)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_the_real_one(shared_data):
    source = photos.find(shared_data / "tiny100.h5")
    assert len(source) == 5000 and source.read(4999).shape == (64, 64, 3)
    assert source.name(0).startswith("val 0, ")


def test_a_data_set_written_is_the_one_read(tmp_path):
    """Two splits of different sizes; the same bytes each time."""
    parts = {"train": data.shapes(6, 0, 8), "val": data.shapes(4, 1, 16)}
    for name in "ab":
        photos.write(tmp_path / f"{name}.h5", parts)
    for split, part in parts.items():
        source = photos.DataSet(tmp_path / "a.h5", split)
        assert source.classes == part.classes and list(source.labels) == list(part.labels)
        np.testing.assert_array_equal(source.read(2), part.images[2])
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
