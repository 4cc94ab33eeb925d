"""Reader of a plain HDF5 layout that converters of Caffe models write.

One group a layer with data sets `weight` (out, in/groups, kh, kw) and `bias`; root attributes
`layers` (JSON: the layers' names in order), `layout` ("OIHW"), `input` (a sentence on the
preprocessing) and `source`. Channels are in Caffe's order: the first convolution takes B, G, R.
"""

from pathlib import Path

from minicnn.files import hdf5_arrays
from minicnn.files.errors import WeightsError, reading
from minicnn.files.hdf5 import open_file
from minicnn.foreign.contents import Foreign
from minicnn.foreign.json_text import parsed


def recognises(file):
    """Whether an open HDF5 file has this layout."""
    return {"layers", "layout", "source"} <= set(file.attrs) and "format" not in file.attrs


def read(path):
    """Read the arrays of a file.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Foreign
        Layout "OIHW"; "conv1_1/weight" (out, in/groups, kh, kw), a dense layer as the convolution
        it is equal to; "conv1_1/bias" (out,). In the order of the file's layers.
    """
    with open_file(path) as file:
        if not recognises(file):
            raise WeightsError(f"{path}: is HDF5, but neither minicnn's own form nor one this "
                               "reader knows (no attributes layers, layout and source)")
        layout, source = str(file.attrs["layout"]), str(file.attrs["source"])
        if layout != "OIHW":
            raise WeightsError(f"{path}: expected layout OIHW, got {layout!r}")
        with reading(path, "HDF5 of a Caffe model"):
            arrays = _arrays(file, Path(path).stat().st_size)
    return Foreign("HDF5 of a Caffe model", arrays, layout, says={"source": source})


def _arrays(file, size):
    names = parsed(file.attrs["layers"], "layers")
    if not isinstance(names, list):
        raise ValueError(f"expected a list of names, got {names!r}")
    places = [f"{name}/{part}" for name in names for part in ("weight", "bias")]
    arrays = hdf5_arrays.read(file, {place: place for place in places}, size)
    for name in names:
        if arrays[f"{name}/weight"].ndim != 4:
            raise ValueError(f"{name}: expected a weight (out, in/groups, kh, kw), also for a "
                             f"dense layer, got {arrays[f'{name}/weight'].shape}; in two "
                             "dimensions the order of its inputs would be a guess")
    return arrays
