"""Objectives: what an image is optimised for, as a weighted sum of terms.

A term looks at one place, a layer's output or the image itself. It returns one value for each
image of the batch, and the gradient of these values at that place. Terms can be added and scaled:

    objectives.channel("conv4_1", 7) - 1e-3 * objectives.total_variation()

Objectives are maximised (`minicnn.ascent.loop`); a loss enters with a minus sign.

| file | what it holds |
|---|---|
| term.py | Term, Objective, Value: how terms add and scale |
| units.py | channel, neuron, and a class: logit, log_probability, probability |
| features.py | energy, direction, cosine, distance, guide: all channels of a layer at once |
| gram_matrices.py | gram, diversity: which channels are active together, at any position |
| textures.py | covariance, means, shifted_gram, wasserstein, spectrum: more of a texture |
| changed.py | relative errors, layers without their border, guided features: made of others |
| samples.py | maps read at any positions, and the adjoint |
| transport.py | how far one set of vectors is from another: the losses of STROTSS |
| image.py | l2, alpha_norm, outside, total_variation: the image itself |
"""

from minicnn.ascent.objectives.features import cosine, direction, distance, energy, guide
from minicnn.ascent.objectives.gram_matrices import diversity, gram, gram_matrix
from minicnn.ascent.objectives.image import alpha_norm, l2, outside, total_variation
from minicnn.ascent.objectives.term import Objective, Term, Value
from minicnn.ascent.objectives.textures import (
    covariance,
    means,
    shifted_gram,
    spectrum,
    wasserstein,
)
from minicnn.ascent.objectives.units import channel, log_probability, logit, neuron, probability

__all__ = [
    "Objective", "Term", "Value", "alpha_norm", "channel", "cosine", "covariance", "direction",
    "distance", "diversity", "energy", "gram", "gram_matrix", "guide", "l2", "log_probability",
    "logit", "means", "neuron", "outside", "probability", "shifted_gram", "spectrum",
    "total_variation", "wasserstein",
]
