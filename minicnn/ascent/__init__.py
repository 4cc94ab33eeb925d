"""Gradient ascent on an image: the one loop, and everything that can be put into it.

What belongs here: `loop` (look, go back down, step), `objectives` (what is made large),
`optimizers` (how far a step goes), `transforms` (what is done to the image before the network
sees it), `regularizers` (what is done to it after a step), `parametrize` (what is optimised in the
image's place), `pyramid` (bands of detail, for all of these). What does not: a whole method with
its options and its picture (`minicnn.vis`), and training of weights (`minicnn.train`).
"""
