"""Speed: how work is shared out and memory used again, and faster twins of the ops.

What belongs here: twins of the pages in `minicnn.ops`, each of the page's signature and name, with
the same numbers to rounding, and the same bytes for any number of threads and any batch. They take
caches, checks and geometry from their page. Beside them lies what they share: threads (`threads`),
memory (`workspace`), windows (`window`), the ways of a convolution (`winograd`, `depthwise`,
`tiles`), CUDA kernels (`cuda`), and processes (`processes`) for whoever has many photos.

What does not: the mathematics as one reads it (`minicnn.ops`), and anything that knows networks or
layers (`minicnn.network`).

TWINS is the table of them; networks take these, and the page of every other op. When each serves,
and what it gains over its page in a network's loop at the sizes of VGG-16 and GoogLeNet, on two
cores:

================  ================================================================  ===============
`conv`            always; 3x3 and 5x5 by Winograd, depthwise, or by tiles           1.2 to 6 times
`pool`            always; blocks of rows in threads, CUDA kernels                   3 to 14 times
`average_pool`    on a GPU (CUDA kernels); the page on the CPU                      not measured yet
`lrn`             always; blocks of rows in threads, CUDA kernels                   by the threads
`relu`            always; blocks of rows in threads, memory used again              up to 1.6 times
`dense`           always; products cut into runs, for the same bytes for any        1 to 1.9 times
                  number of threads
================  ================================================================  ===============
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
