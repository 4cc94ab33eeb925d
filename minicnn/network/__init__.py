"""Networks: layers in rows, one pass up and down them, what can be told from the rows alone.

What belongs here: the kinds of layers (`layers`), `Network` and the `Run` that a forward pass
gives, the table of a network (`summary`), which pixels a unit sees (`receptive`). What does not:
mathematics (`minicnn.ops`), architectures (`minicnn.models`), files (`minicnn.files`).
"""

from minicnn.network.network import PROBABILITIES, Network, Row
from minicnn.network.run import INPUT, Descent, LayerNameError, Run

__all__ = ["INPUT", "PROBABILITIES", "Descent", "LayerNameError", "Network", "Row", "Run"]
