"""The cache: where it is on each platform, what is in it, and what damage does to it."""

import json
from pathlib import Path

import pytest

from minicnn.files import cache


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name in ("MINICNN_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: Path("/nobody"))


@pytest.fixture
def stored(tmp_path):
    """Put a file with its record into a cache."""
    def put(name, data=b"numbers", about=None):
        path = cache.place(name, tmp_path)
        path.write_bytes(data)
        cache.record(path, about or {})
        return path
    return put


@pytest.mark.parametrize("platform, environment, expected", [
    ("linux", {}, "/nobody/.cache/minicnn"),
    ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/minicnn"),
    ("linux", {"XDG_CACHE_HOME": "x"}, "/nobody/.cache/minicnn"),  # "must be absolute", XDG 0.8
    ("linux", {"XDG_CACHE_HOME": ""}, "/nobody/.cache/minicnn"),
    ("darwin", {"XDG_CACHE_HOME": "/x"}, "/nobody/Library/Caches/minicnn"),
    ("win32", {"LOCALAPPDATA": "/local"}, "/local/minicnn/Cache"),
    ("win32", {}, "/nobody/AppData/Local/minicnn/Cache"),
    ("linux", {"MINICNN_CACHE": "/mine", "XDG_CACHE_HOME": "/x"}, "/mine"),
    ("win32", {"MINICNN_CACHE": "/mine"}, "/mine"),
])
def test_where_it_is(monkeypatch, platform, environment, expected):
    monkeypatch.setattr(cache.sys, "platform", platform)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cache.folder() == Path(expected)
    assert cache.folder("/argument") == Path("/argument")
    assert cache.place("vgg16_keras") == Path(expected) / "vgg16_keras.h5"
    assert cache.downloads() == Path(expected) / "downloads"


def test_a_home_may_be_written_with_a_tilde(monkeypatch):
    monkeypatch.setenv("HOME", "/someone")
    monkeypatch.setenv("MINICNN_CACHE", "~/nets")
    assert cache.folder() == Path("/someone/nets")


def test_what_is_in_it(stored, tmp_path):
    stored("b", about={"licence": "MIT"})
    stored("a")
    (tmp_path / "readme.txt").touch()
    (tmp_path / ".minicnn-1234.h5").touch()  # being written
    found = cache.entries(tmp_path)
    assert [entry.name for entry in found] == ["a", "b"]
    assert found[1].path == tmp_path / "b.h5" and found[1].record["licence"] == "MIT"
    assert [cache.verify(entry) for entry in found] == [None, None]


def test_none_yet(tmp_path):
    assert cache.entries(tmp_path / "none") == cache.unfinished(tmp_path / "none") == []


def test_damage_is_told(stored, tmp_path):
    path = stored("net")
    path.write_bytes(b"nunbers")
    message = cache.verify(*cache.entries(tmp_path))
    assert "net.h5: damaged, its SHA-256 is not the recorded one" in message
    path.write_bytes(b"number")
    message = cache.verify(*cache.entries(tmp_path))
    assert "has 6 bytes, not 7" in message and "`minicnn fetch net --again`" in message
    entry, = cache.entries(tmp_path)
    path.unlink()
    assert "cannot be read" in cache.verify(entry)


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"size": 7}',
                                  '{"size": "7", "sha256": ""}'])
def test_a_missing_record_is_told(stored, tmp_path, text):
    path = stored("net")
    cache.forget(path)
    cache.forget(path)  # also where there is none
    if text is not None:
        path.with_suffix(".json").write_text(text)
    entry, = cache.entries(tmp_path)
    assert entry.record is None and "no .json with its hash beside it" in cache.verify(entry)


def test_a_record_is_plain_json(stored):
    path = stored("net", b"abc", {"notes": ["x"]})
    assert json.loads(path.with_suffix(".json").read_text("utf-8")) == {
        "size": 3, "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "notes": ["x"]}


def test_what_broke_off(tmp_path):
    cache.downloads(tmp_path).mkdir()
    (cache.downloads(tmp_path) / "net.pth.part").touch()
    (cache.downloads(tmp_path) / "net.pth.part.json").touch()
    assert [path.name for path in cache.unfinished(tmp_path)] == ["net.pth.part"]
