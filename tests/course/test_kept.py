"""A table that is kept in a file."""

import pytest

from minicnn.course import kept


def test_written_and_read(tmp_path):
    path = tmp_path / "new" / "table.json"
    assert kept.read(path) == {}
    kept.write(path, {"a": 1})
    assert kept.read(path) == {"a": 1} and [*path.parent.iterdir()] == [path]


def test_a_damaged_one_is_set_aside_and_a_new_one_begun(tmp_path):
    path = tmp_path / "table.json"
    for data in (b"", b"[1, 2]", b"{", bytes(20), b"\xff\xfe{"):
        path.write_bytes(data)
        with pytest.warns(UserWarning, match="table.json: damaged.*set aside as table.json.broken"):
            assert kept.read(path) == {}
        assert (tmp_path / "table.json.broken").read_bytes() == data and not path.exists()
        assert kept.read(path) == {}
    kept.write(path, {"a": 1})
    assert kept.read(path) == {"a": 1}
