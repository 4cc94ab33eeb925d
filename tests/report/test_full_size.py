"""Pictures at their own size: the folder, its names, and which file is the picture itself."""

import numpy as np
import pytest
import small
from PIL import Image

from minicnn import images
from minicnn.report import full_size

PHOTO = small.photo()


def test_a_folder_of_the_sheet_s_name_with_every_picture(tmp_path):
    pictures = {"conv1": PHOTO, "mix/1x1_3": 255 - PHOTO, "fc_0_tench: Tinca?": PHOTO[:, ::-1]}
    folder = full_size.save(tmp_path / "my.sheet.jpg", pictures)
    assert folder == tmp_path / "my.sheet"
    assert sorted(p.name for p in folder.iterdir()) == ["conv1.png", "fc_0_tench_Tinca.png",
                                                        "mix_1x1_3.png"]
    np.testing.assert_array_equal(images.load(folder / "mix_1x1_3.png"), 255 - PHOTO)


def test_other_files_in_the_folder_stay(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "mine.txt").write_text("mine")
    full_size.save(tmp_path / "a.png", {"one": PHOTO})
    assert (tmp_path / "a" / "mine.txt").read_text() == "mine"


def test_a_file_in_the_folder_s_place_is_told(tmp_path):
    (tmp_path / "a").write_text("a file")
    with pytest.raises(ValueError, match=r"a: pictures .* there is a file; move it away, or give"):
        full_size.check(tmp_path / "a.png")
    full_size.check(tmp_path / "b.png")


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_small_picture_is_enlarged_and_kept(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    itself = full_size.show(path, PHOTO)
    assert itself == tmp_path / "a" / "a.png"
    np.testing.assert_array_equal(images.load(itself), PHOTO)
    with Image.open(path) as picture:
        assert picture.size == (20 * 13, 16 * 13)
        if suffix == ".png":
            np.testing.assert_array_equal(np.asarray(picture), images.enlarged(PHOTO))


def test_a_large_picture_is_the_file_itself(tmp_path):
    large = np.zeros((224, 10, 3), np.uint8)
    assert full_size.show(tmp_path / "a.png", large) is None
    np.testing.assert_array_equal(images.load(tmp_path / "a.png"), large)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_network_is_warned_of_what_was_enlarged_and_of_nothing_else(tmp_path, suffix):
    itself = full_size.show(tmp_path / f"a{suffix}", PHOTO)
    network = small.network()
    with pytest.warns(UserWarning, match=r"a\.\w+: enlarged by minicnn for viewing, from 20x16 "
                      "pixels; the picture itself is in the folder of this name. A network sees"):
        network.prepare(tmp_path / f"a{suffix}")
    with pytest.warns(UserWarning, match="enlarged"), Image.open(tmp_path / f"a{suffix}") as opened:
        network.prepare(opened)
    np.testing.assert_array_equal(network.prepare(itself), network.prepare(PHOTO))  # no warning
    images.load(tmp_path / f"a{suffix}")  # to look at


def test_the_name_of_a_unit_s_picture():
    network = small.network()
    assert full_size.unit(network, "relu2", 3) == "relu2_3"
    assert full_size.unit(network, "fc", 2) == f"fc_2_{small.LABELS[2].split(',')[0]}"
    network.labels = None
    assert full_size.unit(network, "fc", 2) == "fc_2"
    assert full_size.file_name("../..") == "picture" and len(full_size.file_name("x" * 999)) == 100
