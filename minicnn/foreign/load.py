"""`load`: a network with its trained weights, by name or from a file.

A file in the project's own form says everything itself; another program's is converted, see
`minicnn.foreign.convert`.
"""

from pathlib import Path

from minicnn.files import cache, hdf5, manifest, probe
from minicnn.files.errors import WeightsError
from minicnn.foreign.convert import convert, is_ours, name_classes

HERE = Path(__file__).parent.parent
SHIPPED = (HERE / "weights", HERE.parent / "weights")  # in an installed wheel; in a checkout


def load(weights, model=None, label_file=None, check=False):
    """A network with trained weights.

    Parameters
    ----------
    weights : str or path
        The name of a shipped network ("minivgg") or of one that `minicnn fetch` brought ("vgg16"),
        or the path of a file: the project's own form, or another program's, of those `convert`
        knows.
    model, label_file : optional
        As for `convert`; class names also for a file in the project's own form.
    check : bool
        Let the network verify itself by the probe in its file (`probe.verify`). Another program's
        file, which has none, is verified by PyTorch, or else by the plain operations in float64.

    Returns
    -------
    Network

    Raises
    ------
    WeightsError
        In one line: no such name or file, a damaged file, arrays that do not fit; with `check` the
        first layer that computes something else than it should, or that the file has no probe.

    Examples
    --------
    >>> load("minivgg").logits
    'fc6'
    """
    path = find(weights)
    if is_ours(path):
        network = hdf5.load(path)
        if check:
            probe.check(network, path)
        if label_file is not None:
            name_classes(network, label_file)
        return network
    return convert(path, model, label_file, probe="auto" if check else "none")[0]


def shipped():
    """Names of the networks that come with the library."""
    return sorted({file.stem for folder in SHIPPED for file in folder.glob("*.h5")})


def find(weights):
    """The file that `load` reads for a name or a path; WeightsError where there is none."""
    for folder in SHIPPED:
        if str(weights) in shipped() and (folder / f"{weights}.h5").is_file():
            return folder / f"{weights}.h5"
    name = manifest.preferred().get(str(weights), str(weights))
    known = manifest.known().get(name)
    if known is not None and cache.place(name).is_file():
        return cache.place(name)
    if Path(weights).exists():
        return Path(weights)
    if known is not None:
        raise WeightsError(f"{weights}: it is not here yet; `minicnn fetch {weights}` brings "
                                f"and converts {known.file}")
    raise WeightsError(f"{weights}: neither a shipped network ({', '.join(shipped())}) nor "
                            "a file; give a name or the path of an .h5 file")
