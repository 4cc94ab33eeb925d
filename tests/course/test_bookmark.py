"""Bookmarks: where one stopped is kept, whatever the file holds."""

import json

import pytest

from minicnn.course import bookmark, lessons
from minicnn.course.bookmark import Bookmark


def test_it_comes_back(lesson, tmp_path):
    assert bookmark.of(lesson) == Bookmark(0, 8, False, {})
    mark = Bookmark(3, 8, True, {"What?": [1, 0, 0], "Why?": [2, 1, 0], "How?": [0, 0, 1]})
    bookmark.keep(lesson, mark)
    assert bookmark.of(lesson) == mark and mark.at_once == 1
    assert bookmark.path() == tmp_path / "cache" / "lessons.json"


def test_each_lesson_has_its_own(lesson, monkeypatch):
    bookmark.keep(lesson, Bookmark(3, 8))
    other = lesson._replace(path=lesson.path.with_name("08_other.py"))
    bookmark.keep(other, Bookmark(5, 8))
    assert bookmark.of(lesson).cell == 3 and bookmark.of(other).cell == 5
    assert bookmark.key(lesson) == str(lesson.path)
    monkeypatch.setattr(lessons, "is_shipped", lambda one: True)
    assert bookmark.key(lesson) == "07_sums"  # wherever minicnn is installed


@pytest.mark.filterwarnings("ignore:.*set aside as")
@pytest.mark.parametrize("kept", [
    "{", "[]", '{"K": 3}', '{"K": {"cell": "a"}}', '{"K": {"cell": 9, "cells": 8}}',
    '{"K": {"page": 3}}', '{"K": {"answers": [1]}}', '{"K": {"answers": {"a": 3}}}'])
def test_a_file_that_cannot_be_read_is_the_beginning(lesson, kept):
    bookmark.path().parent.mkdir()
    bookmark.path().write_text(kept.replace("K", json.dumps(bookmark.key(lesson))[1:-1]))
    assert bookmark.of(lesson) == Bookmark(0, 8)
    bookmark.keep(lesson, Bookmark(2, 8))
    assert bookmark.of(lesson).cell == 2


@pytest.mark.parametrize(("before", "after"), [((3, 5), 3), ((9, 20), 7), ((20, 20), 0)])
def test_the_lesson_was_written_anew(lesson, before, after):
    bookmark.keep(lesson, Bookmark(*before))
    assert bookmark.of(lesson) == Bookmark(after, 8)
