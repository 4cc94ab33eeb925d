"""`load`: a network with its trained weights, by name or from a file.

A file in the project's own form says everything itself; another program's is converted, see
`minicnn.models.convert`.
"""

from pathlib import Path

from minicnn.formats import hdf5, mapped
from minicnn.models.convert import HDF5_MAGIC, convert, name_classes

HERE = Path(__file__).parent.parent
SHIPPED = (HERE / "weights", HERE.parent / "weights")  # in an installed wheel; in a checkout


def load(weights, model=None, label_file=None):
    """A network with trained weights.

    Parameters
    ----------
    weights : str or path
        The name of a shipped network ("minivgg"), or the path of a file: the project's own form,
        or another program's, of those `convert` knows.
    model, label_file : optional
        As for `convert`; class names also for a file in the project's own form.

    Returns
    -------
    Network

    Raises
    ------
    WeightsError
        In one line: no such name or file, a damaged file, arrays that do not fit.

    Examples
    --------
    >>> load("minivgg").logits
    'fc6'
    """
    path = _find(weights)
    if _is_ours(path):
        network = hdf5.load(path)
        if label_file is not None:
            name_classes(network, label_file)
        return network
    return convert(path, model, label_file)[0]


def shipped():
    """Names of the networks that come with the library."""
    return sorted({file.stem for folder in SHIPPED for file in folder.glob("*.h5")})


def _find(weights):
    for folder in SHIPPED:
        if str(weights) in shipped() and (folder / f"{weights}.h5").is_file():
            return folder / f"{weights}.h5"
    if Path(weights).exists():
        return Path(weights)
    raise hdf5.WeightsError(f"{weights}: neither a shipped network ({', '.join(shipped())}) nor "
                            "a file; give a name or the path of an .h5 file")


def _is_ours(path):
    if not path.is_file() or mapped.head(path, 8) != HDF5_MAGIC:
        return False
    with hdf5.open_file(path) as file:
        return hdf5.is_ours(file)
