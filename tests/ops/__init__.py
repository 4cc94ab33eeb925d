"""Tests of minicnn/ops, one file an op.

`matrix.py` lists the configurations every windowed op must survive, `checks.py` says what is
checked of each op.  The same checks must catch every planted bug in tests/mutants.
"""
