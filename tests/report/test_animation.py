"""Animations: as many frames, as long, as like the pictures as the format allows, and whole."""

import numpy as np
import pytest
import small
from PIL import Image, ImageSequence

from minicnn.images import ImageError
from minicnn.report import animation

FRAMES = [small.photo(40, 50, seed) for seed in range(4)]


def read(path):
    """(frames as (H, W, 3) arrays, milliseconds of each, what else the file says)."""
    with Image.open(path) as picture:
        pages = [(np.array(page.convert("RGB")), page.info["duration"])
                 for page in ImageSequence.Iterator(picture)]
        return [p for p, _ in pages], [ms for _, ms in pages], picture.info


def test_every_frame_is_there_for_its_time(tmp_path):
    animation.save(tmp_path / "a.gif", FRAMES, 70)
    frames, times, _ = read(tmp_path / "a.gif")
    assert len(frames) == 4 and times == [70] * 4
    for frame, was in zip(frames, FRAMES, strict=True):
        error = np.abs(frame.astype(int) - was).mean()
        assert error < 6  # of 255: 256 colours, dithered; another frame is 20 and more away


def test_the_colours_between_are_there_on_average(tmp_path):
    """Dots of two colours stand for one between: noise of 4096 colours keeps its local means."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    animation.save(tmp_path / "a.gif", [noise])
    shown = read(tmp_path / "a.gif")[0][0]
    means = [frame.reshape(8, 8, 8, 8, 3).mean(axis=(1, 3)) for frame in (shown, noise)]
    assert np.abs(means[0] - means[1]).mean() < 1.2  # 0.77; the nearest colours alone give 1.7


@pytest.mark.parametrize("loop", [True, False])
def test_it_loops_for_ever_or_not_at_all(tmp_path, loop):
    animation.save(tmp_path / "a.gif", FRAMES, loop=loop)
    _, _, info = read(tmp_path / "a.gif")
    assert info.get("loop", "once") == (0 if loop else "once")


def test_frames_may_come_one_at_a_time(tmp_path):
    animation.save(tmp_path / "a.gif", (frame for frame in FRAMES))
    assert len(read(tmp_path / "a.gif")[0]) == 4


def test_the_same_frames_give_the_same_bytes(tmp_path):
    for name in ("a.gif", "b.gif"):
        animation.save(tmp_path / name, FRAMES)
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()


@pytest.mark.parametrize("frames, settings, words", [
    ([], {}, "expected at least one frame"),
    ([FRAMES[0], FRAMES[1][:-1]], {}, r"frame 1 has size \(39, 50\), but "
     r"the earlier frames have size \(40, 50\)"),
    ([FRAMES[0] / 255], {}, "frame 0: expected .* uint8"),
    ([FRAMES[0][..., 0]], {}, r"expected \(H, W, 3\)"),
    (FRAMES, {"milliseconds": 10}, "at least 20 milliseconds per frame, got 10"),
])
def test_what_cannot_be_an_animation_leaves_the_old_file(tmp_path, frames, settings, words):
    (tmp_path / "a.gif").write_bytes(b"old")
    with pytest.raises(ImageError, match=words):
        animation.save(tmp_path / "a.gif", frames, **settings)
    assert (tmp_path / "a.gif").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_another_suffix_is_refused_before_any_frame_is_made(tmp_path):
    frames = iter(FRAMES)
    with pytest.raises(ImageError, match=r"a\.png: cannot tell .* \.gif, \.mp4"):
        animation.save(tmp_path / "a.png", frames)
    assert len(list(frames)) == 4
