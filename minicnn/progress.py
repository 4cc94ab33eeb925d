"""The progress bar that the whole library uses."""

from minicnn.terminal import escaped


def bar(items=None, name="", shown=True, total=None, initial=0, unit="it"):
    """A progress bar on standard error, if that is a terminal.

    Parameters
    ----------
    items : iterable, optional
        What to iterate over; without it, move the bar by hand: ``with bar(...) as b: b.update()``.
    name : str
        Label in front of the bar.
    shown : bool
        False hides the bar.
    total : int, optional
        Number of items, if `items` has no length.
    initial : int
        Number of items already done.
    unit : str
        Unit of the count; "B" is shown as kB, MB and GB.

    Returns
    -------
    tqdm.tqdm
    """
    from tqdm import tqdm

    return tqdm(items, escaped(name), total=total, initial=initial, disable=None if shown else True,
                leave=False, unit=unit, unit_scale=unit == "B")
