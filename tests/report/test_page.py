"""The HTML page: what it says is what was given, escaped, and it stands alone."""

from html.parser import HTMLParser

import pytest

from minicnn.report import page
from minicnn.report.page import Section

SECTIONS = [Section("First", "Some words.", "minicnn classify a.png", "a.png", "a: 99 %"),
            Section("Second <b>", 'A "quote" & more.', 'minicnn maximize --channel "<fox>"')]


class Reader(HTMLParser):
    """Gathers words by tag, and checks that every tag that opens closes."""

    ALONE = {"meta", "img"}

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.attributes = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.attributes.append((tag, dict(attrs)))
        if tag not in self.ALONE:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.words.append((self.open[-1], data))


@pytest.fixture
def text(tmp_path):
    page.write(tmp_path / "p.html", "A title & more", "First <words>.", SECTIONS)
    return (tmp_path / "p.html").read_text(encoding="utf-8")


def test_everything_is_there_once_in_order_and_escaped(text):
    words = [word for word in Reader(text).words if word[0] not in ("style", "title")]
    assert words == [
        ("h1", "A title & more"), ("p", "First <words>."),
        ("h2", "First"), ("p", "Some words."), ("figcaption", "a: 99 %"),
        ("pre", "minicnn classify a.png"),
        ("h2", "Second <b>"), ("p", 'A "quote" & more.'),
        ("pre", 'minicnn maximize --channel "<fox>"')]


def test_only_sections_with_a_picture_have_one(text):
    pictures = [attributes for tag, attributes in Reader(text).attributes if tag == "img"]
    assert pictures == [{"src": "a.png", "alt": "First"}]


def test_it_stands_alone(text):
    """No scripts, nothing fetched from elsewhere, and the encoding is said."""
    tags = [tag for tag, _ in Reader(text).attributes]
    assert "script" not in tags and "link" not in tags
    assert "http:" not in text and "https:" not in text and "//" not in text
    assert ("meta", {"charset": "utf-8"}) in Reader(text).attributes


def test_letters_beyond_ascii_survive(tmp_path):
    page.write(tmp_path / "p.html", "Übersicht", "été 猫", [])
    assert "été 猫" in (tmp_path / "p.html").read_text(encoding="utf-8")


def test_a_failure_leaves_the_old_page(tmp_path):
    (tmp_path / "p.html").write_text("old")
    broken = [Section("Heading", None, "command")]  # no text to escape
    with pytest.raises(AttributeError):
        page.write(tmp_path / "p.html", "title", "text", broken)
    assert (tmp_path / "p.html").read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["p.html"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="folder .*nowhere does not exist"):
        page.write(tmp_path / "nowhere" / "p.html", "title", "text", [])


def test_a_file_name_that_is_no_text_is_shown(tmp_path):
    """What os.fsdecode makes of bytes that are not UTF-8 cannot be written as UTF-8."""
    page.write(tmp_path / "a.html", "caf\udce9.png", "Words.", SECTIONS)
    assert "<h1>caf\\udce9.png</h1>" in (tmp_path / "a.html").read_text(encoding="utf-8")
