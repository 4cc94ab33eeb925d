"""Speed: faster twins of the ops, parallel work, and memory that is reused.

What belongs here: twins of the pages in `minicnn.ops`. A twin has its page's name and signature.
Its results equal the page's up to rounding, and are the same bytes for any number of threads and
any batch. Caches, checks and geometry come from the page. The twins share threads (`threads`),
memory (`workspace`), windows (`window`), algorithms for a convolution (`winograd`, `depthwise`,
`tiles`), CUDA kernels (`cuda`), and processes (`processes`) for many photos.

What does not: the mathematics for reading (`minicnn.ops`), and anything that knows networks or
layers (`minicnn.network`).

TWINS lists the twins; networks use them, and the page for every other op. The table says when each
is used, and its gain over the page: alone, in a loop, at sizes of VGG-16, GoogLeNet, AlexNet and
MobileNet on two idle cores (medians; all of them stand in `benchmarks/results/speed.md`). BLAS
computes on both cores for a page alone; in a network it has one for both, and the gains are larger.

================  ============================================================  ===================
`conv`            always: Winograd for 3x3 and 5x5, depthwise, or tiles         VGG-16 2.9, AlexNet
                                                                                2.5, GoogLeNet 1.1
                                                                                (0.7 to 7);
                                                                                depthwise 17
`pool`            always: blocks of rows in threads; kernels on a GPU           9.6, back 5.5
`average_pool`    kernels on a GPU; the page itself on the CPU                  none on the CPU
`lrn`             always: blocks of rows in threads; kernels on a GPU           1.2, back 1.4; from
                                                                                8 images on 1.5 to 3
`relu`            always: blocks of rows in threads, reused memory              1.9, back 18
`dense`           always: products cut into runs for threads, the same bytes    0.9; weights 2.4
                  for any number of threads
`batch_norm`      always: blocks of rows in threads; the page itself on a GPU   2.3 in training
================  ============================================================  ===================
"""

from minicnn.fast import average_pool, batch_norm, conv, dense, lrn, pool, relu
from minicnn.rooms import offered

TWINS = {
    "conv": conv,
    "pool": pool,
    "average_pool": average_pool,
    "batch_norm": batch_norm,
    "lrn": lrn,
    "relu": relu,
    "dense": dense,
}
__getattr__, __dir__ = offered(__name__)
