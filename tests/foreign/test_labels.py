"""Class names from text files."""

import pytest

from minicnn.foreign import labels


def test_wordnet_ids_and_empty_lines_are_dropped(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("n01440764 tench, Tinca tinca\n\nn01443537\tgoldfish \ncliff\n", "utf-8")
    assert labels.read(path) == ["tench, Tinca tinca", "goldfish", "cliff"]


@pytest.mark.parametrize("line", ["n01 ship", "n01440764x ray", "nautilus", "tench n01440764 x"])
def test_what_is_no_wordnet_id_stays(tmp_path, line):
    path = tmp_path / "names.txt"
    path.write_text(line + "\n", "utf-8")
    assert labels.read(path) == [line]


def test_accents_and_windows_line_ends(tmp_path):
    path = tmp_path / "names.txt"
    path.write_bytes("café\r\nenfant\r\n".encode())
    assert labels.read(path) == ["café", "enfant"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00\x01"])
def test_an_unreadable_file_gives_one_line(tmp_path, content):
    path = tmp_path / "names.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="names.txt: cannot be read as a list of class names"):
        labels.read(path)


def test_what_is_too_large_for_names_is_not_read(tmp_path):
    path = tmp_path / "names.txt"
    with open(path, "wb") as file:
        file.truncate(labels.LARGEST + 1)
    with pytest.raises(ValueError, match="names.txt: .*it has more than 10,000,000 bytes"):
        labels.read(path)


def test_names_beside_a_weight_file_are_taken_if_their_number_fits(tmp_path):
    weights = tmp_path / "net.h5"
    assert labels.beside(weights, 2) is None
    (tmp_path / "synset_words.txt").write_text("n01440764 tench\nn01443537 goldfish\n", "utf-8")
    assert labels.beside(weights, 2) == ["tench", "goldfish"]
    assert labels.beside(weights, 3) is None
