"""Snapshots: the network as it was after chosen epochs, each a network file of its own.

    keep = snapshots.Keeper("snapshots", net, at=(0, 1, 2, 5, 10))
    for epoch in train.fit(net, data, 10, checkpoint="c.npz", after=keep):
        print(epoch)
    networks = snapshots.load("snapshots")  # {0: network, 1: network, 2: ...}

They are counted from 1, as people count epochs; 0 is the network before training. Training that
was interrupted and is taken up from its checkpoint keeps them as if it had never stopped: a
snapshot is written before the checkpoint of its epoch, and never for an epoch that was trained
before.
"""

import re
from collections.abc import Collection
from pathlib import Path

from minicnn.files import hdf5
from minicnn.network import Network
from minicnn.train import batch_norm

EPOCHS = (0, 1, 2, 5, 10, 20, 30, 40, 64)  # Zeiler & Fergus (2014), figure 4; and before training


class Keeper:
    """What `train.fit` calls after each epoch: it saves the network after chosen ones.

    Parameters
    ----------
    folder : str or path
        Made where it does not exist.
    network : Network
        The one that is trained; initialised, and not trained yet.
    at : collection of int
        The epochs; with 0, the network is saved at once.
    plain : Network, optional
        If `network` is ``batch_norm.add(plain)``: snapshots have the batch norms folded away.

    Raises
    ------
    OSError
        The folder cannot be made or written to.
    """

    def __init__(self, folder: str | Path, network: Network, at: Collection[int] = EPOCHS,
                 plain: Network | None = None):
        self.folder, self.network, self.at, self.plain = Path(folder), network, set(at), plain
        self.folder.mkdir(parents=True, exist_ok=True)
        if 0 in self.at:
            self._save(0)

    def __call__(self, epoch):
        """Save the network if this Epoch is among the chosen."""
        if epoch.index + 1 in self.at:
            self._save(epoch.index + 1)

    def _save(self, number):
        kept = self.network.to("cpu")
        if self.plain is not None:
            kept = batch_norm.fold(kept, self.plain)
        kept.about = {"epoch": number}
        hdf5.save(kept, path(self.folder, number))


def path(folder: str | Path, epoch: int) -> Path:
    """Where the snapshot after an epoch is."""
    return Path(folder) / f"epoch_{epoch:03}.h5"


def there(folder: str | Path) -> dict[int, Path]:
    """The snapshots of a folder, {epoch: file}, in order; {} if there are none."""
    files = Path(folder).glob("epoch_*.h5") if Path(folder).is_dir() else ()
    found = {int(match[1]): file for file in files
             if (match := re.fullmatch(r"epoch_(\d+)", file.stem))}
    return dict(sorted(found.items()))


def load(folder: str | Path, at: Collection[int] | None = None) -> dict[int, Network]:
    """The networks of a folder's snapshots, or of some, {epoch: network}, in order.

    Raises
    ------
    ValueError
        There are no snapshots, or not of all these epochs.
    WeightsError
        A file that cannot be used.
    """
    found = there(folder)
    if not found:
        raise ValueError(f"{folder}: no snapshots here; expected a folder with files such as "
                         f"{path('', 10)}, which minicnn train --snapshots {folder} writes")
    return {epoch: hdf5.load(file) for epoch, file in chosen(found, at).items()}


def chosen(found: dict, at: Collection[int] | None) -> dict:
    """Those of {epoch: ...} that are of the epochs `at`, in order; ValueError if one is missing."""
    if at is not None and not at:
        raise ValueError("snapshots: no epoch is named; name at least one, or leave out which")
    missing = sorted(set(at or ()) - set(found))
    if missing:
        raise ValueError(f"snapshots: there is none after epoch {missing[0]}; there are "
                         f"{', '.join(map(str, sorted(found)))}")
    return {epoch: found[epoch] for epoch in sorted(found if at is None else set(at))}
