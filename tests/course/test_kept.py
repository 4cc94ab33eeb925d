"""A table that is kept in a file."""

from minicnn.course import kept


def test_written_and_read(tmp_path):
    path = tmp_path / "new" / "table.json"
    assert kept.read(path) == {}
    kept.write(path, {"a": 1})
    assert kept.read(path) == {"a": 1} and [*path.parent.iterdir()] == [path]


def test_a_damaged_one_counts_as_none(tmp_path):
    path = tmp_path / "table.json"
    for text in ("", "[1, 2]", "{", "\udcff".encode("utf-8", "surrogatepass").decode("latin-1")):
        path.write_text(text, encoding="utf-8")
        assert kept.read(path) == {}
