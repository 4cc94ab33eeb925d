"""Is this backward pass the gradient of this forward pass?  Several independent ways to find out.

    report = gradcheck.check(relu.forward, relu.backward, {"x": x})
    print(report)                 # a verdict in words for every kind of check
    report.raise_if_failed()      # GradientError, an AssertionError, with the same words

Works on any forward and backward written with NumPy, minicnn's or your own.

| file | what it holds |
|---|---|
| checker.py, the function `check` | the door: which kinds of check run, and in what order |
| subject.py | the pair under check: calls it with fresh copies, unpacks what it returns |
| kinds.py | naive twin, central differences, complex step, adjoint identity, PyTorch |
| directions.py | where to look: a coordinate or a direction of one input |
| slopes.py | one number: the slope of a function along a line, and whether there is a kink |
| conduct.py | what a pass must not do: change its arguments, change the dtype, alias |
| compare.py | how far apart two arrays are, and where, in words |
| report.py | Finding, Report, GradientError |

Only NumPy is needed.  PyTorch is imported when a check is given a `torch` function, and the check
says so when it is not installed.
"""

from minicnn.gradcheck.checker import check
from minicnn.gradcheck.report import Finding, GradientError, Report

__all__ = ["Finding", "GradientError", "Report", "check"]
