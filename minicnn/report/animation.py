"""Animations from frames: an ascent step by step, or a zoom through a dream; as GIF or as MP4."""

import io

import numpy as np

from minicnn import images
from minicnn.report import video

FORMATS = {".gif": "GIF", ".mp4": "MP4"}
NEEDED = ".mp4 needs the program ffmpeg"
LEAST = 20  # milliseconds: most viewers show shorter frames for 100


def check(path):
    """Raise unless an animation can be saved at `path`: before the work, not after it.

    Returns the format of its suffix, "GIF" or "MP4".
    """
    kind = images.check_destination(path, FORMATS)
    if kind == "MP4":
        video.check(path)
    return kind


def save(path, frames, milliseconds=100, loop=True):
    """Write frames as an animated GIF or an MP4 video, completely or not at all.

    A GIF frame has at most 256 colours. Each frame gets its own palette, and dithering approximates
    the colours in between. A frame equal to the one before it extends that frame's duration.

    A video is made by the program ffmpeg. Where a side is odd it gets a white row or column.

    Parameters
    ----------
    path : str or path
        Ends in .gif or .mp4; the folder must exist.
    frames : iterable of (H, W, 3) uint8
        All of one size; read one at a time, so a generator is possible.
    milliseconds : int
        Duration of each frame, at least 20; a GIF rounds it to tens.
    loop : bool
        Repeat the GIF for ever; whether a video is repeated, the player decides.

    Raises
    ------
    ImageError
        Another suffix, no frames, a frame of wrong type or size, too short a duration; a video
        where there is no ffmpeg, or it fails.
    ValueError, OSError
        The file cannot be written; an older file of that name is then unchanged.
    """
    kind = check(path)
    if milliseconds < LEAST:
        raise images.ImageError(f"{path}: expected at least {LEAST} milliseconds per frame, got "
                                f"{milliseconds}")
    checked = _checked(path, frames)
    if kind == "MP4":
        with images.atomic(path) as temporary:
            video.write(temporary, path, checked, milliseconds)
        return
    pictures, endless = map(_of_256_colours, checked), {"loop": 0} if loop else {}
    file = io.BytesIO()
    next(pictures).save(file, format="GIF", save_all=True, append_images=pictures,
                        duration=round(milliseconds, -1), **endless)
    images.write(path, file.getvalue())


def _checked(path, frames):
    """Yield each frame; ImageError if there is none, or one that does not fit."""
    shape = None
    for index, frame in enumerate(frames):
        frame = np.ascontiguousarray(frame)
        shape = shape or frame.shape
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or not frame.size:
            raise images.ImageError(f"{path}: frame {index}: expected (H, W, 3) uint8, got "
                                    f"{frame.shape} {frame.dtype}")
        if frame.shape != shape:
            raise images.ImageError(f"{path}: frame {index} has size {frame.shape[:2]}, but "
                                    f"the earlier frames have size {shape[:2]}; all frames must be "
                                    "the same size")
        yield frame
    if shape is None:
        raise images.ImageError(f"{path}: expected at least one frame, got none")


def _of_256_colours(frame):
    from PIL import Image

    picture = Image.fromarray(frame)
    return picture.quantize(palette=picture.quantize(256), dither=Image.Dither.FLOYDSTEINBERG)


class Frames:
    """Keeps every `every`-th step of an ascent as a frame; pass it to a method as `watch`.

    Parameters
    ----------
    network : Network
    every : int
        1 keeps all steps, 5 the start and each fifth step.

    Attributes
    ----------
    pictures : list of (H, W, 3) uint8
        The images of a batch are side by side. The last step is always included.
    """

    def __init__(self, network, every=1):
        if every < 1:
            raise ValueError(f"Frames: the argument `every` must be at least 1, got {every}")
        self.network, self.every = network, every
        self._kept, self._last = [], None

    def __call__(self, step):
        self._last = step
        if step.index % self.every == 0:
            self._kept.append(self._frame(step))

    @property
    def pictures(self):
        """The frames so far, the last step included."""
        if self._last is None or self._last.index % self.every == 0:
            return self._kept
        return [*self._kept, self._frame(self._last)]

    def _frame(self, step):
        return np.concatenate(self.network.restore(step.image), axis=1)  # N,H,W,3 -> H,N*W,3
