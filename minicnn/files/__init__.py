"""Our own files: a network in HDF5, its probe, the manifest of official weights, the cache.

What belongs here: what minicnn writes and reads again (`hdf5`, `patches`, `unfinished`), hashes
(`digests`), the stored probe (`probe`, `verification`), reading any file without harm (`mapped`).
What does not: other programs' files, and anything that converts or downloads (`minicnn.foreign`).
"""
