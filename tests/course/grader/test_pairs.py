"""Pages of submissions that look alike."""

import pytest
from conv_solutions import COPIED, LOOPS
from html_reader import check_harmless

from minicnn.course.grader import pairs
from minicnn.course.grader.similarity import Pair, Similarity, compare
from minicnn.course.grader.submissions import Submission

EVIL = "</pre><script>alert('1')</script>"


def test_both_texts_with_what_they_share_marked(tmp_path):
    found = compare([Submission("Ada", "a.py", LOOPS, []), Submission("Ben", "b.py", COPIED, [])])
    section = pairs.write(found, tmp_path)
    assert 'href="pairs/001.html"' in section and "1 pair was compared" in section
    text = (tmp_path / "pairs" / "001.html").read_text(encoding="utf-8")
    words = check_harmless(text)
    assert "Ada and Ben: " in words and "dpadded[place] += " in words
    assert "<mark>    padded = pad_image" in text
    assert '<span class="plain">    print(&quot;working&quot;)</span>' in text


@pytest.mark.parametrize("count, words", [(0, "no pair stands out"), (1, "1 pair stands out"),
                                          (3, "3 pairs stand out")])
def test_how_many_stand_out(count, words):
    assert pairs.standing_out(Similarity([None] * count, [], [], [])) == words


def test_sources_are_text(tmp_path):
    pair = Pair(Submission(EVIL, "", f"x = '''{EVIL}'''\ny\x1b[2J\u202e", []),
                Submission("B", "", EVIL, []), 0.9, (frozenset({1}), frozenset({1})))
    section = pairs.write(Similarity([pair], [0.9], [EVIL], [(EVIL, 1.0)]), tmp_path)
    assert "<script" not in section
    check_harmless((tmp_path / "pairs" / "001.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("found", [compare([]), Similarity([], [0.1], [], [])])
def test_nothing_alike(tmp_path, found):
    pairs.write(found, tmp_path)
    assert list(tmp_path.iterdir()) == []
