"""Data sets: images and their labels, from folders, packs, arrays and the common small files.

`Data` holds what training needs: images, labels, and the names of the classes. Its images are an
array, or pictures that are read when a batch needs them (`Pictures`), so a data set may be larger
than the memory.

    arrays       images and labels that you have
    folder       a folder with a subfolder of pictures for each class
    pack         an HDF5 file of pictures; see `minicnn.files.photos` for its form
    digits       the 1,797 digits of scikit-learn, 8 x 8
    mnist        the four idx files of MNIST, or of a data set of its form
    cifar10      the binary version of CIFAR-10
    shapes       drawn shapes and textures, as many as you like: `minicnn.train.shapes`
    find         any of these, by a word or a path

The Python version of CIFAR-10 is not read: it is a pickle, and reading a pickle runs any code that
is in it.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.files import photos
from minicnn.images import pictures
from minicnn.train.shapes import CLASSES, Shapes

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
PARTS = {"train": ("train", "training"), "val": ("val", "validation", "valid", "test")}


@dataclass(frozen=True, eq=False)
class Data:
    """Images, their labels, the names of the classes.

    Parameters
    ----------
    images : (N, H, W, C) array, or an object with `shape`, `dtype` and ``[indices]`` like one
    labels : (N,) integers
    classes : list of str, optional
    """

    images: Any
    labels: np.ndarray
    classes: list[str] | None = None

    def __len__(self):
        return len(self.labels)

    def __repr__(self):
        size = " x ".join(map(str, self.images.shape[1:]))
        kinds = f" of {len(self.classes)} classes" if self.classes else ""
        return f"<Data: {len(self):,} images, {size}{kinds}>"

    def take(self, indices: np.ndarray | slice) -> Data:
        """Some of the images, in memory."""
        return replace(self, images=self.images[indices], labels=np.asarray(self.labels)[indices])

    def in_memory(self) -> Data:
        """All images read, as one array."""
        return self.take(np.arange(len(self)))

    def split(self, share: float = 0.2, seed: int = 0) -> tuple[Data, Data]:
        """(the rest, a random `share` of each class): for training, and for validation."""
        rng, chosen = np.random.default_rng(seed), []
        for label in np.unique(self.labels):
            members = rng.permutation(np.flatnonzero(self.labels == label))
            chosen.append(members[: round(share * len(members))])
        held = np.zeros(len(self), bool)
        held[np.concatenate(chosen)] = True
        if not held.any() or held.all():
            raise ValueError(f"split: a share of {share} of each class leaves nothing for one part")
        return self._some(np.flatnonzero(~held)), self._some(np.flatnonzero(held))

    def _some(self, indices):
        images = (self.images.some(indices) if isinstance(self.images, Pictures)
                  else self.images[indices])
        return replace(self, images=images, labels=self.labels[indices])


class Pictures:
    """The pictures of a source, read and brought to one size when they are asked for.

    ``pictures[indices]`` is an array (n, H, W, 3) uint8.

    Parameters
    ----------
    source : photos.Files or photos.DataSet
    size : (H, W)
    rule : "crop" or "squash"
        crop: the shorter side becomes the size's, then the centre is cut out. squash: the whole
        picture is resized, whatever its proportions (Keras' ``target_size``).
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, source, size, rule="crop", indices=None):
        self.source, self.size, self.rule = source, pictures.height_width(size), rule
        pictures.check_choice("rule", rule, ("crop", "squash"))
        self.indices = np.arange(len(source)) if indices is None else np.asarray(indices)

    @property
    def shape(self):
        """(N, H, W, 3)."""
        return len(self.indices), *self.size, 3

    def __len__(self):
        return len(self.indices)

    def __getitem__(self, chosen):
        found = self.indices[chosen]
        if np.ndim(found) == 0:
            return self._read(found)
        return np.stack([self._read(index) for index in found]) if len(found) else np.empty(
            (0, *self.size, 3), np.uint8)

    def some(self, indices):
        """The pictures of these indices, still unread."""
        return Pictures(self.source, self.size, self.rule, self.indices[indices])

    def _read(self, index):
        pixels, wanted = self.source.read(int(index)), np.array(self.size)
        if self.rule == "crop":
            scale = (wanted / pixels.shape[:2]).max()
            large = np.maximum(np.rint(np.multiply(pixels.shape[:2], scale)).astype(int), wanted)
            top, left = (large - wanted) // 2
            pixels = pictures.resize(pixels, large, "bilinear")[top : top + wanted[0],
                                                                left : left + wanted[1]]
        return pictures.resize(pixels, wanted, "bilinear")


def arrays(images: np.ndarray, labels: Sequence[int], classes: Sequence[str] | None = None) -> Data:
    """Images (N, H, W, C), or grey (N, H, W), and labels (N,), as Data."""
    images = images if hasattr(images, "shape") else np.asarray(images)
    return Data(images[..., None] if images.ndim == 3 else images, np.asarray(labels),
                list(classes) if classes is not None else None)


def folder(path: str | Path, size: int | Sequence[int] = 64, rule: str = "crop",
           classes: Sequence[str] | None = None) -> Data:
    """A folder that holds, for each class, a subfolder of pictures with the class's name.

    Parameters
    ----------
    path : str or path
    size : int or (H, W)
        All pictures are brought to this size.
    rule : "crop" or "squash"
        See `Pictures`.
    classes : sequence of str, optional
        The subfolders to use, in the order of the labels; by default all, sorted by name.

    Returns
    -------
    Data
        Unread.

    Raises
    ------
    ValueError
        No subfolders; one without pictures; a class without a subfolder.
    """
    path = Path(path)
    there = sorted(p.name for p in path.iterdir() if p.is_dir() and p.name[0] != ".") if (
        path.is_dir()) else []
    classes = list(classes or there)
    if not there:
        raise ValueError(f"{path}: expected a folder with a subfolder of pictures for each class, "
                         f"found {'no subfolders' if path.is_dir() else 'no such folder'}")
    for name in classes:
        if name not in there:
            raise ValueError(f"{path}: there is no subfolder for class {name!r}; there are "
                             f"{', '.join(there[:10])}")
    files, labels = [], []
    for label, name in enumerate(classes):
        try:
            found = photos.find(path / name).items
        except ValueError:
            raise ValueError(f"{path / name}: no pictures of class {name!r}; put some in, or "
                             "remove the folder") from None
        files, labels = files + found, labels + [label] * len(found)
    return Data(Pictures(photos.Files(files), size, rule), np.array(labels), classes)


def pack(path: str | Path, split: str = "train", size: int | Sequence[int] = 64,
         rule: str = "crop") -> Data:
    """One split of a pack: pictures in one HDF5 file, with their labels and class names.

    Parameters
    ----------
    path : str or path
    split : str
        Such as "train" or "val".
    size, rule
        As for `folder`.

    Returns
    -------
    Data
        Unread; `Data.in_memory` reads all at once.
    """
    source = photos.DataSet(path, split)
    if source.labels is None:
        raise ValueError(f"{path}: there are no labels in {split}, or no `classes` in the file")
    return Data(Pictures(source, size, rule), source.labels, source.classes)


def digits(size: int = 8) -> Data:
    """The 1,797 handwritten digits of scikit-learn, which has to be installed.

    They are 8 x 8, in 17 levels of grey, which become 0..255; another `size` enlarges them.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise ValueError("digits: they come with scikit-learn, which is not installed; "
                         "pip install scikit-learn, or use `shapes`") from None
    found = load_digits()
    grey = np.rint(found.images * (255 / 16)).astype(np.uint8)
    if size != 8:
        grey = np.stack([pictures.resize(image, size, "bilinear") for image in grey])
    return Data(grey[..., None], found.target, [str(k) for k in range(10)])


def mnist(path: str | Path, split: str = "train") -> Data:
    """The files of MNIST (LeCun et al. 1998), or others of its form, in a folder.

    Parameters
    ----------
    path : str or path
        The folder of ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, and the two that
        begin with ``t10k``; each may be compressed (.gz).
    split : "train" or "val"
        "val" is the test set, ``t10k``.
    """
    begin = "train" if split == "train" else "t10k"
    images = _idx(_existing(Path(path), f"{begin}-images-idx3-ubyte", f"{begin}-images.idx3-ubyte"))
    labels = _idx(_existing(Path(path), f"{begin}-labels-idx1-ubyte", f"{begin}-labels.idx1-ubyte"))
    if images.ndim != 3 or labels.shape != (len(images),):
        raise ValueError(f"{path}: expected images (N, H, W) and N labels, got {images.shape} and "
                         f"{labels.shape}")
    return Data(images[..., None], labels.astype(np.int64),
                [str(k) for k in range(labels.max() + 1)])


def _existing(path, *names):
    found = [path / (name + end) for name in names for end in ("", ".gz")]
    for file in found:
        if file.is_file():
            return file
    raise ValueError(f"{path}: there is no file {names[0]} or {names[0]}.gz")


def _idx(path):
    """An array from an idx file: 0, 0, the type (8: unsigned bytes), the number of axes, their
    lengths as big-endian 32-bit numbers, then the values."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise ValueError(f"{path}: cannot be read: {error}") from None
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise ValueError(f"{path}: not an idx file of unsigned bytes, which begins with 0, 0, 8; "
                         f"found {list(data[:3])}")
    begin = 4 + 4 * data[3]
    shape = tuple(np.frombuffer(data[4:begin], ">u4").astype(int).tolist())
    if len(data) - begin != np.prod(shape):
        raise ValueError(f"{path}: {shape} needs {np.prod(shape)} values, but the file has "
                         f"{len(data) - begin}; it is damaged or incomplete")
    return np.frombuffer(data, np.uint8, offset=begin).reshape(shape)


def cifar10(path: str | Path, split: str = "train") -> Data:
    """The binary version of CIFAR-10 (Krizhevsky 2009) in a folder.

    Parameters
    ----------
    path : str or path
        The folder of ``data_batch_1.bin`` ... ``data_batch_5.bin`` and ``test_batch.bin``: each
        image is a byte for the label, then 32 x 32 bytes of red, of green, of blue.
    split : "train" or "val"
        "val" is the test set.
    """
    names = ["test_batch.bin"] if split == "val" else [f"data_batch_{k}.bin" for k in range(1, 6)]
    rows = []
    for name in names:
        file = Path(path) / name
        if not file.is_file():
            raise ValueError(f"{path}: there is no file {name}; expected the binary version of "
                             "CIFAR-10 (its Python version is a pickle, which is not read)")
        values = np.fromfile(file, np.uint8)
        if not len(values) or len(values) % 3073:
            raise ValueError(f"{file}: {len(values)} bytes are no whole number of images of 3073 "
                             "bytes; the file is damaged or incomplete")
        rows.append(values.reshape(-1, 3073))
    rows = np.concatenate(rows)
    images = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)  # N,C,H,W -> N,H,W,C
    return Data(np.ascontiguousarray(images), rows[:, 0].astype(np.int64), list(CIFAR10))


def shapes(count: int = 2000, seed: int = 0, size: int = 64) -> Data:
    """Drawn shapes and textures of ten classes; see `minicnn.train.shapes`."""
    drawn = Shapes(count, seed, size)
    return Data(drawn, drawn.labels, list(CLASSES))


def find(where: str | Path, size: int | Sequence[int] = 64, rule: str = "crop",
         seed: int = 0) -> tuple[Data, Data]:
    """(training data, validation data) of what a user names.

    Parameters
    ----------
    where : str or path
        "digits" or "shapes"; a pack (.h5); a folder with the files of MNIST or CIFAR-10, with
        folders `train` and `val` of class folders, or with class folders, of which a fifth of the
        pictures is kept for validation.
    size, rule
        For pictures in files: see `folder`. "digits" and "shapes" are drawn in this size.
    seed : int
        Of the split, and of the shapes.
    """
    path = Path(where)
    side = pictures.height_width(size)[0]
    if where == "digits":
        return digits(side).split(0.2, seed)
    if where == "shapes":
        return shapes(5000, seed, side), shapes(1000, seed + 1_000_000, side)
    if path.suffix.lower() in photos.DATA_SETS:
        return pack(path, "train", size, rule), pack(path, "val", size, rule)
    if not path.is_dir():
        raise ValueError(f"{where}: no such data; expected digits, shapes, an .h5 file of pictures "
                         "with labels, or a folder with a subfolder for each class")
    if any(path.glob("*-idx?-ubyte*")) or any(path.glob("*.idx?-ubyte*")):
        return mnist(path, "train"), mnist(path, "val")
    if any(path.glob("data_batch_*")):
        return cifar10(path, "train"), cifar10(path, "val")
    parts = [[path / name for name in names if (path / name).is_dir()] for names in PARTS.values()]
    if all(parts):
        first = folder(parts[0][0], size, rule)
        return first, folder(parts[1][0], size, rule, first.classes)
    return folder(path, size, rule).split(0.2, seed)


def fitted(data: Data, shape: Sequence[int]) -> Data:
    """The data with images in a network's input shape (H, W, C), if they are not.

    Arrays are resized, and grey ones repeated for three channels. Colour pixels stay so for one
    channel: the network's preprocessing makes them grey.
    """
    _, height, width, channels = data.images.shape
    grey = shape[2] == 3 and channels == 1
    if (height, width) == tuple(shape[:2]) and not grey:
        return data
    images = data.images[np.arange(len(data))]
    if (height, width) != tuple(shape[:2]):
        images = images[..., 0] if channels == 1 else images
        images = np.stack([pictures.resize(image, shape[:2], "bilinear") for image in images])
        images = images[..., None] if channels == 1 else images
    return replace(data, images=images.repeat(3, axis=3) if grey else images)


def as_data(data: Data | Sequence) -> Data:
    """`data` itself, or Data of a pair (images, labels)."""
    if isinstance(data, Data):
        return data
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise ValueError("training: expected data as a pair (images, labels) or as Data, see "
                         f"minicnn.train.data; got {type(data).__name__}")
    return Data(data[0] if hasattr(data[0], "shape") else np.asarray(data[0]), np.asarray(data[1]))
