"""Our own files: a network in HDF5, its probe, the manifest of official weights, the cache.

Belongs here: files that minicnn writes and reads back (`hdf5`, `patches`, `unfinished`), hashes
(`digests`), the stored probe (`probe`, `verification`), safe reading of any file (`mapped`).
Does not belong here: other programs' files, conversion and downloads (`minicnn.foreign`).
"""

from minicnn.rooms import offered

__getattr__, __dir__ = offered(__name__)
