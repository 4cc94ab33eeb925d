"""Animated GIFs from frames: an ascent step by step, a zoom through a dream."""

import numpy as np

from minicnn import images

FORMATS = {".gif": "GIF"}
LEAST = 20  # milliseconds: shorter frames are shown for 100 by most viewers


def save(path, frames, milliseconds=100, loop=True):
    """Write frames as an animated GIF, whole or not at all.

    A GIF has 256 colours a frame: each frame gets those that suit it, and dots of them stand for
    the colours between. A frame the same as the one before it makes that one last longer.

    Parameters
    ----------
    path : str or path
        Ends in .gif; the folder exists.
    frames : iterable of (H, W, 3) uint8
        All of one size; taken one at a time, so a generator will do.
    milliseconds : int
        How long each frame is shown; the format counts in tens. At least 20.
    loop : bool
        Begin again after the last frame, for ever.

    Raises
    ------
    ImageError
        Another suffix, no frame, a frame of another kind or size, too short a time.
    ValueError, OSError
        The file cannot be made; an older file of that name is then untouched.
    """
    images.check_destination(path, FORMATS)
    if milliseconds < LEAST:
        raise images.ImageError(f"{path}: a frame is shown for {LEAST} milliseconds at least, "
                                f"got {milliseconds}")
    pictures = _pictures(path, frames)
    first = next(pictures, None)
    if first is None:
        raise images.ImageError(f"{path}: an animation needs one frame at least, got none")
    endless = {"loop": 0} if loop else {}
    with images.atomic(path) as temporary:
        first.save(temporary, format="GIF", save_all=True, append_images=pictures,
                   duration=round(milliseconds, -1), **endless)


def _pictures(path, frames):
    """Each frame as a Pillow image of 256 colours."""
    from PIL import Image

    shape = None
    for index, frame in enumerate(frames):
        frame = np.ascontiguousarray(frame)
        shape = frame.shape if shape is None else shape
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or not frame.size:
            raise images.ImageError(f"{path}: frame {index}: expected (H, W, 3) uint8, got "
                                    f"{frame.shape} {frame.dtype}")
        if frame.shape != shape:
            raise images.ImageError(f"{path}: frame {index} is {frame.shape[:2]}, those before it "
                                    f"{shape[:2]}; all frames must have one size")
        picture = Image.fromarray(frame)
        colours = picture.quantize(256)
        yield picture.quantize(palette=colours, dither=Image.Dither.FLOYDSTEINBERG)


class Frames:
    """Keeps every so many steps of an ascent as frames; give it to a method as `watch`.

    Parameters
    ----------
    network : Network
    every : int
        1 keeps each step, 5 the start and each fifth.

    Attributes
    ----------
    pictures : list of (H, W, 3) uint8
        The images of a batch lie side by side. The last step's is there, whatever its number.
    """

    def __init__(self, network, every=1):
        if every < 1:
            raise ValueError(f"Frames: every how many steps is at least 1, got {every}")
        self.network, self.every = network, every
        self._kept, self._last = [], None

    def __call__(self, step):
        self._last = step
        if step.index % self.every == 0:
            self._kept.append(self._frame(step))

    @property
    def pictures(self):
        """The frames so far, ending with the last step."""
        if self._last is None or self._last.index % self.every == 0:
            return self._kept
        return [*self._kept, self._frame(self._last)]

    def _frame(self, step):
        return np.concatenate(self.network.restore(step.image), axis=1)  # N,H,W,3 -> H,N*W,3
