"""Reader of a plain HDF5 form that converters of Caffe models write.

Each layer has a group with the data sets `weight` (out, in/groups, kh, kw) and `bias`. The root's
attributes are `layers` (JSON: the layers' names in order), `layout` ("OIHW"), `input` (a sentence
on the preprocessing) and `source`. The first convolution reads Caffe's channel order, B, G, R.
"""

from pathlib import Path

from minicnn.files import hdf5_arrays
from minicnn.files.errors import reading
from minicnn.files.hdf5 import open_file
from minicnn.foreign.contents import Foreign
from minicnn.foreign.json_text import parsed
from minicnn.foreign.settings import require, usable

KIND = "HDF5 of a Caffe model"


def recognises(file):
    """Whether an open HDF5 file has this form."""
    return {"layers", "layout", "source"} <= set(file.attrs) and "format" not in file.attrs


def read(path):
    """Read the arrays of a file.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Foreign
        Layout "OIHW"; "conv1_1/weight" (out, in/groups, kh, kw), for a dense layer the equivalent
        convolution; "conv1_1/bias" (out,). In the order of the file's layers.
    """
    with open_file(path) as file, reading(path, KIND):
        usable(recognises(file), "{}: is HDF5, but neither minicnn's own form nor that of a Caffe "
               "converter (no attributes layers, layout and source)", path)
        layout = str(file.attrs["layout"])
        usable(layout == "OIHW", "{}: expected layout OIHW, got {!r}", path, layout)
        names = parsed(file.attrs["layers"], "layers")
        require(isinstance(names, list), "expected a list of names, got {!r}", names)
        arrays = hdf5_arrays.read(file, {
            place: place for name in names for place in (f"{name}/weight", f"{name}/bias")},
            Path(path).stat().st_size)
        for name in names:
            shape = arrays[f"{name}/weight"].shape
            require(len(shape) == 4, "{}: expected a weight (out, in/groups, kh, kw), also for a "
                    "dense layer, got {}; in two dimensions the order of its inputs would be a "
                    "guess", name, shape)
        return Foreign(KIND, arrays, layout, says={"source": str(file.attrs["source"])})
