"""What does not fit into memory is said before the work, with a remedy."""

from functools import partial

import pytest
import small

from minicnn import vis
from minicnn.backend import control_groups
from minicnn.network.memory import Ledger
from minicnn.vis import memory
from minicnn.vis.style import StyleOptions, default_layers

NETWORK, PHOTO = small.network(), small.photo(24, 36)
METHODS = {"style": lambda **more: vis.style(NETWORK, PHOTO, PHOTO, **more),
           "texture": lambda **more: vis.texture(NETWORK, PHOTO, **more)}


@pytest.mark.parametrize("method", METHODS)
def test_a_run_that_does_not_fit_says_so_and_names_a_tile_that_does(method, monkeypatch):
    monkeypatch.setattr(control_groups, "memory_available", lambda: 100e6)
    with pytest.raises(ValueError, match=rf"^{method}: an image of \d+x800 pixels needs about "
                       r"0.2 GB of memory, but only 0.1 GB are free; take tiles: tile=256 "
                       r"\(--tile 256\) needs \d\d MB$"):
        METHODS[method](size=800 if method == "style" else (600, 800), memory=1)


def test_without_a_tile_that_fits_it_says_what_else_to_do(monkeypatch):
    monkeypatch.setattr(control_groups, "memory_available", lambda: 1000)
    with pytest.raises(ValueError, match="make a smaller image .size., or let L-BFGS remember"):
        METHODS["style"](size=36, tile=16)
    with pytest.raises(ValueError, match=r"only 0 MB are free; make a smaller image .size.$"):
        METHODS["style"](size=36, method="strotss")


def test_where_the_system_does_not_say_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(control_groups, "memory_available", lambda: None)
    assert METHODS["style"](size=36, steps=1).image.shape == (24, 36, 3)


def needed(size, **options):
    contents, styles = default_layers(NETWORK)
    return memory.synthesis(NETWORK.with_average_pooling(), size, styles, contents,
                            StyleOptions(**options).resolved())


def test_tiles_take_less_and_more_remembered_steps_two_images_each():
    whole, tiled = needed((512, 512), memory=1), needed((512, 512), memory=1, tile=128)
    assert tiled < 0.6 * whole
    more = needed((512, 512), memory=11)
    assert more - whole == 10 * 2 * 512 * 512 * 3 * 4


def test_l_bfgs_remembers_no_more_than_its_steps():
    assert needed((64, 64), memory=20, steps=5) == needed((64, 64), memory=5)


def test_with_a_mask_whole_layers_are_counted_and_two_regions():
    plain, masked = (needed((256, 256), mask=mask, steps=2) for mask in (None, "mask.png"))
    tiled, joined = (needed((256, 256), mask=mask, steps=2, tile=64) for mask in (None, "mask.png"))
    assert plain <= masked and tiled < joined < masked


@pytest.mark.parametrize("term", [
    memory.energy, memory.distance, memory.gram, memory.guided, memory.sampled,
    partial(memory.cross, channels=7)],
    ids=["energy", "distance", "gram", "guided", "sampled", "cross"])
def test_of_a_term_only_the_gradient_stays(term):
    ledger = Ledger()
    gradient = term(ledger, (1, 10, 20, 5))
    assert gradient.shape == (1, 10, 20, 5) and ledger.held == 4000 < ledger.peak


def test_bytes_in_words():
    assert memory.gigabytes(1.26e9) == "1.3 GB" and memory.gigabytes(4e6) == "4 MB"
