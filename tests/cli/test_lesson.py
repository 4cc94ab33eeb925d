"""The command lesson: in a terminal, in a pipe, and its list."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import small_lesson

from minicnn.cli import lesson as command
from minicnn.cli import main, viewer
from minicnn.course import bookmark, lessons, stage

ROOT = Path(__file__).resolve().parents[2]
PICTURE = f"minicnn-lessons/07-sums/{small_lesson.PICTURE}"
PATIENCE = 60  # seconds


@pytest.fixture
def written(tmp_path, monkeypatch):
    """The small lesson as a file; the cache and the working folder are of the test."""
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return small_lesson.write(tmp_path)


# ---- in a terminal

START = ("import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
         "os.execv(sys.executable, [sys.executable, '-m', 'minicnn', *sys.argv[1:]])")


class Terminal:
    """The real command in a pseudo-terminal of its own, where Ctrl-C is a key."""

    def __init__(self, *arguments, **environment):
        self.keyboard, inside = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, *map(str, arguments)], stdin=inside, stdout=inside,
            stderr=inside, start_new_session=True, env=os.environ | {
                "PYTHONPATH": str(ROOT), "TERM": "xterm", "OMP_NUM_THREADS": "1",
                "NO_COLOR": ""} | environment)
        os.close(inside)
        self.seen = ""

    def until(self, words):
        """What is shown up to some words, which must come."""
        shown = ""
        while words not in shown:
            part = self._more()
            assert part, f"{words!r} did not come; shown: {self.seen[-2000:]}"
            shown += part
        return shown

    def _more(self):
        if not select.select([self.keyboard], [], [], PATIENCE)[0]:
            return ""
        try:
            part = os.read(self.keyboard, 65536).decode().replace("\r\n", "\n")
        except OSError:  # Linux says so when the program has ended
            part = ""
        self.seen += part
        return part

    def type(self, line, then):
        """Type a line; what is shown up to some words."""
        os.write(self.keyboard, f"{line}\n".encode())
        return self.until(then)

    def end(self, keys=b""):
        """Press keys after which the command ends; (its status, what was shown since)."""
        begin = len(self.seen)
        time.sleep(0.5)  # Python loses a Ctrl-C that comes between a prompt and its reading
        os.write(self.keyboard, keys)
        while self._more():
            pass
        os.close(self.keyboard)
        return self.process.wait(PATIENCE), self.seen[begin:]


@pytest.fixture
def terminal(written):
    pytest.importorskip("termios", reason="this system has no pseudo-terminals")
    opened = []

    def run(*arguments, **environment):
        opened.append(Terminal("lesson", written, *arguments, **environment))
        return opened[-1]

    yield run
    for one in opened:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def test_in_a_terminal(terminal, tmp_path):
    """Forward, back, a jump, wrong and right answers, hints, Ctrl-C, and on again."""
    one = terminal()
    assert "\033[1;4m07 · Sums\033[0m" in one.until("[1/8] ")
    assert "\033[34mbackward\033[0m" in one.type("", "[2/8] ")
    assert "\033[1m    y[j] = Σ_{i}  x[i, j]\033[0m" in one.type("", "[3/8] ")
    assert "ask(" not in one.type("", "your answer")
    assert "summed over the columns" in one.type("(2,)", "your answer")
    assert "Hint 1 of 3" in one.type("h", "your answer")
    assert "Right" in one.type("(3,)", "[4/8] ") and "total = [3. 5. 7.]" in one.seen
    assert f"picture: {PICTURE}" in one.type("", "[5/8] ")
    assert (tmp_path / PICTURE).is_file() and "\033]1337" not in one.seen
    assert "21.0" in one.type("v x.sum()", "[5/8] ")
    one.type("b", "[4/8] ")
    assert "15.0" in one.type("v x.sum()", "[4/8] ")
    one.type("j 6", "your answer")
    one.type("21", "your answer")
    status, shown = one.end(b"\x03")
    assert status == 130 and "minicnn: interrupted" in shown and "Traceback" not in one.seen
    assert "1 of 2 questions answered by the first prediction" in shown

    again = terminal()
    assert "You stopped at cell 6" in again.until("your answer")
    assert "Answer: \033[0m21" in again.seen  # it is not asked again
    again.type("a", "[6/8] ")
    assert "all hold" in again.type("", "[7/8] ")
    again.type("", "[8/8] ")
    status, shown = again.end(b"\n")
    assert status == 0 and "This was the last cell." in shown and "2 of 3 questions" in shown


def test_ctrl_c_in_the_middle_of_a_cell(terminal, written):
    text = written.read_text(encoding="utf-8")
    written.write_text(text.replace("x += 1", "print('now'); import time; time.sleep(600)"),
                       encoding="utf-8")
    one = terminal()
    one.until("[1/8] ")
    one.type("j 5", "now\n")
    status, shown = one.end(b"\x03")
    assert status == 130 and "You are at cell 5 of 8" in shown and "Traceback" not in shown


@pytest.mark.thorough
def test_ctrl_d_is_q_and_restart_begins_anew(terminal):
    one = terminal()
    one.until("[1/8] ")
    one.type("j 3", "[3/8] ")
    status, shown = one.end(b"\x04")
    assert status == 0 and "You are at cell 3 of 8" in shown
    one = terminal("--restart")
    one.until("[1/8] ")
    assert one.end(b"q\n")[0] == 0


def test_pictures_in_the_terminal_and_no_colours(terminal, tmp_path):
    one = terminal("--out", "here", NO_COLOR="1", TERM_PROGRAM="WezTerm")
    one.until("[1/8] ")
    shown = one.type("j 5", "[5/8] ")
    assert f"\033]1337;File=inline=1;size={(tmp_path / 'here/cell05.png').stat().st_size};" in shown
    assert f"picture: here/{small_lesson.PICTURE}" in shown
    assert not re.search(r"\033\[\d+(;\d+)*m", one.seen)
    one.end(b"q\n")


def test_an_error_of_the_lesson_in_a_terminal(terminal, written):
    written.write_text(small_lesson.TEXT.replace("x += 1", "x += y"), encoding="utf-8")
    one = terminal()
    one.until("[1/8] ")
    status, shown = one.end(b"j 5\n")
    assert status == 1 and "Traceback" not in shown
    assert "minicnn: lesson 7, 07_sums.py, line 31: NameError: name 'y' is not defined" in shown


# ---- in a pipe

def test_a_pipe_gets_the_whole_lesson(written, said, tmp_path):
    shown = said("lesson", written)
    assert "\033" not in shown and "[1/8]" not in shown
    assert "Predict: What shape has the sum?\nAnswer: (3,)\ntotal = [3. 5. 7.]\n" in shown
    assert f"picture: {PICTURE}" in shown and (tmp_path / PICTURE).is_file()
    assert not (tmp_path / "cache").exists()
    said("lesson", written, "--out", "other")
    assert (tmp_path / "other" / small_lesson.PICTURE).is_file()


def test_the_reader_of_the_pipe_may_end(written):
    ended = subprocess.run(
        f"'{sys.executable}' -m minicnn lesson '{written}' | head -n 3; echo ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert ended.stderr == "" and ended.stdout.endswith("\n0\n")


def test_a_lesson_that_fails_is_one_line(written, capsys):
    written.write_text(small_lesson.TEXT.replace("== 21", "== 22"), encoding="utf-8")
    assert main(["lesson", str(written)]) == 1
    assert capsys.readouterr().err == (
        "minicnn: lesson 7, 07_sums.py, line 42: AssertionError: the sum\n")


def test_another_photo_and_other_weights(written, weights, photo, said, complaint):
    written.write_text(small_lesson.TEXT.replace("import ask, source", (
        "import ask, source, network, photo\nprint(network().name, photo().shape)")),
        encoding="utf-8")
    height, width = stage.images.load(photo).shape[:2]
    shown = said("lesson", written, "--weights", weights, "--photo", photo)
    assert f"\nsmall ({height}, {width}, 3)\n" in shown
    assert "no-such.png" in complaint("lesson", written, "--photo", "no-such.png")
    assert "no-such" in complaint("lesson", written, "--weights", "no-such")


# ---- the list, and wrong usage

def test_the_list(written, said, monkeypatch, tmp_path):
    (tmp_path / "lessons").mkdir()
    path = small_lesson.write(tmp_path / "lessons")
    monkeypatch.setattr(lessons, "folder", lambda: path.parent)
    line = " 7  sums  5 min  Sums"
    assert said("lesson").splitlines()[0].split() == line.split()
    one = lessons.read(path)
    for mark, words in [
            (bookmark.Bookmark(3, 8), "at cell 4 of 8"),
            (bookmark.Bookmark(3, 8, True), "at cell 4 of 8, done before"),
            (bookmark.Bookmark(8, 8, True), "done"),
            (bookmark.Bookmark(8, 8, True, {"a": [1, 0, 0], "b": [2, 0, 0]}),
             "done, 1 of 2 predicted")]:
        bookmark.keep(one, mark)
        assert " ".join(said("lesson").splitlines()[0].split()).endswith(f"Sums {words}")
    assert command.progress(bookmark.Bookmark(0, 8, True)) == "done"


def test_a_figure(said, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = "minicnn-lessons/05-relu/figure-rules.html"
    assert said("lesson", 5, "--figure") == (
        f"{place}: step figure of lesson 05 · ReLU and its three ways back\n")
    assert (tmp_path / place).is_file()
    said("lesson", "relu", "--figure", "--out", "here")
    assert (tmp_path / "here/figure-rules.html").is_file()
    assert "lesson 7 softmax has no step figure; lessons 2" in complaint("lesson", 7, "--figure")
    (line,) = [line for line in said("lesson").splitlines() if line.startswith(" 5 ")]
    assert line.split()[-1] == "figure"


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_figure_opens_where_there_is_a_desktop(said, tmp_path, monkeypatch, is_terminal):
    opened = []
    monkeypatch.setattr(viewer, "open_with", lambda program, path: opened.append(path))
    monkeypatch.setattr(viewer, "viewer", lambda environment, platform: ("xdg-open", None))
    monkeypatch.setattr(command.sys.stdout, "isatty", lambda: is_terminal)
    said("lesson", 5, "--figure", "--out", tmp_path)
    assert opened == [tmp_path / "figure-rules.html"] * is_terminal


def test_no_such_lesson(complaint):
    assert "there is no lesson 'poooling'; there are 1 images" in complaint("lesson", "poooling")


@pytest.mark.parametrize("arguments", [
    ["--executed"], ["--notebook", "a.ipynb"], ["--figure"],
    ["5", "--figure", "--notebook", "a.ipynb"]])
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(["lesson", *arguments])
    assert end.value.code == 2


@pytest.mark.thorough
def test_a_notebook_that_may_hold_answers_stays(written, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "07.ipynb").write_text("answers")
    assert "07-2.ipynb" in complaint("lesson", written, "--notebook", "07.ipynb")
    assert (tmp_path / "07.ipynb").read_text() == "answers"


@pytest.mark.thorough
def test_a_notebook(written, said, complaint, tmp_path):
    for name in ("jupytext", "nbclient", "ipykernel"):
        pytest.importorskip(name)
    assert said("lesson", written, "--notebook", "07.ipynb") == "07.ipynb: 07 · Sums\n"
    assert (tmp_path / "07.ipynb").is_file()
    written.write_text(small_lesson.TEXT.replace("x += 1", "import time; time.sleep(600)"),
                       encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "minicnn", "lesson", written, "--notebook", "8.ipynb", "--executed"],
        stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    time.sleep(6)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=PATIENCE)[1] == "minicnn: interrupted\n"
    assert process.returncode == 130 and not (tmp_path / "8.ipynb").exists()
    assert ".ipynb" in complaint("lesson", written, "--notebook", "07.txt")


def test_show_opens_each_picture(written, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    opened = []
    monkeypatch.setattr(viewer, "viewer", lambda *_: ("see", None))
    monkeypatch.setattr(viewer, "open_with", lambda program, path: opened.append((program, path)))
    assert main(["lesson", str(written), "--show"]) == 0
    assert [(program, path.name) for program, path in opened] == [("see", small_lesson.PICTURE)]
    monkeypatch.setattr(viewer, "viewer", lambda *_: (None, "there is no display"))
    assert main(["lesson", str(written), "--show"]) == 0
    assert "saved, not opened: there is no display" in capsys.readouterr().err
