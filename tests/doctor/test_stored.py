"""The shipped networks and the cache: whole, damaged, half written."""

import os
import shutil

import pytest
import small

from minicnn.doctor import stored
from minicnn.doctor.findings import BAD, GOOD, NOTE, WARNING
from minicnn.files import cache, hdf5
from minicnn.foreign import load as pretrained


def of(what, findings):
    """The one finding about something."""
    (found,) = [finding for finding in findings if finding.what == what]
    return found


# ---- shipped

@pytest.fixture
def copies(tmp_path, monkeypatch):
    """The shipped files, copied to where they may be damaged."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    for place in pretrained.SHIPPED:
        for file in place.glob("*.h5"):
            shutil.copy(file, folder)
    monkeypatch.setattr(pretrained, "SHIPPED", (folder,))
    return folder


def test_the_shipped_networks():
    found = list(stored.shipped())
    assert of("minivgg", found).value == "1,449,812 parameters, 100 classes"
    assert {f.state for f in found} <= {GOOD, NOTE}


@pytest.mark.parametrize("place", [0.5, 0.1, 0.99])
def test_a_shipped_file_cut_short(copies, place):
    file = copies / "minivgg.h5"
    file.write_bytes(file.read_bytes()[:int(place * file.stat().st_size)])
    found = of("minivgg", stored.shipped())
    assert found.state == BAD and "minivgg.h5" in found.value and "force-reinstall" in found.remedy


def test_nothing_shipped(copies):
    for file in copies.glob("*.h5"):
        file.unlink()
    assert of("networks", stored.shipped()).state == BAD


# ---- the cache

@pytest.fixture
def fetched(tmp_path):
    """A cache with one network in it, as fetch leaves it."""
    folder = tmp_path / "cache"
    folder.mkdir()
    path = cache.place("small", folder)
    hdf5.save(small.network(), path)
    cache.record(path, {"fetched": "today"})
    return folder


def test_a_cache_in_order(fetched):
    found = list(stored.cached(fetched))
    assert {f.state for f in found} == {GOOD}
    assert of("small", found).value.endswith("kB, its SHA-256 is the recorded one")
    assert of("folder", found).value == str(fetched)


def test_one_changed_byte(fetched):
    file = cache.place("small", fetched)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    found = of("small", stored.cached(fetched))
    assert found.state == BAD and "SHA-256" in found.value and "fetch small" in found.remedy


def test_a_cut_file_and_one_without_a_record(fetched):
    file = cache.place("small", fetched)
    file.write_bytes(file.read_bytes()[:-1])
    assert of("small", stored.cached(fetched)).state == BAD
    file.with_suffix(".json").write_text("no record")
    assert "no .json with its hash" in of("small", stored.cached(fetched)).value


def test_leftovers(fetched):
    downloads = cache.downloads(fetched)
    downloads.mkdir()
    (downloads / "vgg16.pth.part").write_bytes(b"x" * 1500)
    (fetched / ".minicnn-0123abcd.h5").write_bytes(b"x" * 200)
    (downloads / "vgg19.pth").write_bytes(b"x" * 2000)
    found = list(stored.cached(fetched))
    assert of("originals", found).value == "1 kept as downloaded, 2.0 kB"
    unfinished, left = of("unfinished", found), of("left behind", found)
    assert unfinished.state == left.state == NOTE
    assert unfinished.value == "vgg16.pth.part, 1.5 kB so far"
    assert "200 bytes" in left.value and ".minicnn-*" in left.remedy


def test_a_cache_not_made_yet_is_not_made_by_asking(tmp_path):
    folder = tmp_path / "a" / "b"
    assert of("folder", stored.cached(folder)).value == f"{folder}, not created yet"
    assert not folder.parent.exists()


def test_a_cache_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    found = of("folder", stored.cached(tmp_path / "file" / "cache"))
    assert found.state == BAD and "is a file" in found.value and "MINICNN_CACHE" in found.remedy


def test_a_cache_that_may_not_be_written_to(fetched, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    found = of("folder", stored.cached(fetched))
    assert found.state == WARNING and "no permission to write" in found.value


def test_a_full_disk(fetched, monkeypatch):
    usage = shutil.disk_usage(fetched)._replace(free=10**8)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    found = of("disk", stored.cached(fetched))
    assert (found.value, found.state) == ("100.0 MB free", WARNING)


@pytest.mark.parametrize("count, words", [
    (999, "999 bytes"), (2912072, "2.9 MB"), (5.28e8, "528.0 MB"), (1.2e9, "1.2 GB")])
def test_sizes(count, words):
    assert stored.size(count) == words
