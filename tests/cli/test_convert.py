"""The command convert."""

import os
import threading

import numpy as np
import pytest
import small
import weight_bytes

from minicnn import load
from minicnn.cli import main


@pytest.fixture
def vgg(tmp_path):
    """The first convolution of a VGG-16, as torchvision would write it."""
    rng = np.random.default_rng(0)
    arrays = {"features.0.weight": rng.standard_normal((64, 3, 3, 3)).astype(np.float32),
              "features.0.bias": np.zeros(64, np.float32)}
    (tmp_path / "vgg16.safetensors").write_bytes(
        weight_bytes.safetensors(arrays, metadata={"format": "pt"}))
    return tmp_path / "vgg16.safetensors"


def test_convert(said, vgg, tmp_path):
    out = tmp_path / "out.h5"
    text = said("convert", vgg, "--to", out)
    lines = text.splitlines()
    assert lines[0] == "safetensors"
    assert "features.0.weight  conv1_1/w  64x3x3x3  3x3x3x64  axes turned" in lines
    assert lines[-1] == f"{out}: vgg16, 1,792 parameters, 0 class names"
    assert load(out).names == ["conv1_1", "relu1_1"]


def test_model_and_labels(said, vgg, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("".join(f"a{k}\n" for k in range(64)))
    said("convert", vgg, "--model", "vgg13", "--labels", names, "--to", tmp_path / "out.h5")
    network = load(tmp_path / "out.h5")
    assert network.name == "vgg13" and network.label(63) == "a63"


@pytest.mark.parametrize("arguments, words", [
    (["nowhere.pth", "--to", "o.h5"], "nowhere.pth: no such file"),
    (["FILE", "--to", "o.pth"], "end the name in one of .h5"),
    (["FILE", "--to", "no/o.h5"], "folder"),
    (["FILE", "--to", "o.h5", "--model", "vgg99"], "name one as model"),
    (["FILE", "--to", "o.h5", "--mean", "m.binaryproto"], "go with a .caffemodel"),
])
def test_what_cannot_be_done_is_one_line_and_no_file(arguments, words, vgg, complaint, tmp_path,
                                                     monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert words in complaint("convert", *[vgg if a == "FILE" else a for a in arguments])
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes on this system")
@pytest.mark.parametrize("arguments", [["PIPE"], ["FILE", "--labels", "PIPE"]])
def test_a_pipe_is_not_waited_for(arguments, vgg, complaint, tmp_path):
    """Whoever opens it all the same lets the writer go, and this test does not hang."""
    os.mkfifo(tmp_path / "pipe")
    places = {"PIPE": tmp_path / "pipe", "FILE": vgg}
    writer = threading.Thread(target=lambda: open(tmp_path / "pipe", "wb").close(), daemon=True)
    writer.start()
    assert "is a pipe or a device, and no file" in complaint(
        "convert", *[places.get(a, a) for a in arguments], "--to", tmp_path / "o.h5")
    assert writer.is_alive()
    os.close(os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK))
    writer.join(10)


def test_another_program_s_file_is_not_replaced_by_what_is_made_of_it(vgg, complaint, said,
                                                                      tmp_path):
    source, link = vgg.rename(tmp_path / "net.h5"), tmp_path / "link.h5"
    link.symlink_to(source)
    before = source.read_bytes()
    for to in (source, link):
        assert "is the file to convert and would be overwritten" in complaint(
            "convert", source, "--to", to)
    assert source.read_bytes() == before
    said("convert", source, "--to", tmp_path / "ours.h5", "--model", "vgg16")
    said("convert", tmp_path / "ours.h5", "--to", tmp_path / "ours.h5")  # nothing is lost of ours


def test_a_text_is_no_network(complaint, tmp_path):
    photo = small.picture_file(tmp_path)
    assert "nor as any other supported form" in complaint("convert", photo, "--to",
                                                           tmp_path / "o.h5")


def test_without_to_the_usage_is_wrong(vgg):
    with pytest.raises(SystemExit) as end:
        main(["convert", str(vgg)])
    assert end.value.code == 2


def test_probe_and_dtype(said, vgg, tmp_path):
    text = said("convert", vgg, "--to", tmp_path / "a.h5", "--probe", "minicnn")
    assert "Probe: every layer agrees with minicnn " in text
    assert load(tmp_path / "a.h5", check=True).probe is not None
    assert "Probe" not in said("convert", vgg, "--to", tmp_path / "b.h5", "--probe", "none")
    assert load(tmp_path / "b.h5").probe is None
    text = said("convert", vgg, "--to", tmp_path / "c.h5", "--probe", "minicnn", "--dtype",
                "float16")
    assert "The file has no probe: float16 rounds its numbers." in text
    assert load(tmp_path / "c.h5").probe is None  # it was of the unrounded numbers
    assert (tmp_path / "c.h5").stat().st_size < (tmp_path / "b.h5").stat().st_size


def test_our_own_form_gets_a_probe(said, vgg, tmp_path):
    said("convert", vgg, "--to", tmp_path / "c.h5", "--probe", "none", "--dtype", "float16")
    text = said("convert", tmp_path / "c.h5", "--to", tmp_path / "c.h5", "--dtype", "float16",
                "--probe", "minicnn")
    assert text.startswith("minicnn's own form\n")
    assert load(tmp_path / "c.h5", check=True).probe is not None
