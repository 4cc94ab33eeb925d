"""Planted bugs: wrong forwards and backwards that the tests of the ops must catch, every one.

One file a family of ops; each is a row of short functions and ends with its table.  Many bugs
were found in well-known public code, and the table says where.  tests/test_mutants.py sends each
through the very checks that the real op passes.

To add one: write the wrong pass, add a line to the table.  If it is not caught, the checks need a
new configuration, not the table a shorter list.

One public bug of the kind lives elsewhere: the test that is never collected because of its name
is the business of tests/test_conventions.py.
"""

from mutants import (
    average_pool,
    conv,
    conv_transpose,
    coordinates,
    norms,
    places,
    pointwise,
    pool,
    roughness,
    scores,
)
from mutants.mutant import Mutant

FAMILIES = (conv, conv_transpose, pool, average_pool, pointwise, norms, scores, places, roughness,
            coordinates)
MUTANTS = [mutant for family in FAMILIES for mutant in family.MUTANTS]

__all__ = ["FAMILIES", "MUTANTS", "Mutant"]
