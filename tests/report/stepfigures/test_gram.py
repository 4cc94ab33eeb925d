"""The figure of a Gram matrix: its numbers are the objective's."""

import numpy as np
import pytest

from minicnn.ascent.objectives.gram_matrices import gram_matrix
from minicnn.report.stepfigures import step_gram


def test_the_numbers_are_the_objective_s():
    a = np.random.default_rng(0).normal(size=(1, 3, 4, 3))
    figure = step_gram(a)
    assert figure.data["library"]["g"] == gram_matrix(a)[0].tolist()
    assert figure.data["settings"] == {"i": 0, "j": 1}


def test_one_map_has_no_pair():
    with pytest.raises(ValueError, match=r"at least two channels, got shape \(3, 4, 1\)"):
        step_gram(np.ones((3, 4)))
