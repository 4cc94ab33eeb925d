"""Data sets: what is read is what was written; what is wrong is named."""

import gzip
import pickle
import struct

import h5py
import numpy as np
import pytest

from minicnn import images as picture_files
from minicnn.train import data


def flat(level, side=20):
    return np.full((side, side + 4, 3), level, np.uint8)


@pytest.fixture
def pets(tmp_path):
    """A folder of two classes; every picture of a class has its own grey level."""
    for name, level in (("cats", 50), ("dogs", 200)):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for k in range(5):
            picture_files.save(tmp_path / "pets" / name / f"{k}.png", flat(level + k))
    return tmp_path / "pets"


def test_a_folder_has_a_class_for_each_subfolder(pets):
    found = data.folder(pets, 8)
    assert found.classes == ["cats", "dogs"] and found.labels.tolist() == [0] * 5 + [1] * 5
    assert found.images.shape == (10, 8, 8, 3) and len(found) == 10
    batch = found.images[[1, 7]]
    assert batch.shape == (2, 8, 8, 3) and batch.dtype == np.uint8
    assert batch[0].tolist() == flat(51, 8)[:, :8].tolist() and (batch[1] == 202).all()
    assert data.folder(pets, 8, classes=["dogs", "cats"]).images[0][0, 0, 0] == 200
    assert "10 images, 8 x 8 x 3 of 2 classes" in repr(found)


def test_a_crop_keeps_proportions_and_a_squash_does_not(tmp_path):
    (tmp_path / "a").mkdir()
    picture = np.zeros((10, 30, 3), np.uint8)
    picture[:, 10:20] = 255  # the middle third
    picture_files.save(tmp_path / "a" / "1.png", picture)
    assert (data.folder(tmp_path, 10).images[0][:, 1:-1] > 200).all()
    squashed = data.folder(tmp_path, 10, "squash").images[0][5, :, 0]
    assert squashed[0] < 20 and squashed[5] > 200 and squashed[-1] < 20


@pytest.mark.parametrize("change, words", [
    (lambda path: (path / "birds").mkdir(), "birds: no pictures of class 'birds'"),
    (lambda path: [f.rename(path / f.name) or f.parent for f in path.glob("cats/*")],
     "cats: no pictures of class 'cats'"),
])
def test_an_empty_class_folder_is_named(pets, change, words):
    change(pets)
    with pytest.raises(ValueError, match=words):
        data.folder(pets)


def test_a_folder_without_classes(tmp_path):
    with pytest.raises(ValueError, match="a subfolder of pictures for each class.*no subfolders"):
        data.folder(tmp_path)
    with pytest.raises(ValueError, match="no such folder"):
        data.folder(tmp_path / "nowhere")
    (tmp_path / "a").mkdir()
    with pytest.raises(ValueError, match="no subfolder for class 'b'; there are a"):
        data.folder(tmp_path, classes=["b"])


def test_a_broken_picture_is_named_when_it_is_read(pets):
    (pets / "cats" / "3.png").write_bytes(b"not a picture")
    found = data.folder(pets, 8)
    with pytest.raises(ValueError, match="3.png: not a picture"):
        found.in_memory()


def test_a_split_takes_a_share_of_each_class_and_no_image_twice(pets):
    rest, held = data.folder(pets, 8).split(0.2, seed=1)
    assert np.bincount(held.labels).tolist() == [1, 1] and len(rest) == 8
    levels = [part.images[np.arange(len(part))][:, 0, 0, 0] for part in (rest, held)]
    assert sorted(np.concatenate(levels)) == [*range(50, 55), *range(200, 205)]
    with pytest.raises(ValueError, match="leaves nothing"):
        rest.split(0.01)


def test_a_pack(tmp_path):
    encoded = [picture_files.encode(flat(40 * k)) for k in range(4)]
    with h5py.File(tmp_path / "pack.h5", "w") as file:
        file["classes"] = ["a", "b"]
        for split in ("train", "val"):
            file[f"{split}/bytes"] = np.frombuffer(b"".join(encoded), np.uint8)
            file[f"{split}/offsets"] = np.cumsum([0] + [len(e) for e in encoded])
            file[f"{split}/labels"] = [0, 1, 0, 1]
    train, val = data.find(tmp_path / "pack.h5", 8)
    assert train.classes == ["a", "b"] and val.labels.tolist() == [0, 1, 0, 1]
    assert train.images[2][3, 3].tolist() == [80] * 3
    assert train.in_memory().images.shape == (4, 8, 8, 3)
    with pytest.raises(ValueError, match="no split 'test'"):
        data.pack(tmp_path / "pack.h5", "test")


def idx(values):
    return b"\0\0\x08" + bytes([values.ndim]) + struct.pack(
        f">{values.ndim}I", *values.shape) + values.astype(np.uint8).tobytes()


def test_mnist_plain_and_compressed(tmp_path):
    drawn = np.random.default_rng(0).integers(0, 256, (6, 28, 28))
    labels = np.array([5, 0, 4, 1, 9, 2])
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(drawn))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(drawn[:2]))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(labels[:2]))
    train, val = data.find(tmp_path)
    np.testing.assert_array_equal(train.images[..., 0], drawn)
    assert train.labels.tolist() == labels.tolist() and len(val) == 2
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(drawn)[:-1])
    with pytest.raises(ValueError, match="t10k-images-idx3-ubyte: .* damaged or incomplete"):
        data.mnist(tmp_path, "val")
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(b"PK\3\4")
    with pytest.raises(ValueError, match="not an idx file"):
        data.mnist(tmp_path, "val")
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(b"\x1f\x8b broken")
    with pytest.raises(ValueError, match="cannot be read"):
        data.mnist(tmp_path)


def test_cifar10_is_read_from_bytes_and_never_from_a_pickle(tmp_path):
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (10, 32, 32, 3)), rng.integers(0, 10, 10)
    rows = [bytes([label]) + image.transpose(2, 0, 1).astype(np.uint8).tobytes()  # H,W,C -> C,H,W
            for image, label in zip(pixels, labels, strict=True)]
    for k in range(5):
        (tmp_path / f"data_batch_{k + 1}.bin").write_bytes(b"".join(rows[2 * k : 2 * k + 2]))
    (tmp_path / "test_batch.bin").write_bytes(rows[3])
    train, val = data.find(tmp_path)
    np.testing.assert_array_equal(train.images, pixels)
    assert train.labels.tolist() == labels.tolist() and val.labels.tolist() == [labels[3]]
    assert train.classes[8] == "ship"
    (tmp_path / "test_batch.bin").write_bytes(rows[3][:-1])
    with pytest.raises(ValueError, match="no whole number of images"):
        data.cifar10(tmp_path, "val")


def test_a_pickled_cifar10_runs_nothing(tmp_path):
    class Bomb:
        def __reduce__(self):
            return exec, ("raise SystemExit('the pickle ran')",)

    (tmp_path / "data_batch_1").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match="binary version.*a pickle, which is not read"):
        data.find(tmp_path)


def test_digits():
    pytest.importorskip("sklearn")
    found = data.digits(28)
    assert found.images.shape == (1797, 28, 28, 1) and found.images.max() == 255
    assert data.digits().images.shape[1:] == (8, 8, 1)


def test_digits_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    with pytest.raises(ValueError, match="pip install scikit-learn, or use `shapes`"):
        data.digits()


def test_shapes_and_arrays():
    train, val = data.find("shapes", 16)
    assert train.images.shape == (5000, 16, 16, 3) and len(val) == 1000
    assert (train.images[0] != val.images[0]).any() and train.classes[0] == "disc"
    grey = data.arrays(np.zeros((3, 5, 5)), [0, 1, 0], ("no", "yes"))
    assert grey.images.shape == (3, 5, 5, 1) and grey.take([2]).labels.tolist() == [0]


def test_what_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="no such data; expected digits, shapes"):
        data.find(tmp_path / "nothing")
    with pytest.raises(ValueError, match="a pair \\(images, labels\\)"):
        data.as_data(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="no file train-images-idx3-ubyte"):
        data.mnist(tmp_path)


def test_a_folder_of_train_and_val_has_the_same_classes_in_both(pets, tmp_path):
    both = tmp_path / "both"
    for part in ("train", "val"):
        (both / part).mkdir(parents=True)
        for name in ("cats", "dogs"):
            (both / part / name).symlink_to(pets / name)
    train, val = data.find(both, 8)
    assert train.classes == val.classes == ["cats", "dogs"] and len(val) == 10
    (both / "val" / "dogs").unlink()
    with pytest.raises(ValueError, match="no subfolder for class 'dogs'"):
        data.find(both, 8)


def test_fitted_resizes_and_makes_grey_ones_colour():
    small = data.arrays(np.full((3, 8, 8, 1), 90, np.uint8), [0, 1, 2])
    assert data.fitted(small, (8, 8, 1)) is small
    large = data.fitted(small, (12, 10, 3)).images
    assert large.shape == (3, 12, 10, 3) and (large == 90).all()
