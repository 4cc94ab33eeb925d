"""The processor time of starting, and its table."""

import json

import pytest
import start


def test_the_table():
    text = start.markdown({"about": {"runs": 4, "date": "today", "processor": "p", "python": "3"},
                           "milliseconds": {"`import minicnn`": [10.2, 11.6, 12.4]}})
    assert "medians of\n4 runs" in text and text.endswith("| `import minicnn` | 12 (10 .. 12) |")


def test_a_time_is_the_processor_s_and_the_child_s():
    """A child that goes on until its own clock of the processor says 50 ms takes at least these."""
    work = "import time\nwhile time.process_time() < 0.05: pass"
    assert start.processor_time(["-S", "-E", "-c", work]) >= 0.05


@pytest.mark.thorough
def test_every_start_is_measured(tmp_path, capsys):
    start.run(start.read(["--runs", "2", "--out", str(tmp_path / "s")]))
    found = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))["milliseconds"]
    assert set(found) == set(start.STARTS)
    assert all(low <= middle <= high for low, middle, high in found.values())
    assert "`minicnn --help`" in capsys.readouterr().out
