"""Every planted bug must be caught by the checks that the real ops pass."""

import importlib

import checks
import pytest
from mutants import MUTANTS, coordinates

from minicnn.ascent import objectives, parametrize, transforms
from minicnn.ops import pool

OPS = sorted({mutant.op for mutant in MUTANTS})
REAL = {  # of what is no op of its own
    "unpool": [(pool.unpool,)],
    "total_variation": [(objectives.total_variation,)],
    "adjoint": [(lambda x: transforms.rotate([25])(x, coordinates.rng()), coordinates.IMAGE),
                (parametrize._spectrum(4, 4, 1.0).forward, coordinates.SPECTRUM)],
}
MISTAKES_OF_OURS = (TypeError, NameError, AttributeError, KeyError)


@pytest.mark.thorough
@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_planted_bug_is_caught(mutant):
    """By a failed check; a bug that cannot even be called would prove nothing."""
    with pytest.raises(AssertionError) as error:
        getattr(checks, mutant.op)(*mutant.passes)
    for finding in getattr(getattr(error.value, "report", None), "failed", []):
        assert not isinstance(finding.cause, MISTAKES_OF_OURS), finding


@pytest.mark.thorough
@pytest.mark.parametrize("op", OPS)
def test_the_real_op_passes_the_same_checks(op):
    for passes in REAL[op] if op in REAL else [forward_and_backward(op)]:
        getattr(checks, op)(*passes)


def forward_and_backward(op):
    module = importlib.import_module(f"minicnn.ops.{op}")
    return module.forward, module.backward


def test_no_bug_is_planted_twice():
    names = [str(mutant) for mutant in MUTANTS]
    assert len(set(names)) == len(names)
