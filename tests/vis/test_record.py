"""What every method returns holds what it takes to make the picture again."""

import dataclasses
import inspect
import re

import numpy as np
import pytest
import small

from minicnn import images, vis
from minicnn.images import markup
from minicnn.vis.record import Records

NETWORK = small.network()
METHODS = {
    "maximize": lambda: vis.maximize(NETWORK, "relu2", 1, steps=2, seed=3),
    "deconvnet": lambda: vis.deconvnet(NETWORK, small.photo(), "relu2", 1),
    "invert": lambda: vis.invert(NETWORK, small.photo(), "relu2", steps=2, seed=3),
    "texture": lambda: vis.texture(NETWORK, small.photo(), steps=2, seed=3),
    "style": lambda: vis.style(NETWORK, small.photo(), small.photo()[::-1], steps=2, seed=3),
    "saliency": lambda: vis.saliency(NETWORK, small.photo(), 2, "smooth", samples=3, seed=3),
    "gradcam": lambda: vis.gradcam(NETWORK, small.photo(), 2, guided=True),
    "occlusion": lambda: vis.occlusion(NETWORK, small.photo(), 2, square=4, stride=4),
    "hypercolumns": lambda: vis.hypercolumns(NETWORK, small.photo(), ["relu1", "mix"]),
    "dream": lambda: vis.dream(NETWORK, small.photo(), ["relu1"], octaves=1, steps=2, seed=3),
}
OTHERWISE = {
    "activations": lambda folder: vis.activations(NETWORK, small.photo()),
    "compare": lambda folder: vis.compare(NETWORK, NETWORK, [small.photo()]),
    "deepdream_image": lambda folder: vis.deepdream_image(NETWORK, "relu1", iterations=1),
    "evolution": lambda folder: vis.evolution({0: NETWORK, 3: NETWORK}, [small.photo()], ["relu1"],
                                              count=1),
    "filters": lambda folder: vis.filters(NETWORK, count=1, steps=1, folder=folder),
    "kernels": lambda folder: vis.kernels(NETWORK),
    "strongest": lambda folder: vis.strongest(NETWORK, [small.photo()], folder),
    "survey": lambda folder: vis.survey(NETWORK, [small.photo()]),
    "zoom": lambda folder: vis.zoom(NETWORK, frames=1, layers="relu1", octaves=1, steps=1),
}
NOT_SETTINGS = {"network", "image", "progress", "watch"}


def test_every_method_is_listed_here():
    assert set(METHODS) | set(OTHERWISE) == set(vis.__all__) - {"Record"}


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_finds_more_returns_a_record_too(name, tmp_path):
    record, parameters = OTHERWISE[name](tmp_path), inspect.signature(getattr(vis, name)).parameters
    shows_itself(record, pictures=name != "survey")
    assert isinstance(record, vis.Record) and type(record) is not vis.Record
    assert record.caption and record.caption in repr(record).replace("\\n", "\n")
    assert set(record.settings) == set(parameters) - NOT_SETTINGS - {
        "against", "networks", "photos", "folder", "keep", "verbose"}


@pytest.mark.parametrize("name", METHODS)
def test_settings_are_the_method_s_arguments_and_make_the_same_picture(name):
    record, method = METHODS[name](), getattr(vis, name)
    parameters = inspect.signature(method).parameters
    said_otherwise = {"maximize": {"target"}, "style": {"folder"}}.get(name, set())
    assert set(record.settings) == set(parameters) - NOT_SETTINGS - said_otherwise
    photo = [small.photo()] if "image" in parameters else []
    again = method(NETWORK, *photo, **record.settings)
    np.testing.assert_array_equal(again.image, record.image)
    assert again.caption == record.caption


@pytest.mark.parametrize("name", METHODS)
def test_picture_and_caption(name):
    record = METHODS[name]()
    assert record.image.dtype == np.uint8 and record.image.shape == (16, 20, 3)
    assert record.caption.startswith("small ") and "\n" not in record.caption
    shows_itself(record)
    if name in ("saliency", "gradcam", "occlusion"):
        assert any(one.bar is not None for one in record.views())


def shows_itself(record, pictures=True):
    """In a notebook: its pictures, caption and settings, in little space."""
    page = record._repr_html_()
    assert len(page) < 300_000 and (page.count("<img") > 0) == pictures
    assert all(markup.text(line) in page for line in record.caption.split("\n"))
    assert all(f">{name}</td>" in page for name in record.settings)
    assert (record.trace is not None and len(record.trace) > 1) == ("objective:" in page)


def test_a_large_picture_is_reduced_and_what_is_shown_is_escaped():
    noise = np.random.default_rng(0).integers(0, 256, (900, 1200, 3), dtype=np.uint8)
    record = vis.Record(image=noise, photo=noise, caption="<b>", settings={"<i>": "<script>"},
                        trace=np.arange(3000.0).reshape(1000, 3))
    page = record._repr_html_()
    assert len(page) < 300_000 and len(record._repr_png_()) < 200_000
    assert not {"<b>", "<i>", "<script>"} & set(re.findall("<.*?>", page))


def test_patches_whose_file_is_gone_show_the_caption(tmp_path):
    record = OTHERWISE["strongest"](tmp_path)
    record.patches.path.unlink()
    assert "<img" not in record._repr_html_() and "strongest patches" in record._repr_html_()


def test_a_record_cannot_be_changed_and_prints_in_a_line():
    record = METHODS["maximize"]()
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.caption = "another"
    assert "\n" not in repr(record) and record.caption in repr(record) and len(repr(record)) < 300


def test_a_list_of_records_shows_them_beside_each_other():
    records = vis.maximize(NETWORK, "relu2", [0, 1], steps=1)
    assert isinstance(records, list) and list(records) == records
    page = records._repr_html_()
    assert page.count("<img") == 2 and all(markup.text(one.caption) in page for one in records)
    assert isinstance(records[:1], Records) and records[:1] == [records[0]]
    many = Records(records * 20)._repr_html_()
    assert many.count("<img") == 24 and "40 records, the first 24 shown" in many


def test_it_saves_and_shows_itself(tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(images, "show", shown.append)
    record = METHODS["maximize"]()
    record.save(tmp_path / "m.png")
    np.testing.assert_array_equal(images.load(tmp_path / "m.png"), record.image)
    np.testing.assert_array_equal(images.decode(record._repr_png_()), record.image)
    record.show()
    assert shown == [record]
    with pytest.raises(ValueError, match="this Record has no single picture; minicnn.report"):
        vis.Record().save(tmp_path / "n.png")
    assert vis.Record()._repr_png_() is None
