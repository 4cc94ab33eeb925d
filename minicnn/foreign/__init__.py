"""Other programs' weight files: a reader for each, `convert` to a network of ours, `fetch`, `load`.

What belongs here: bytes of another program on disk to named arrays and settings (one reader a
format), which network a file fits, the translation of names and layouts, downloads. What does not:
our own form (`minicnn.files`), architectures (`minicnn.models`), and any mathematics.

Nothing that a file contains is ever executed.
"""
