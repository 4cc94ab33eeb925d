"""Objectives made of others: relative errors, layers without their border, guided features."""

import nets
import numpy as np
import pytest
from statistics_of_textures import SEEN, STATISTICS, A, value_and_gradient

from minicnn.ascent import objectives
from minicnn.ascent.objectives import changed, textures

FINE, COARSE = nets.images(1, (6, 8, 3), seed=4) + 0.5, nets.images(1, (3, 4, 2), seed=5) + 0.5
TWO = {"fine": nets.images(2, (6, 8, 3), seed=6), "coarse": nets.images(2, (3, 4, 2), seed=7)}


@pytest.mark.parametrize("name", STATISTICS)
def test_a_relative_term_is_one_where_nothing_is_active(name):
    objective = changed.relative(STATISTICS[name](), SEEN)
    silent = value_and_gradient(objective, np.zeros_like(SEEN))[0]
    np.testing.assert_allclose(silent, 1, rtol=1e-12)


def test_a_silent_target_is_refused():
    silent = np.zeros((1, 4, 4, 3))
    with pytest.raises(ValueError, match="layer is silent for this photo; leave it out"):
        changed.relative(objectives.gram("layer", np.zeros((3, 3))), silent)


def test_without_their_borders_two_layers_have_gradients_inside_only():
    objective = textures.cross_gram("fine", "coarse", FINE[:, 2:-2, 2:-2], COARSE[:, 1:-1, 1:-1])
    got = changed.inside(objective, {"fine": 2, "coarse": 1}).evaluate(TWO)
    middle = {"fine": np.s_[:, 2:-2, 2:-2], "coarse": np.s_[:, 1:-1, 1:-1]}
    expected = objective.evaluate({name: a[middle[name]] for name, a in TWO.items()})
    np.testing.assert_array_equal(got.total, expected.total)
    for name, slope in got.gradients.items():
        np.testing.assert_array_equal(slope[middle[name]], expected.gradients[name])
        slope[middle[name]] = 0
        assert not slope.any()


def test_inside_sees_the_middle_only_and_its_gradient_is_zero_outside():
    objective = STATISTICS["gram"]()
    a = nets.images(2, (7, 8, 3), seed=4)
    within = changed.inside(objective, {"layer": 2})
    value, gradient = value_and_gradient(within, a)
    middle = np.s_[:, 2:5, 2:6]
    expected, slope = value_and_gradient(objective, a[middle])
    np.testing.assert_array_equal(value, expected)
    np.testing.assert_array_equal(gradient[middle], slope)
    gradient[middle] = 0
    assert not gradient.any()
    kept = value_and_gradient(changed.inside(objective, {"other": 1}), a)[0]
    np.testing.assert_array_equal(kept, value_and_gradient(objective, a)[0])


def test_guided_features_count_where_the_guide_is():
    guide = np.zeros((3, 4))
    guide[1:, :2] = 1
    guide /= np.sqrt((guide**2).mean())
    goal = objectives.gram_matrix(SEEN)[0]
    objective = changed.guided(objectives.gram("layer", goal), {"layer": guide})
    part = A[:, 1:, :2]
    value, gradient = value_and_gradient(objective, A)
    np.testing.assert_allclose(value, value_and_gradient(objectives.gram("layer", goal), part)[0],
                               rtol=1e-12)
    moved = A + 1e-20j * nets.images(2, A.shape[1:], seed=2)
    slope = (gradient * nets.images(2, A.shape[1:], seed=2)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(objective.evaluate({"layer": moved}).total.imag / 1e-20, slope,
                               rtol=1e-12)
    assert not gradient[:, 0].any() and not gradient[:, :, 2:].any()
    same = changed.guided(objectives.gram("layer", goal), {"other": guide})
    np.testing.assert_array_equal(value_and_gradient(same, A)[0],
                                  value_and_gradient(objectives.gram("layer", goal), A)[0])
