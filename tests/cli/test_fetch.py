"""``minicnn fetch``: what is printed, what is refused, and the list."""

import official
import pytest
from file_server import Answer

from minicnn.cli import main
from minicnn.files import manifest
from minicnn.foreign import convert

DATA, _ = official.squeezenet()


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A server with an official file, told of in the manifest, and a cache of its own."""
    monkeypatch.setattr(convert, "_verified", lambda *_: "No probe: a test.")
    with official.world(tmp_path, monkeypatch, DATA) as found:
        yield found


def test_a_network_is_fetched_and_described(world, said, tmp_path):
    lines = said("fetch", "squeezenet11").splitlines()
    path = tmp_path / "cache" / "mine.h5"
    assert lines[0] == f"{path}: squeezenet11, 1,235,496 parameters, 1000 class names"
    assert lines[1] == "a file made for a test; licence: MIT (of a test)."
    assert lines[2] == "Published: top-1 58.2 % (one centre crop; a page)."
    assert lines[-1] == ("Use it with --weights squeezenet11, or "
                         "minicnn.load('squeezenet11').")
    assert "(already in the cache)" in said("fetch", "squeezenet11")
    assert len(world.server.asked) == 2
    assert "squeezenet11" in said("summary", "--weights", "squeezenet11")
    assert "(already in the cache)" not in said("fetch", "squeezenet11", "--again", "--keep")
    assert (tmp_path / "cache" / "downloads" / "squeeze.pth").read_bytes() == DATA


def test_what_is_not_known_is_said(world, said):
    world.say(hashes={}, size=None, accuracy=None, licence=None)
    text = said("fetch", "mine")
    assert "licence: unknown." in text and "Published" not in text
    assert "No hash is known for this file: only its contents were checked." in text


def test_from_a_file_into_a_cache_of_one_s_own(world, said, tmp_path):
    given = tmp_path / "squeeze.pth"
    given.write_bytes(DATA)
    (tmp_path / "names.json").write_bytes(official.LABELS)
    text = said("fetch", "mine", "--from-file", given, "--cache", tmp_path / "own")
    path = tmp_path / "own" / "mine.h5"
    assert path.is_file() and world.server.asked == []
    assert f"Use it with --weights {path}, or" in text


def test_without_a_connection_a_line_says_why_and_short_ones_what_to_do(world, capsys):
    world.server.page("/squeeze.pth", Answer(status=404))
    assert main(["fetch", "mine"]) == 1
    out, err = capsys.readouterr()
    first, *lines = err.splitlines()
    assert out == "" and first.startswith("minicnn: squeeze.pth could not be downloaded: HTTP stat")
    assert "http" not in first and all(line[:2] == "  " and line[2] != " " for line in lines)
    assert lines[0] == f"  tried {world.server.root}/squeeze.pth"
    assert lines[-1] == "  then run: minicnn fetch mine --from-file squeeze.pth"


def test_what_cannot_be_done_is_one_line(world, complaint, tmp_path):
    assert "near names: mine" in complaint("fetch", "mime")
    assert "no such file" in complaint("fetch", "mine", "--from-file", tmp_path / "none")
    (tmp_path / "occupied").touch()
    assert "occupied" in complaint("fetch", "mine", "--cache", tmp_path / "occupied")
    assert "minicnn fetch squeezenet11" in complaint("summary", "--weights", "squeezenet11")


@pytest.mark.parametrize("arguments", [[], ["vgg16", "--list"]])
def test_a_name_or_the_list(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(["fetch", *arguments])
    assert end.value.code == 2 and "see minicnn fetch --help" in capsys.readouterr().err


def test_ctrl_c(world, capsys, monkeypatch):
    def interrupted(*arguments, **settings):
        raise KeyboardInterrupt
    monkeypatch.setattr("minicnn.foreign.download._receive", interrupted)
    assert main(["fetch", "mine"]) == 130
    assert capsys.readouterr().err == "minicnn: interrupted\n"


def test_the_list(world, said, tmp_path):
    said("fetch", "mine")
    lines = said("fetch", "--list").splitlines()
    assert lines[0].split() == ["name", "network", "for", "short", "size", "top-1", "top-5",
                                "licence", "here"]
    assert lines[1].split() == ["mine", "squeezenet11", "squeezenet11", "5", "MB", "58.2", "MIT",
                                "yes"]
    world.say(hashes={}, size=None, accuracy=None, licence=None)
    row = said("fetch", "--list").splitlines()[1]
    assert row.split() == ["mine", "squeezenet11", "squeezenet11", "unknown", "unknown", "yes"]
    assert lines[-1].endswith(f"The cache is {tmp_path / 'cache'}.")


def test_the_real_list(said, tmp_path):
    lines = said("fetch", "--list", "--cache", tmp_path).splitlines()
    assert len(lines) == 1 + len(manifest.known()) + 2
    assert all(len(line) <= 120 for line in lines[:-1])
    row = next(line for line in lines if line.startswith("vgg16_keras "))
    assert row.split() == ["vgg16_keras", "vgg16", "vgg16", "553", "MB", "71.27", "90.05", "CC",
                           "BY", "4.0"]
