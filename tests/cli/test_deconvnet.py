"""The command deconvnet."""

import numpy as np
import small

from minicnn import images, vis
from minicnn.report import sheets

NETWORK = small.network()


def test_deconvnet(said, weights, tmp_path):
    photo, out = small.picture_file(tmp_path, size=(26, 33)), tmp_path / "d.png"
    text = said("deconvnet", "--weights", weights, photo, "--layer", "relu2", "--channel", 1,
                "--position", "1,2", "--relu", "guided", "--lrn", "through", "--size", "keep",
                "--out", out)
    record = vis.deconvnet(NETWORK, photo, "relu2", 1, (1, 2), "guided", "through", "keep")
    np.testing.assert_array_equal(images.load(out), sheets.projection(small.photo(26, 33), record))
    assert text == f"{out}: {record.caption}\n"
