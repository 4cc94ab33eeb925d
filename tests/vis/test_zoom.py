"""Zooming: frame by frame what a loop of dreams and enlargements gives."""

import interrupted
import numpy as np
import pytest
import small

import minicnn
from minicnn import images, vis
from minicnn.ascent.colours import colours_of, limited
from minicnn.ops import resize
from minicnn.vis.dream import DreamOptions, Eyes, chosen, octave_by_octave
from minicnn.vis.zoom import ZoomOptions, nearer, noise, side

NETWORK = small.network()
PHOTO = small.photo(26, 30)


def quick(image=PHOTO, frames=3, scale=0.1, **more):
    more = {"octaves": 1, "steps": 2, "jitter": 2, "size": "keep"} | more
    return vis.zoom(NETWORK, image, more.pop("layers", "relu2"), frames=frames, scale=scale, **more)


@pytest.mark.parametrize("contrast", ["held", "free"])
def test_dream_zoom_dream(contrast):
    found = quick(seed=3, turn=2.0, contrast=contrast)
    x = NETWORK.prepare(PHOTO, "keep")
    options = chosen(DreamOptions(octaves=1, steps=2, jitter=2, seed=3), NETWORK, x)
    eyes = Eyes(NETWORK, {"relu2": 1.0}, options)
    for frame in range(3):
        dream = octave_by_octave(eyes, x, options, frame)
        np.testing.assert_array_equal(found.frames[frame], NETWORK.restore(dream.x)[0])
        assert found.trace[frame] == dream.trace[-1, 0]
        x = nearer(dream.x, 0.1, 2.0)
        if contrast == "held":
            x = limited(x, *colours_of(NETWORK.prepare(PHOTO, "keep")), 10 / 50)  # a level is 1/50
    np.testing.assert_array_equal(found.x, dream.x)
    np.testing.assert_array_equal(found.image, found.frames[-1])
    assert found.caption == f"3 dreams, each zoomed in by 10%; the last: {dream.caption}"


def test_each_frame_has_jitter_of_its_own():
    x = NETWORK.prepare(PHOTO, "keep")
    options = chosen(DreamOptions(octaves=1, steps=2, jitter=2), NETWORK, x)
    eyes = Eyes(NETWORK, "relu2", options)
    first, second = (octave_by_octave(eyes, x, options, frame).x.tobytes() for frame in (0, 1))
    assert first != second


def test_it_has_the_options_of_a_dream():
    own = {"frames", "scale", "turn", "contrast", "size", "seed"}
    dream, zoom = DreamOptions().settings(), ZoomOptions().settings()
    assert set(zoom) == set(dream) | own
    assert all(zoom[name] == value for name, value in dream.items() if name not in own)


def test_the_first_frame_is_the_dream_itself():
    first = quick(frames=1, seed=5)
    np.testing.assert_array_equal(first.x, vis.dream(NETWORK, PHOTO, "relu2", octaves=1, steps=2,
                                                     jitter=2, seed=5).x)


# ---- nearer

def test_nearer_enlarges_the_middle():
    """A slope stays a slope about the same centre, less steep."""
    rows, columns = np.mgrid[:9, :13].astype(float)
    x = np.stack([rows - 4, columns - 6], axis=2)[None]
    np.testing.assert_allclose(nearer(x, 0.25), 0.75 * x, atol=1e-12)
    assert nearer(x.astype(np.float32), 0.25).dtype == np.float32


def test_nearer_turns_anticlockwise():
    x = np.arange(5.0 * 5 * 3).reshape(1, 5, 5, 3)
    np.testing.assert_allclose(nearer(x, 0, 90), np.rot90(x, axes=(1, 2)), atol=1e-12)


def test_nearer_blurs_less_than_a_bilinear_mean():
    """A wave of 5 pixels, enlarged: the contrast left of it."""
    x = np.sin(2 * np.pi * np.arange(200) / 5)[None, None, :, None].repeat(200, axis=1)
    now = nearer(x, 0.05)[:, 20:180, 20:180].std()
    bilinear = resize.forward(x[:, 5:195, 5:195], (200, 200))[0][:, 20:180, 20:180].std()
    assert bilinear < 0.88 * x.std() < 0.93 * x.std() < now <= x.std()


def test_nearer_keeps_what_is_plain_and_one_pixel():
    np.testing.assert_allclose(nearer(np.full((2, 5, 4, 3), 7.0), 0.3, 9), 7, rtol=1e-12)
    np.testing.assert_array_equal(nearer(np.ones((1, 1, 1, 3)), 0.5), np.ones((1, 1, 1, 3)))


# ---- contrast

@pytest.mark.thorough
def test_the_shipped_network_s_colours_do_not_drift():
    """Without a limit the share of values at black or white more than doubles."""
    network, image = minicnn.load("minivgg"), small.photo(64, 64)
    held, free = (vis.zoom(network, image, "conv4_1", frames=8, size=64, octaves=2,
                           contrast=contrast, colours="rgb") for contrast in ("held", "free"))
    ends = [((z.frames[-1] == 0) | (z.frames[-1] == 255)).mean() for z in (held, free)]
    assert ends[0] < 0.6 * ends[1]


# ---- beginning and end

def test_the_size_of_frames():
    assert side(NETWORK) == (192, 240)
    assert side(minicnn.models.vgg16()) == (224, 224)
    assert quick(size=None, frames=1, steps=1).settings["size"] == (192, 240)


def test_frames_are_saved_as_they_are_done(monkeypatch, tmp_path):
    interrupted.at_step(monkeypatch, 6)
    found = quick(folder=tmp_path / "new" / "frames", steps=2)
    monkeypatch.undo()
    files = sorted((tmp_path / "new" / "frames").iterdir())
    assert found.interrupted and [file.name for file in files] == ["0001.png", "0002.png"]
    np.testing.assert_array_equal([images.load(file) for file in files], found.frames)


def test_from_noise():
    found = quick(None, frames=1, size=(20, 24), steps=1, rate=1e-3, seed=4)
    assert found.frames.shape == (1, 20, 24, 3)
    start = noise(NETWORK, (20, 24), 4)
    assert np.abs(found.frames[0].astype(int) - start).max() <= 1
    assert 100 <= start.min() < 110 and 190 < start.max() < 200
    assert noise(NETWORK).shape == (16, 20, 3)
    assert start.tobytes() != noise(NETWORK, (20, 24), 5).tobytes()


@pytest.mark.parametrize("inside", [False, True])
def test_a_folder_that_is_a_file(tmp_path, inside):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(ValueError, match="zoom: the frames cannot be saved in .*taken.* name ano"):
        quick(folder=tmp_path / "taken" / "frames" if inside else tmp_path / "taken")


@pytest.mark.parametrize("image", [PHOTO, None])
def test_the_settings_make_the_same_again(image):
    found = quick(image, size=24)
    again = (vis.zoom(NETWORK, **found.settings) if image is None
             else vis.zoom(NETWORK, image, **found.settings))
    assert again.frames.tobytes() == found.frames.tobytes() and again.settings == found.settings


@pytest.mark.parametrize("at, kept", [(1, 1), (2, 1), (4, 1), (6, 2)])
def test_ctrl_c_keeps_the_finished_dreams_and_at_least_one(monkeypatch, at, kept):
    interrupted.at_step(monkeypatch, at)
    found = quick()
    monkeypatch.undo()
    assert found.interrupted and len(found.frames) == len(found.trace) == kept
    if at > 2:
        finished = quick(frames=kept)
        np.testing.assert_array_equal(found.frames, finished.frames)
        assert found.caption == finished.caption  # not of the dream that was broken off


@pytest.mark.parametrize("settings, words", [
    ({"frames": 0}, "frames must be a whole number of at least 1, got 0"),
    ({"scale": 0.0}, "zoom: scale must be a number above 0 and at most 0.99, got 0.0"),
    ({"scale": 1.0}, "got 1.0"), ({"octave_scale": 0.5}, "octave_scale must be a number above 1")])
def test_one_clear_line(settings, words):
    with pytest.raises(ValueError, match=words):
        quick(**settings)
