"""Speed: how work is shared out and memory used again, and faster twins of the ops.

What belongs here: twins of the pages in `minicnn.ops`, each of the page's signature and name, with
the same numbers to rounding, and the same bytes for any number of threads and any batch. They take
caches, checks and geometry from their page. Beside them lies what they share: threads (`threads`),
memory (`workspace`), windows (`window`), the ways of a convolution (`winograd`, `depthwise`,
`tiles`), CUDA kernels (`cuda`), and processes (`processes`) for whoever has many photos.

What does not: the mathematics as one reads it (`minicnn.ops`), and anything that knows networks or
layers (`minicnn.network`).

TWINS is the table of them; networks take these, and the page of every other op. When each serves,
and what it gained over its page inside a loop at sizes of VGG-16, GoogLeNet and MobileNet, where
other work kept the two cores busy (on idle ones threads add to it):

================  ============================================================  ===================
`conv`            always: Winograd for 3x3 and 5x5, depthwise, or tiles         1.2 to 6 times;
                                                                                depthwise 5 to 30
`pool`            always: blocks of rows in threads; kernels on a GPU           3 to 14 times
`average_pool`    kernels on a GPU; the page itself on the CPU                  not measured
`lrn`             always: blocks of rows in threads; kernels on a GPU           nothing but threads
`relu`            always: blocks of rows in threads, memory used again          up to 1.5 times
`dense`           always: products cut into runs for the threads, the same      up to 1.9 times for
                  bytes for any number of them                                  batches, 0.6 for one
================  ============================================================  ===================
"""

from minicnn.fast import average_pool, conv, dense, lrn, pool, relu

TWINS = {
    "conv": conv,
    "pool": pool,
    "average_pool": average_pool,
    "lrn": lrn,
    "relu": relu,
    "dense": dense,
}
