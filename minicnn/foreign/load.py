"""`load`: a network with its trained weights, by name or from a file.

A file in minicnn's own form describes the network completely. Another program's file is converted;
see `minicnn.foreign.convert`.
"""

from difflib import get_close_matches
from pathlib import Path

from minicnn.files import cache, hdf5, manifest, probe
from minicnn.files.errors import WeightsError
from minicnn.files.hdf5 import is_our_file
from minicnn.foreign.labels import name_classes
from minicnn.network import Network

HERE = Path(__file__).parent.parent
SHIPPED = (HERE / "weights", HERE.parent / "weights")  # in an installed wheel; in a checkout


def load(weights: str | Path, model: str | None = None, label_file: str | Path | None = None,
         check: bool = False) -> Network:
    """Load a network with trained weights.

    Parameters
    ----------
    weights : str or path
        The name of a shipped network ("minivgg") or of one that `minicnn fetch` downloaded
        ("vgg16"); or the path of a file in minicnn's own form or in any form `convert` reads.
    model, label_file : optional
        As for `convert`. `label_file` also works with a file in minicnn's own form.
    check : bool
        Verify the network against the probe stored in its file (`probe.verify`). Another program's
        file has no probe; it is verified against PyTorch or, without PyTorch, against the plain
        operations in float64.

    Returns
    -------
    Network

    Raises
    ------
    WeightsError
        In one line: there is no such name or file, the file is damaged, or its arrays do not fit.
        With `check` also: the first layer with a wrong output, or that the file has no probe.

    Examples
    --------
    >>> load("minivgg").logits
    'fc6'
    """
    path = find(weights)
    if is_our_file(path):
        network = hdf5.load(path)
        if check:
            probe.check(network, path)
        if label_file is not None:
            name_classes(network, label_file)
        return network
    from minicnn.foreign.convert import convert  # whose readers take longer to import than to run

    return convert(path, model, label_file, probe="auto" if check else "none")[0]


def shipped() -> list[str]:
    """The names of the networks that come with minicnn, sorted."""
    return sorted({file.stem for folder in SHIPPED for file in folder.glob("*.h5")})


def find(weights: str | Path) -> Path:
    """The file that `load` reads for a name or a path; WeightsError if there is none."""
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
        raise WeightsError(f"{weights}: not downloaded yet; run `minicnn fetch {weights}` to "
                           f"download and convert {known.file}")
    raise WeightsError(f"{weights}: neither a shipped network ({', '.join(shipped())}) nor a file; "
                       + _remedy(Path(weights).stem))


def _remedy(word):
    """What to do for a network whose name is nearly `word`, and which is not there."""
    near = get_close_matches(word, [*shipped(), *manifest.preferred(), *manifest.known()], 1, 0.6)
    if not near:
        return ("give one of these names or the path of a weight file; `minicnn fetch --list` "
                "shows networks to download")
    (name,) = near
    if name in shipped() or cache.place(manifest.find(name).name).is_file():
        return f"did you mean {name}?"
    return f"`minicnn fetch {name}` downloads one; then it is --weights {name}"
