"""MP4 files: what ffmpeg is told and given, that the file is whole or not there, and that no
ffmpeg is left behind."""

import os
import shutil
import stat
import subprocess
import sys

import numpy as np
import pytest
import small

from minicnn.images import ImageError
from minicnn.report import animation, video

FRAMES = [small.photo(15, 20, seed) for seed in range(4)]  # an odd height
LAST = "import sys\nout = sys.argv[-1]\n"
COPY = LAST + ("data = sys.stdin.buffer.read()\n"
               "open(out, 'wb').write(' '.join(sys.argv[1:]).encode() + b'|' + data)")
POSIX = pytest.mark.skipif(os.name != "posix", reason="the pretended ffmpeg is a script")


@pytest.fixture
def pretended(tmp_path, monkeypatch):
    """Put a program on the PATH, alone, that says it is ffmpeg; its lines are Python."""
    def put(lines):
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "ffmpeg").write_text(f"#!{sys.executable}\n{lines}\n")
        (folder / "ffmpeg").chmod(stat.S_IRWXU)
        monkeypatch.setenv("PATH", str(folder))
    return put


@POSIX
def test_ffmpeg_gets_every_pixel_and_the_rate(pretended, tmp_path):
    pretended(COPY)
    animation.save(tmp_path / "a.mp4", (frame for frame in FRAMES), 40)
    told, _, pixels = (tmp_path / "a.mp4").read_bytes().partition(b"|")
    assert pixels == b"".join(frame.tobytes() for frame in FRAMES)
    assert b"-pix_fmt rgb24 -video_size 20x15 -framerate 1000/40 -i pipe:0" in told
    assert told.endswith(b".mp4") and b"minicnn-" in told  # a temporary name
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mp4", "bin"]


@POSIX
@pytest.mark.parametrize("lines, words", [
    ("import sys; sys.stdin.buffer.read(); sys.exit('first\\nno such codec\\n')",
     r"exit status 1: no such codec\)"),
    ("import sys; sys.stdin.close(); sys.exit(3)", r"exit status 3: without a word\)"),
    ("import sys; sys.stdin.buffer.read()", r"exit status 0"),  # and it wrote nothing
])
def test_an_ffmpeg_that_fails_is_one_error_and_the_old_file_stays(pretended, tmp_path, lines,
                                                                  words):
    pretended(lines)
    (tmp_path / "a.mp4").write_bytes(b"old")
    many = np.broadcast_to(FRAMES[0], (400, *FRAMES[0].shape))  # more than a pipe holds
    with pytest.raises(ImageError, match=words):
        animation.save(tmp_path / "a.mp4", many)
    assert (tmp_path / "a.mp4").read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mp4", "bin"]


@POSIX
@pytest.mark.parametrize("error, words", [(KeyboardInterrupt, None), (ImageError, "the earlier")])
def test_what_stops_the_frames_stops_ffmpeg(pretended, tmp_path, monkeypatch, error, words):
    """It ignores the end of its input, as one that hangs; it must be gone, and its file too."""
    pretended(LAST + "import time\nopen(out, 'wb').write(b'some')\ntime.sleep(60)")
    started, popen = [], subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *given, **more: (
        started.append(popen(*given, **more)) or started[0]))

    def frames():
        yield FRAMES[0]
        if error is KeyboardInterrupt:
            raise KeyboardInterrupt
        yield FRAMES[0][1:]

    with pytest.raises(error, match=words):
        animation.save(tmp_path / "a.mp4", frames())
    assert started[0].returncode == -9
    assert [p.name for p in tmp_path.iterdir()] == ["bin"]


def test_without_ffmpeg_it_is_said_what_to_do_before_any_frame_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    frames = iter(FRAMES)
    with pytest.raises(ImageError, match=r"a\.mp4: the program ffmpeg.*install it .*end the name "
                                         r"in \.gif"):
        animation.save(tmp_path / "a.mp4", frames)
    with pytest.raises(ImageError, match="ffmpeg"):
        animation.check(tmp_path / "a.mp4")
    assert animation.check(tmp_path / "a.gif") == "GIF" and len(list(frames)) == 4


@pytest.mark.skipif(shutil.which(video.PROGRAM) is None, reason="needs ffmpeg")
def test_the_real_one_makes_a_video_of_these_frames(tmp_path):
    flat = [np.full((15, 20, 3), colour, np.uint8)
            for colour in [(200, 40, 40), (40, 160, 60), (60, 70, 190)]]
    for name in ("a.mp4", "b.mp4"):
        animation.save(tmp_path / name, flat, 200)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    back = subprocess.run(
        [shutil.which("ffmpeg"), "-loglevel", "error", "-i", str(tmp_path / "a.mp4"), "-f",
         "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True).stdout
    shown = np.frombuffer(back, np.uint8).reshape(-1, 16, 20, 3)  # a white row more
    assert len(shown) == 3
    for one, was in zip(shown, flat, strict=True):
        error = np.abs(one[2:12, 2:18].astype(int) - was[2:12, 2:18])
        assert error.max() <= 12  # of 255: the video's colours are coarser
