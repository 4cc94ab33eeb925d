"""Speed: how work is shared out and memory used again, and faster twins of the ops.

What belongs here: threads (`threads`), memory (`workspace`), processes (`processes`), Winograd's
convolution (`winograd`), CUDA kernels (`cuda`). What does not: the mathematics as one reads it
(`minicnn.ops`), and anything that knows networks.
"""
