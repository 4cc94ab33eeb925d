"""Weight files: the project's own HDF5 form, and readers of other programs' files.

What belongs here: bytes on disk to named arrays in the library's layout, and back. What does not:
which architecture goes with which file (`minicnn.models`), and any mathematics.
"""
