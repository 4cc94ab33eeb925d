"""The command texture."""

import numpy as np
import shown
import small

from minicnn import vis

NETWORK = small.network()


def test_texture(said, weights, photo, tmp_path):
    out = tmp_path / "t.png"
    text = said("texture", "--weights", weights, photo, "--layers", "relu1,mix", "--steps", 2,
                "--size", "keep", "--rate", 3, "--pooling", "max", "--seed", 4, "--out", out)
    record = vis.texture(NETWORK, photo, ["relu1", "mix"], steps=2, size="keep", rate=3.0,
                         pooling="max", seed=4)
    np.testing.assert_array_equal(shown.itself(out), record.image)
    assert text == f"{out}: {record.caption}{shown.of_picture(out)}"
