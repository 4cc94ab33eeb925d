"""Gradient ascent on an image: the loop, and the parts it is made of.

What belongs here: `loop` (forward pass, backward pass, step), `objectives` (what is maximised),
`optimizers` (how far a step goes), `lbfgs` (steps that learn the curvature), `transforms` (changes
of the image before each forward pass), `views` (windows onto it), `regularizers` (changes of the
image after each step), `parametrize` (other numbers optimised in place of pixels), `maco` (phases
alone), `pyramid` (bands of detail, used by all of these), `colours` (steps and images in the
colours of photos). What does not: a whole method with its options and its picture (`minicnn.vis`),
and training of weights (`minicnn.train`).
"""

from minicnn.rooms import offered

__getattr__, __dir__ = offered(__name__)
