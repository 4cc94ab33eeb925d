"""The command doctor."""

import json
import shutil
import sys

import numpy as np
import pytest

from minicnn import backend
from minicnn.cli import main
from minicnn.fast import winograd
from minicnn.files import cache
from minicnn.foreign import load as pretrained
from minicnn.ops import conv


@pytest.fixture(autouse=True)
def its_own(tmp_path, monkeypatch):
    """A cache of its own, and a sensible number of threads."""
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(backend, "_COUNT", {"threads": 1})


@pytest.fixture
def diagnosis(capsys):
    """Run the command where something is bad: exit status 1, all text on standard output."""
    def run(*arguments):
        assert main(["doctor", "--device", "cpu", *map(str, arguments)]) == 1
        out, err = capsys.readouterr()
        assert err == "" and "Traceback" not in out
        return out
    return run


def test_all_is_well(said):
    text = said("doctor", "--device", "cpu")
    assert "\nNothing is wrong." in text and "  BAD " not in text
    for title in ("Python", "Machine", "Libraries", "GPU", "Ops", "Cache"):
        assert f"\n{title}\n" in f"\n{text}"


def test_it_fits_a_terminal(said):
    wide = [line for line in said("doctor", "--device", "cpu").splitlines() if len(line) > 80]
    assert all(" /" in line or "\\" in line for line in wide)  # but for a long path


def test_a_wrong_gradient(diagnosis, monkeypatch):
    plain = conv.backward
    monkeypatch.setattr(conv, "backward", lambda dy, cache, *need: plain(
        dy, cache, *need)._replace(dx=np.zeros(cache.x_shape, dy.dtype)))
    text = diagnosis()
    assert "BAD   conv on cpu" in text and "dx[" in text
    assert "\nSomething is wrong: conv on cpu, conv_transpose on cpu." in text


def test_a_fault_of_winograd_alone(diagnosis, monkeypatch):
    plain = winograd.convolve
    monkeypatch.setattr(winograd, "convolve", lambda *arguments: -plain(*arguments))
    assert "\nSomething is wrong: fast.conv on cpu" in diagnosis()


def test_damaged_shipped_weights(diagnosis, tmp_path, monkeypatch):
    whole = pretrained.find("minivgg").read_bytes()
    (tmp_path / "minivgg.h5").write_bytes(whole[:100_000])
    monkeypatch.setattr(pretrained, "SHIPPED", (tmp_path,))
    assert "BAD   minivgg" in diagnosis()


def test_a_changed_byte_in_the_cache(diagnosis, weights, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    path = cache.place("small", folder)
    shutil.copy(weights, path)
    cache.record(path, {})
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    text = diagnosis("--cache", folder)
    assert "BAD   small" in text and "-> `minicnn fetch small --again`" in " ".join(text.split())


def test_threads_that_make_no_sense(diagnosis, monkeypatch):
    monkeypatch.setattr(backend, "_COUNT", {})
    monkeypatch.setenv("MINICNN_THREADS", "\x1b")
    assert "BAD   threads" in diagnosis()


def test_weights(said, weights, diagnosis, tmp_path):
    assert f"\nWeights {weights}\n" in said("doctor", "--device", "cpu", "--weights", weights)
    assert "BAD   file" in diagnosis("--weights", tmp_path / "none.h5")


def test_a_warning_is_no_failure(said, monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)  # loaded long ago: the ops still run
    assert "Warnings: BLAS." in said("doctor", "--device", "cpu")


def test_json(said, diagnosis, tmp_path, monkeypatch):
    plain = json.loads(said("doctor", "--device", "cpu", "--json"))
    assert plain["bad"] == 0 and plain["sections"]["Ops"][0]["state"] == "good"
    out = tmp_path / "report.json"
    monkeypatch.setattr(backend, "_COUNT", {})
    monkeypatch.setenv("MINICNN_THREADS", "0")
    assert diagnosis("--json", "--out", out) == ""
    assert json.loads(out.read_text())["bad"] == 4  # the threads, so the ops, so both networks


def test_wrong_usage(capsys):
    for arguments in (["--device", "tpu"], ["--wieghts", "a"], ["photo.jpg"]):
        with pytest.raises(SystemExit) as end:
            main(["doctor", *arguments])
        assert end.value.code == 2 and capsys.readouterr().out == ""
