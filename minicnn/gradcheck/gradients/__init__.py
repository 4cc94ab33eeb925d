"""The checks of one forward and backward pass, each independent of the others.

| file | what it holds |
|---|---|
| checker.py, the function `check` | the entry point: which kinds of check run, in which order |
| subject.py | the pair under check: calls it with fresh copies, unpacks its results |
| kinds.py | naive twin, central differences, complex step, adjoint identity, PyTorch |
| directions.py | which slopes to compare: along a coordinate or a direction of one input |
| slopes.py | the slope of a function along a line, and whether it has a kink there |
| conduct.py | what a pass must not do: change its arguments or the dtype, share memory |
| stateful.py | layers that are objects, and where they keep their parameters |
| training_step.py | `check_training_step`: a whole step, with its optimiser |
| update_rules.py | the optimisers' formulas, and the usual mistakes in them |
| compare.py | how far two arrays differ, and where, in words |
| report.py | Finding, Report, GradientError |
"""
