"""Other programs' weight files: one reader per format, `convert` to a network, `fetch`, `load`.

Belongs here: reading another program's file into named arrays and settings, finding the network a
file fits, translating names and layouts, downloads. Does not belong here: minicnn's own form
(`minicnn.files`), architectures (`minicnn.models`), and any mathematics.

Nothing that a file contains is ever executed.
"""

from minicnn.rooms import offered

__getattr__, __dir__ = offered(__name__)
