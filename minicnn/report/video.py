"""MP4 files from frames, by the program ffmpeg, which reads their pixels from a pipe."""

import shutil
import subprocess
from contextlib import suppress
from itertools import chain
from tempfile import TemporaryFile

from minicnn.images import ImageError

PROGRAM = "ffmpeg"
EVEN = "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white"  # the usual format needs even sides
COMMON = ("-pix_fmt", "yuv420p", "-movflags", "+faststart", "-fflags", "+bitexact")


def check(path):
    """Raise ImageError unless ffmpeg is there: before the work, not after it."""
    if shutil.which(PROGRAM) is None:
        raise ImageError(f"{path}: the program {PROGRAM}, which makes .mp4 files, is not on the "
                         "PATH; install it (apt install ffmpeg, brew install ffmpeg, or "
                         "https://ffmpeg.org), or end the name in .gif")


def write(path, name, frames, milliseconds):
    """Write frames as an MP4 file, with the encoder that ffmpeg prefers.

    Parameters
    ----------
    path : Path
        A file that does not exist yet; what was written so far stays if this fails.
    name : str or path
        The file's name in error messages.
    frames : iterator of (H, W, 3) uint8
        All of one size.
    milliseconds : int
        Duration of each.

    Raises
    ------
    ImageError
        There is no ffmpeg, or it fails; the message has its last words.
    """
    check(name)
    first = next(frames)
    height, width = first.shape[:2]
    command = [shutil.which(PROGRAM), "-loglevel", "error", "-y", "-f", "rawvideo",
               "-pix_fmt", "rgb24", "-video_size", f"{width}x{height}",
               "-framerate", f"1000/{milliseconds}", "-i", "pipe:0", "-vf", EVEN, *COMMON,
               str(path)]
    with TemporaryFile() as said:
        ffmpeg = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                  stderr=said, start_new_session=True)  # Ctrl-C is ours to handle
        try:
            _feed(ffmpeg.stdin, first, frames)
            ffmpeg.wait()
        finally:
            ffmpeg.kill()  # no effect where it has ended
            ffmpeg.wait()
            with suppress(OSError):  # of what it did not take
                ffmpeg.stdin.close()
        if ffmpeg.returncode != 0 or not path.stat().st_size:
            said.seek(0)
            lines = said.read().decode(errors="replace").split("\n")
            last = next((line for line in reversed(lines) if line.strip()), "without a word")
            raise ImageError(f"{name}: {PROGRAM} failed (exit status {ffmpeg.returncode}: {last}); "
                             "end the name in .gif for an animation without it")


def _feed(pipe, first, frames):
    """Write all pixels and close the pipe. An ffmpeg that ends earlier tells why when it is asked.
    """
    with suppress(BrokenPipeError):
        for frame in chain([first], frames):
            pipe.write(frame.tobytes())
        pipe.close()
