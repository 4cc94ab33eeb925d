"""Animated GIFs from frames: an ascent step by step, or a zoom through a dream."""

import io

import numpy as np

from minicnn import images

FORMATS = {".gif": "GIF"}
LEAST = 20  # milliseconds: most viewers show shorter frames for 100


def save(path, frames, milliseconds=100, loop=True):
    """Write frames as an animated GIF, completely or not at all.

    A GIF frame has at most 256 colours. Each frame gets its own palette, and dithering approximates
    the colours in between. A frame equal to the one before it extends that frame's duration.

    Parameters
    ----------
    path : str or path
        Ends in .gif; the folder must exist.
    frames : iterable of (H, W, 3) uint8
        All of one size; read one at a time, so a generator is possible.
    milliseconds : int
        Duration of each frame, at least 20; the format rounds it to tens.
    loop : bool
        Repeat the animation for ever.

    Raises
    ------
    ImageError
        Another suffix, no frames, a frame of wrong type or size, too short a duration.
    ValueError, OSError
        The file cannot be written; an older file of that name is then unchanged.
    """
    images.check_destination(path, FORMATS)
    if milliseconds < LEAST:
        raise images.ImageError(f"{path}: expected at least {LEAST} milliseconds per frame, got "
                                f"{milliseconds}")
    pictures = _pictures(path, frames)
    first = next(pictures, None)
    if first is None:
        raise images.ImageError(f"{path}: expected at least one frame, got none")
    endless = {"loop": 0} if loop else {}
    file = io.BytesIO()
    first.save(file, format="GIF", save_all=True, append_images=pictures,
               duration=round(milliseconds, -1), **endless)
    images.write(path, file.getvalue())


def _pictures(path, frames):
    """Yield each frame as a Pillow image of 256 colours."""
    from PIL import Image

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
        picture = Image.fromarray(frame)
        yield picture.quantize(palette=picture.quantize(256), dither=Image.Dither.FLOYDSTEINBERG)


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
