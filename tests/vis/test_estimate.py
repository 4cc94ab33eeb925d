"""The memory of a method: as much as a process then takes, for any network and option."""

import subprocess
import sys

import pytest
import small

import minicnn
from minicnn import models
from minicnn.vis.estimate import METHODS
from minicnn.vis.options import OptionsError

NETWORK = small.network()
CHILD = """
import re, sys
from pathlib import Path
import numpy as np
import minicnn
from minicnn import vis

def kilobytes(key):
    return int(re.search(rf"^{key}:\\s*(\\d+)", Path("/proc/self/status").read_text(), re.M)[1])

network, side = minicnn.load("minivgg"), int(sys.argv[2])
photo = np.random.default_rng(0).integers(0, 255, (side, side, 3)).astype(np.uint8)
x = network.prepare(photo, "keep")
Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
start = kilobytes("VmRSS")
if sys.argv[1] == "forward":
    network.forward(x)
elif sys.argv[1] == "maximize":
    vis.maximize(network, "conv3_1", 0, size=side, steps=3)
elif sys.argv[1] == "strotss":
    vis.style(network, photo, photo, size=side, sizes=1, steps=1, method="strotss")
else:
    vis.style(network, photo, photo, size=side, sizes=1, steps=1, tile=96)
print(kilobytes("VmHWM") - start)
"""


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("method, side, options", [
    ("forward", 64, {}), ("maximize", 256, {"layers": "conv3_1", "steps": 3}),
    ("style", 256, {"tile": 96, "steps": 1}), ("strotss", 256, {})])
def test_a_process_then_takes_as_much_within_15_percent(method, side, options):
    asked = subprocess.run([sys.executable, "-c", CHILD, method, str(side)], capture_output=True,
                           text=True, check=True)
    taken = int(asked.stdout) * 1024
    estimated = minicnn.estimate(minicnn.load("minivgg"), side, method, **options)
    assert abs(estimated / taken - 1) < 0.15, (estimated, taken)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_an_estimate_that_grows_with_the_image(method):
    network, sizes = (NETWORK, [(16, 20)] * 2) if method in ("forward", "backward") else (
        NETWORK.until("relu2"), [(48, 48), (96, 96)])
    less, more = (minicnn.estimate(network, size, method) for size in sizes)
    assert type(less) is int and (less == more if sizes[0] == sizes[1] else less < more)


def test_it_needs_no_weights_and_takes_the_method_s_options():
    network = models.vgg16()
    counts = [minicnn.estimate(network, 600, "style", **more) for more in (
        {}, {"tile": 300}, {"memory": 5}, {"layers": ["relu1_1"]})]
    assert counts[0] > 1e9 and all(count < counts[0] for count in counts[1:])


def test_one_error_for_what_is_unknown():
    with pytest.raises(ValueError, match="estimate: method must be one of forward, .*got 'sleep'"):
        minicnn.estimate(NETWORK, 16, "sleep")
    with pytest.raises(OptionsError, match="estimate: forward has no option 'tile'"):
        minicnn.estimate(NETWORK, 16, "forward", tile=3)
    with pytest.raises(OptionsError, match="style: tile: only method gatys has it; leave it out"):
        minicnn.estimate(NETWORK, 48, "strotss", tile=16)
    with pytest.raises(ValueError, match="no layer 'pool9'"):
        minicnn.estimate(NETWORK, 16, "texture", layers="pool9")
    with pytest.raises(ValueError, match="too small"):
        minicnn.estimate(models.vgg16(), 8, "forward", layers="pool5")
