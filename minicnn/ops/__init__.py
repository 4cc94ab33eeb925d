"""One operation a file: the forward formula, its backward derived by hand, and nothing else.

Every op is a pair of pure functions, ``forward(x, ...) -> (y, cache)`` and
``backward(dy, cache, ...) -> gradients``. They hold no state, read no files, know no networks
and never change an argument. One body serves NumPy and CuPy, whichever x is an array of. A page
imports NumPy, `minicnn.backend.array_module` and, where windows slide, `minicnn.ops.window`; so it
can be read with nothing else open.

What belongs here: the mathematics of one op a page, its derivation, its decisions and the checks of
its arguments. What does not: threads, tiles, memory pools and kernels for a GPU (the page's twin in
`minicnn.fast`, which has its signature and its numbers), the same as scalar loops
(`minicnn.naive`), settings and parameters (`minicnn.network`).

Letters used in every windowed op
---------------------------------
=======  =====================================================================================
N        images in the batch
H, W     height and width of what comes in; OH, OW of what goes out
C, O     channels in, channels out
KH, KW   height and width of the kernel or window (one of them: K)
S, P, D  stride, padding, dilation
G        groups
x w b y  input, weights, bias, output;  dx dw db dy  the gradients of the objective at them
∂y/∂x    a derivative, not a gradient of the objective
=======  =====================================================================================

Images are (N, H, W, C), kernels (KH, KW, C/G, O), dense weights (in, out). What comes in as
float32 goes out as float32, and float64 as float64.
"""
