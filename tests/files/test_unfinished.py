"""Unfinished work: what is kept, for whom, and that it is never half there."""

import numpy as np
import pytest

from minicnn import images
from minicnn.files.unfinished import Unfinished

ABOUT = {"layers": ["a", "b"], "count": 9}


def test_state_and_parts_are_found_again(tmp_path):
    work = Unfinished(tmp_path / "new", ABOUT)
    assert work.state() is None and not work.has_part(3)
    work.save(values=np.arange(3), names=np.array(["ä", "b"]))
    work.save(values=np.arange(4), names=np.array(["ä", "b"]))
    work.save_part(3, pixels=np.ones((2, 2)))
    again = Unfinished(tmp_path / "new", dict(reversed(ABOUT.items())))
    state = again.state()
    assert state["values"].tolist() == [0, 1, 2, 3] and state["names"].tolist() == ["ä", "b"]
    assert again.has_part(3) and not again.has_part(0)
    np.testing.assert_array_equal(again.part(3)["pixels"], np.ones((2, 2)))


def test_work_that_depends_on_anything_else_begins_anew(tmp_path):
    Unfinished(tmp_path, ABOUT).save(values=np.arange(3))
    assert Unfinished(tmp_path, ABOUT | {"count": 8}).state() is None
    assert Unfinished(tmp_path, ABOUT).state() is not None


def test_a_write_that_fails_leaves_the_state_before(tmp_path, monkeypatch):
    work = Unfinished(tmp_path, ABOUT)
    work.save(values=np.arange(3))

    def full_disk(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    for write in (work.save, lambda **arrays: work.save_part(0, **arrays)):
        with pytest.raises(OSError, match="No space left"):
            write(values=np.arange(9))
    assert work.state()["values"].tolist() == [0, 1, 2] and not work.has_part(0)


def test_no_pickle_is_read(tmp_path):
    work = Unfinished(tmp_path, ABOUT)
    np.savez(work.folder / "state.npz", values=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        work.state()


def test_at_the_end_this_work_goes_and_all_else_stays(tmp_path):
    other, work = Unfinished(tmp_path, {"other": 1}), Unfinished(tmp_path, ABOUT)
    images.save(tmp_path / "picture.png", np.zeros((2, 2), np.uint8))
    work.save(values=np.arange(3))
    work.remove()
    work.remove()
    assert sorted(tmp_path.iterdir()) == sorted([other.folder, tmp_path / "picture.png"])
