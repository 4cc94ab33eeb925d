"""The progress bar that the whole library uses."""

from minicnn.terminal import escaped, is_quiet


def bar(items=None, name="", shown=True, total=None, initial=0, unit="it"):
    """A progress bar on standard error, if that is a terminal and the command is not to be quiet.

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

    disable = None if shown and not is_quiet() else True  # None: if it is no terminal
    return tqdm(items, escaped(name), total=total, initial=initial, disable=disable, leave=False,
                unit=unit, unit_scale=unit == "B")
