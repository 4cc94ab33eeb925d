"""`load`: a network with its trained weights, by name or from a file.

A file in the project's own form says everything itself. A foreign file holds arrays only; then
the architecture here of the same name gives the layers and the preprocessing.
"""

import hashlib
from pathlib import Path

from minicnn import models
from minicnn.formats import hdf5, labels, plain_hdf5
from minicnn.layers import Dense, ReLU, walk

HERE = Path(__file__).parent.parent
SHIPPED = (HERE / "weights", HERE.parent / "weights")  # in an installed wheel; in a checkout


def load(weights, model=None, label_file=None):
    """A network with trained weights.

    Parameters
    ----------
    weights : str or path
        The name of a shipped network ("minivgg"), or the path of an .h5 file: the project's own
        form, or one group a layer as converters of Caffe models write it.
    model : str, optional
        For a foreign file, which architecture of `minicnn.models` it fits; where not given, the
        one whose name the file's `source` begins with.
    label_file : str or path, optional
        Class names, one a line. A foreign file otherwise takes them from a synset_words.txt that
        lies beside it, where there is one.

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
    with hdf5.open_file(path) as file:
        ours = hdf5.is_ours(file)
    network = hdf5.load(path) if ours else _load_foreign(path, model)
    if label_file is not None:
        names = labels.read(label_file)
        classes = network.shapes[network.logits][-1]
        if len(names) != classes:
            raise ValueError(f"{label_file}: expected {classes} class names, one for each output "
                             f"of {network.logits}, got {len(names)}")
        network.labels = names
    return network


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


def _load_foreign(path, model):
    arrays, source = plain_hdf5.read(path)
    network = _architecture(path, model, source)
    layers = [name for name in dict.fromkeys(key.rpartition("/")[0] for key in arrays)
              if name in network.names]
    if not layers:
        raise hdf5.WeightsError(f"{path}: none of its layers is one of network {network.name}")
    network = _cut_after(network, layers[-1], path)
    for name in [name for name in layers if isinstance(network[name], Dense)]:
        w = arrays[f"{name}/w"]
        arrays[f"{name}/w"] = w.reshape(-1, w.shape[-1])  # KH,KW,C,O -> KH*KW*C,O = H*W*C,O
    hdf5.put(network, arrays, path)
    network.labels = labels.beside(path, network.shapes[network.logits][-1])
    network.about = {"source": source, "source_sha256": _sha256(path)}
    return network


def _architecture(path, model, source):
    names = [name for name in models.__all__ if name != "load"]
    fitting = [name for name in names if source.startswith(name)] if model is None else [model]
    if not fitting or fitting[0] not in names:
        raise hdf5.WeightsError(f"{path}: which architecture these weights ({source}) fit is not "
                                f"known; name one as model: {', '.join(names)}")
    return getattr(models, max(fitting, key=len))()


def _cut_after(network, last, path):
    """`network` up to layer `last` and its ReLU: a file may hold the first layers only."""
    if [name for name, _ in walk(network.layers) if network.param_shapes.get(name)][-1] == last:
        return network
    tops = [name for name, _ in network.layers]
    if last not in tops:
        raise hdf5.WeightsError(f"{path}: its weights end at {last}, inside a block of network "
                                f"{network.name}, which can be cut between blocks only")
    after = network.layers[tops.index(last) + 1]
    return network.until(after[0] if isinstance(after[1], ReLU) else last)


def _sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
