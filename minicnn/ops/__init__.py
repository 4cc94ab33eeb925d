"""One operation a file: the forward formula, its backward derived by hand, and nothing else.

Every op is a pair of pure functions, ``forward(x, ...) -> (y, cache)`` and
``backward(dy, cache, ...) -> gradients``. They hold no state, read no files, know no networks
and never change an argument; those things live in `minicnn.network.layers`, `minicnn.formats` and
`minicnn.network`. The specification of each op, as scalar loops, is in `minicnn.naive`.

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

A faster way of an op has a file and the op's signature of its own (`winograd`, for `conv`); the
plain op is the one to read, and what it is measured against. What a GPU does in one kernel instead
of many passes is in files named `*_cuda` (`minicnn.fast.cuda` says what they have in common); the
plain op calls them, and is their test.
"""
