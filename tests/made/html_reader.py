"""Reads a page and gathers its tags, attributes and words, for tests of what is escaped."""

from html.parser import HTMLParser


class Reader(HTMLParser):
    """Raises if a tag that opens does not close."""

    ALONE = {"meta", "img", "br"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *one) for one in attrs]
        if tag not in self.ALONE:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)


def check_harmless(text, scripts=0):
    """Nothing but the page's own tags, no handlers, nothing from elsewhere."""
    read = Reader(text)
    assert read.tags.count("script") == scripts
    assert not {"iframe", "object", "embed", "link", "base", "form", "svg"} & set(read.tags)
    assert not [one for one in read.attributes if one[1].startswith("on")]
    for _, name, value in read.attributes:
        if name == "src":
            assert value.startswith("data:image/png;base64,")
        if name == "href":
            assert value.startswith(("students/", "pairs/"))
    assert ("meta", "http-equiv", "Content-Security-Policy") in read.attributes
    return " ".join(read.words)
