"""``minicnn classes``."""

import small

from minicnn.files import hdf5


def test_all_of_them_with_their_numbers(said, weights):
    assert said("classes", "--weights", weights).splitlines() == [
        f"{number:4}  {name}" for number, name in enumerate(small.LABELS)]


def test_those_with_a_word_in_their_name(said, weights):
    assert said("classes", "--weights", weights, "FOX").splitlines() == [
        "   0  red fox", "   1  grey fox, Urocyon"]
    assert said("classes", "--weights", weights, "tree", "red").splitlines() == [
        "   0  red fox", "   2  tree frog"]


def test_into_a_file(said, weights, tmp_path):
    assert said("classes", "--weights", weights, "--out", tmp_path / "c.txt") == ""
    assert (tmp_path / "c.txt").read_text().count("\n") == 4


def test_what_cannot_be_done(complaint, weights, tmp_path):
    assert "no class with cat or dog" in complaint("classes", "--weights", weights, "cat", "dog")
    network = small.network()
    network.labels = None
    hdf5.save(network, tmp_path / "n.h5")
    assert "--labels FILE" in complaint("classes", "--weights", tmp_path / "n.h5")
