"""One operation per file: its formula, its gradient derived by hand, and nothing else.

Every op is a pair of pure functions, ``forward(x, ...) -> (y, cache)`` and
``backward(dy, cache, ...) -> gradients``. They hold no state, read no files, know no networks
and never change an argument. The same code serves NumPy and CuPy arrays. Each file is called a
page: the plain implementation of an op, written to be read. A page imports NumPy,
`minicnn.backend.array_module` and, if it slides windows, `minicnn.ops.window`; so each page can be
read on its own.

What belongs here: on each page the mathematics of one op, its derivation, its conventions and the
checks of its arguments. What does not: threads, tiles, memory pools and GPU kernels (the page's
twin in `minicnn.fast`, with the same signature and results), the same op as nested loops
(`minicnn.naive`), settings and parameters (`minicnn.network`).

Letters used in every windowed op
---------------------------------
=======  =====================================================================================
N        images in the batch
H, W     height and width of the input; OH, OW of the output
C, O     input channels, output channels
KH, KW   height and width of the kernel or window (one of them: K)
S, P, D  stride, padding, dilation
G        groups
x w b y  input, weights, bias, output;  dx dw db dy  the gradients of the objective at them
∂y/∂x    a derivative, not a gradient of the objective
=======  =====================================================================================

Images are (N, H, W, C), kernels (KH, KW, C/G, O), dense weights (in, out). Float32 input gives
float32 output, and float64 input float64 output.
"""

from minicnn.rooms import offered

__getattr__, __dir__ = offered(__name__)
