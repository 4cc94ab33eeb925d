"""Is this backward pass the gradient of this forward pass?  Several independent checks.

    report = gradcheck.check(relu.forward, relu.backward, {"x": x})
    print(report)                 # a verdict in words for every kind of check
    report.raise_if_failed()      # GradientError, an AssertionError, with the same words

It checks any forward and backward written with NumPy, minicnn's or your own.

| folder | what it holds |
|---|---|
| gradients/ | `check`: the kinds of checks of one forward and backward; `check_training_step` |
| own/ | somebody's own ops: found in a file by their names, called like a page |
| apart/ | a process of its own for somebody else's file, with limits |
| judge/ | an op at all its settings, in two verdicts; a file's ops; words, JSON, pytest's fixture |
| cause/ | why a layer is wrong |
| mistakes/ | known wrong layers |

Only NumPy is required.  A check that is given a `torch` function imports PyTorch, and reports "not
applicable" when PyTorch is not installed.
"""

from typing import TYPE_CHECKING

from minicnn.rooms import offered

if TYPE_CHECKING:
    from minicnn.gradcheck.gradients.checker import check
    from minicnn.gradcheck.gradients.report import Finding, GradientError, Report
    from minicnn.gradcheck.gradients.training_step import Running, check_training_step

__all__ = ["Finding", "GradientError", "Report", "Running", "check", "check_training_step"]
_HOMES = {"check": "checker", "Finding": "report", "GradientError": "report", "Report": "report",
          "Running": "training_step", "check_training_step": "training_step"}
__getattr__, __dir__ = offered(__name__, {  # when first used: pytest reads this package each time
    name: f"minicnn.gradcheck.gradients.{file}" for name, file in _HOMES.items()})
