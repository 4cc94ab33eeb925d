"""Networks: rows of layers, the forward and backward pass through them, and their analysis.

What belongs here: the kinds of layers (`layers`), checking the rows (`rows`), `Network` and the
`Run` that a forward pass returns, where in a pass numbers are not finite (`finite`), the choice of
the implementation of each row (`using`; `own` for a user's own op), the table of a network
(`summary`), receptive fields (`receptive`), the memory that a pass takes (`memory`). What does not:
mathematics (`minicnn.ops`), architectures (`minicnn.models`), files (`minicnn.files`).
"""

from minicnn.network import layers, receptive
from minicnn.network.finite import NotFiniteError
from minicnn.network.network import PROBABILITIES, Network
from minicnn.network.rows import INPUT, LayerNameError, Row
from minicnn.network.run import Descent, Run
from minicnn.rooms import offered

__all__ = ["INPUT", "PROBABILITIES", "Descent", "LayerNameError", "Network", "NotFiniteError",
           "Row", "Run", "layers", "receptive"]
__getattr__, __dir__ = offered(__name__)
