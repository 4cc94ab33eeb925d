"""The manifest: its form is kept strictly, and what the shipped one says is so here."""

import json

import numpy as np
import official
import pytest

from minicnn import models
from minicnn.files import manifest
from minicnn.files.manifest import ManifestError
from minicnn.foreign.names import KERAS_CAFFE, OXFORD, SOURCES
from minicnn.images import Preprocessing
from minicnn.models.alexnet import CAFFE

KNOWN = manifest.known()
TORCH = {row.model: row.preprocessing for row in SOURCES if row.words.startswith("torchvision")}


# ---- the shipped one

def test_the_files_that_are_known():
    assert {"vgg16_keras", "vgg16_caffe", "vgg19_matconvnet", "bvlc_alexnet",
            "vgg19_keras_notop"} <= set(KNOWN) and len(KNOWN) == 28
    assert all(known.name == name for name, known in KNOWN.items())


@pytest.mark.parametrize("name", KNOWN)
def test_what_it_says_of_a_network_is_so(name):
    """Its layers and how it prepares photos; `foreign.fetch` checks both again on the file."""
    known = KNOWN[name]
    network = getattr(models, known.model)()
    layers = list(network.param_shapes)
    assert known.last in layers and (known.last == layers[-1]) is not name.endswith("_notop")
    program = name.replace("_notop", "").rpartition("_")[2]
    if program == "torchvision":
        expected = TORCH[known.model]
    elif program == "keras":
        expected = network.preprocessing if known.model == "inception_v3" else KERAS_CAFFE
    elif program == "matconvnet":
        p = OXFORD if known.model.startswith("vgg") else CAFFE
        expected = Preprocessing(p.size, "RGB", p.mean[::-1], 1, p.resize_to, p.rule, p.resample)
    else:
        expected = network.preprocessing
    assert known.preprocessing == expected


@pytest.mark.parametrize("name", KNOWN)
def test_every_file_can_be_proved_and_named(name):
    known = KNOWN[name]
    assert known.hashes or name in ("vgg16_jcjohnson", "vgg19_jcjohnson")
    assert known.licence and known.words and known.file not in ("", ".", "..")
    assert [c.role for c in known.companions].count("labels") == (
        0 if name.endswith(("_notop", "_matconvnet")) else 1)


def test_no_two_files_have_one_hash():
    digits = [d for known in KNOWN.values() for _, d in known.hashes]
    assert len(digits) == len(set(digits))


def test_torchvision_s_hashes_begin_as_its_names_say():
    for known in KNOWN.values():
        if known.name.endswith("_torchvision"):
            (_, digits), = known.hashes
            assert digits.startswith(known.file.rpartition("-")[2].removesuffix(".pth"))


def test_sizes_are_those_of_the_numbers_and_a_little():
    """Four bytes a parameter, and at most 3 % more; Inception v3 has its auxiliary classifier in
    torchvision's file, GoogLeNet two of them in Caffe's."""
    for known in KNOWN.values():
        network = getattr(models, known.model)()
        network = network.until("pool5") if known.name.endswith(("16_keras_notop",
                                                                 "19_keras_notop")) else network
        if known.size and known.model not in ("inception_v3", "googlenet"):
            assert 1 <= known.size / (4 * network.count()) < 1.03, known.name


def test_a_network_s_name_means_one_file():
    preferred = manifest.preferred()
    assert {known.model for known in KNOWN.values()} == set(preferred)
    assert manifest.find("vgg16") is KNOWN["vgg16_keras"] is manifest.find("vgg16_keras")
    assert not set(preferred) & set(KNOWN)


def test_an_unknown_name_gets_near_ones():
    with pytest.raises(ManifestError, match="vgg61: no official .* near names: .*vgg16.*--list"):
        manifest.find("vgg61")
    with pytest.raises(ManifestError, match="near names: alexnet_caffe"):
        manifest.find("")


def test_it_is_in_the_wheel():
    project = manifest.PLACES[1].parents[1] / "pyproject.toml"
    if not project.is_file():
        pytest.skip("not a checkout: there is no pyproject.toml here")
    assert '"weights/manifest.json" = "minicnn/weights/manifest.json"' in project.read_text("utf-8")


# ---- its form

@pytest.fixture
def read(tmp_path):
    """Read a manifest of one file, whose entry, or all of which, was changed; PATH removes."""
    def run(**changes):
        entry = official.entry(b"abc", "http://a/x") | changes.pop("entry", {})
        names = official.companion("labels", "names.json", ["http://a/n"])
        names |= changes.pop("names", {})
        contents = {"version": 1, "preferred": {"squeezenet11": "mine"},
                    "companions": {"names": names}, "files": {"mine": entry}} | changes
        for part in (contents, entry, names):
            for key in [key for key, value in part.items() if value is ...]:
                del part[key]
        path = tmp_path / "manifest.json"
        path.write_text(json.dumps(contents))
        return manifest.read(path)
    return run


def test_an_entry_comes_back(read):
    known = read().files["mine"]
    assert (known.name, known.size, known.licence) == ("mine", 3, "MIT (of a test)")
    assert known.hashes == tuple(official.hashes(b"abc").items())
    assert known.preprocessing == official.SOURCE.preprocessing
    assert known.accuracy.top1 == 58.2 and known.accuracy.top5 is None
    assert known.companions[0].role == "labels" and known.companions[0].hashes == ()
    with pytest.raises(AttributeError):
        known.size = 4


def test_what_is_not_known_is_none(read):
    unknown = {"size": None, "licence": None, "accuracy": None, "hashes": {}}
    known = read(entry=unknown).files["mine"]
    assert (known.size, known.licence, known.accuracy, known.hashes) == (None, None, None, ())


SHA = "0" * 64
PREPARED = official.plain(official.SOURCE.preprocessing)


@pytest.mark.parametrize("changes, message", [
    ({"version": 2}, "expected version 1, got 2"),
    ({"more": 1}, r"unknown fields \['more'\]"),
    ({"preferred": {"squeezenet11": "other"}}, "means 'other', which is not a file of that model"),
    ({"preferred": {"vgg16": "mine"}}, "which is not a file of that model"),
    ({"preferred": ...}, r"missing fields \['preferred'\]"),
    ({"files": {"mine": 3}}, "mine: expected names and values, got 3"),
    ({"files": []}, "files: expected names and values"),
    ({"entry": {"companions": "names"}}, "companions: expected a list"),
    ({"entry": {"companions": [[]]}}, "unhashable"),
    ({"entry": {"licence": ...}}, r"mine: missing fields \['licence'\]"),
    ({"entry": {"licens": "x"}}, r"mine: missing fields \[\], unknown fields \['licens'\]"),
    ({"entry": {"licence": ""}}, "licence: expected text or null"),
    ({"entry": {"model": 3}}, "model: expected text"),
    ({"entry": {"file": "../x.pth"}}, "plain file name"),
    ({"entry": {"file": ".."}}, "plain file name"),
    ({"entry": {"addresses": []}}, "addresses: expected one or more http or https"),
    ({"entry": {"addresses": "http://a/x"}}, "addresses: expected one or more http or https"),
    ({"entry": {"addresses": ["file:///x"]}}, "addresses: expected one or more http or https"),
    ({"entry": {"size": "3"}}, "size: expected a number of bytes or null"),
    ({"entry": {"size": True}}, "size: expected a number of bytes or null"),
    ({"entry": {"hashes": [SHA]}}, "hashes: expected"),
    ({"entry": {"hashes": {"sha256": SHA[:-1]}}}, "not a valid hash"),
    ({"entry": {"hashes": {"sha256": "G" * 64}}}, "not a valid hash"),
    ({"entry": {"hashes": {"sha256 prefix": "0" * 7}}}, "not a valid hash"),
    ({"entry": {"hashes": {"crc": "0" * 8}}}, "not a valid hash"),
    ({"entry": {"accuracy": {"top1": 0.58, "top5": None, "how": "x", "source": "y"}}}, "percent"),
    ({"entry": {"accuracy": {"top1": 58, "top5": 80, "how": "", "source": "y"}}}, "how and where"),
    ({"entry": {"preprocessing": {**PREPARED, "order": "GBR"}}}, "mine: order: expected one of"),
    ({"entry": {"preprocessing": {"order": "RGB"}}}, "mine: Preprocessing: missing"),
    ({"entry": {"companions": ["mean"]}}, r"companions \['mean'\] are not in"),
    ({"names": {"role": "prototxt"}}, "names: role: expected one of"),
    ({"names": {"file": "a/b"}}, "names: file: expected a plain file name"),
])
def test_another_form_is_refused(read, changes, message):
    with pytest.raises(ManifestError, match=f"manifest.json: .*{message}") as error:
        read(**changes)
    assert "\n" not in str(error.value)


def test_what_is_no_manifest(tmp_path):
    path = tmp_path / "m.json"
    for text in ("", "[", "3", "[]", "null", "\xff"):
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(ManifestError, match="m.json"):
            manifest.read(path)
    with pytest.raises(ManifestError, match="none.json: cannot be read"):
        manifest.read(tmp_path / "none.json")


def test_an_installation_without_one(tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "PLACES", (tmp_path / "a.json",))
    with pytest.raises(ManifestError, match="not completely installed"):
        manifest.known()


def test_means_and_scales_are_of_pixels_up_to_255():
    for known in KNOWN.values():
        p = known.preprocessing
        black, white = (np.subtract(v, p.mean) * p.scale for v in (0, 255))
        assert black.max() < 0 < white.min(), known.name
