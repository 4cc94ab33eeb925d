"""Fixtures of the course's tests."""

import pytest
import small_lesson

from minicnn.course import lessons


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """A small lesson; what is kept of it goes to a folder of the test."""
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "cache"))
    return lessons.read(small_lesson.write(tmp_path))
