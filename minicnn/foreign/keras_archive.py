"""Reader of .keras files, the default of Keras 3: a ZIP file with a model's JSON and its weights.

The weights are HDF5, as in a .weights.h5 file: see `keras_hdf5`.
"""

import io
from dataclasses import replace

from minicnn.files import hdf5_text, mapped
from minicnn.foreign import keras_hdf5, zips

WEIGHTS, CONFIG = "model.weights.h5", "config.json"
WHAT = "a .keras file"


def recognises(path):
    """Whether a file is a ZIP file with Keras' weights, damaged or not."""
    return mapped.head(path, 4) == zips.MAGIC and (
        zips.has(path, WEIGHTS) or zips.has(path, CONFIG))


def read(path):
    """Read a whole model.

    Parameters
    ----------
    path : str or path
        The .keras file.

    Returns
    -------
    Foreign
        As from `keras_hdf5.read`.

    Raises
    ------
    WeightsError
        Naming the file and what is wrong with it.
    """
    import h5py

    with mapped.opened(path, WHAT) as data:
        members = zips.members(data)
        missing = [name for name in (WEIGHTS, CONFIG) if name not in members]
        if missing:
            raise ValueError(f"there is no {missing[0]} in it")
        mapped.check_sum(2 * members[WEIGHTS].size, len(data))  # decompressed, and copied to bytes
        config = bytes(zips.contents(data, members[CONFIG])).decode()
        weights = bytes(zips.contents(data, members[WEIGHTS]))
        hdf5_text.check(weights)
        with h5py.File(io.BytesIO(weights), "r") as file:
            found = keras_hdf5.contents(file, weights, config, archive=len(data))
    return replace(found, format="Keras archive (.keras)")
