"""Statistics of textures as objectives at one layer, of small arrays."""

import nets

from minicnn.ascent import objectives

SEEN = nets.images(1, (4, 5, 3), seed=3) + 0.5
A = nets.images(2, (3, 4, 3), seed=8)
STATISTICS = {"gram": lambda: objectives.gram("layer", objectives.gram_matrix(SEEN)[0]),
              "covariance": lambda: objectives.covariance("layer", SEEN),
              "means": lambda: objectives.means("layer", SEEN),
              "shifted gram": lambda: objectives.shifted_gram("layer", SEEN),
              "wasserstein": lambda: objectives.wasserstein("layer", SEEN)}


def value_and_gradient(objective, a):
    seen = objective.evaluate({"layer": a})
    return seen.total, seen.gradients["layer"]
