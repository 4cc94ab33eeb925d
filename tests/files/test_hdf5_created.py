"""HDF5 files on a disk that fills up, at every byte: whole, or an error and the older file."""

import errno
import os

import h5py
import numpy as np
import pytest

from minicnn.files.hdf5_created import created

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (6, 20, 20, 3)).astype(np.uint8)


def fill(path):
    """What `patches.write` does: text, an attribute, compressed pieces one by one."""
    with created(path) as file:
        file.attrs["about"] = "words " * 40
        file.create_dataset("names", data=["one", "two"], dtype=h5py.string_dtype())
        file.create_dataset("plain", data=PICTURES.astype(np.float32))
        packed = file.create_dataset("packed", PICTURES.shape, "u1", chunks=(1, 20, 20, 3),
                                     compression="gzip")
        for k, picture in enumerate(PICTURES):
            packed[k] = picture


def read(path):
    with h5py.File(path) as file:
        return file.attrs["about"], file["plain"][()], file["packed"][()], list(file["names"][()])


def limited(monkeypatch, room, by_parts=True):
    """A disk with so many bytes of room; it takes the part of a write that fits, as disks do."""
    write = os.write

    def limited_write(file, data):
        left = room - os.lseek(file, 0, os.SEEK_CUR)
        if left <= 0 or not by_parts and left < len(data):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data[:left])

    monkeypatch.setattr("minicnn.files.hdf5_created.os.write", limited_write)


def test_what_goes_in_comes_out_and_twice_the_same_bytes(tmp_path):
    fill(tmp_path / "a.h5")
    about, plain, packed, names = read(tmp_path / "a.h5")
    assert about == "words " * 40 and names == [b"one", b"two"]
    np.testing.assert_array_equal(plain, PICTURES)
    np.testing.assert_array_equal(packed, PICTURES)
    fill(tmp_path / "b.h5")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


@pytest.mark.parametrize("by_parts", [True, False])
def test_a_full_disk_is_an_error_wherever_it_ends(tmp_path, monkeypatch, by_parts):
    path = tmp_path / "a.h5"
    fill(path)
    whole = path.read_bytes()
    path.write_bytes(b"old")
    rooms = np.linspace(0, len(whole) - 1, 60).astype(int)
    for room in rooms:
        with monkeypatch.context() as context:
            limited(context, int(room), by_parts)
            with pytest.raises(OSError) as error:
                fill(path)
        assert (error.value.errno, error.value.filename) == (errno.ENOSPC, str(path))
        assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
    with monkeypatch.context() as context:
        limited(context, len(whole), by_parts)
        fill(path)
    assert path.read_bytes() == whole


def test_an_error_in_the_block_leaves_the_older_file(tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), created(path) as file:
        file["half"] = np.ones(1000)
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_disk_that_loses_bytes_silently(tmp_path, monkeypatch):
    path = tmp_path / "a.h5"
    with (pytest.raises(OSError, match=r"a\.h5: \d+ bytes were written, and the file has \d+"),
          created(path) as file):
        file["a"] = np.ones(10)
        temporary, = tmp_path.iterdir()
        monkeypatch.setattr("minicnn.files.hdf5_created._Disk.truncate",
                            lambda self, size: os.truncate(temporary, 7))
    assert not list(tmp_path.iterdir())
