"""The one way progress is shown."""


def bar(items=None, name="", shown=True, total=None, initial=0, unit="it"):
    """A progress bar on standard error, where that is a terminal and it is wanted.

    Parameters
    ----------
    items : iterable, optional
        Passed through; without it the bar is moved by hand, ``with bar(...) as b: b.update()``.
    name : str
        Written before the bar.
    shown : bool
    total : int, optional
        How many there are, where `items` cannot say.
    initial : int
        How many were done before.
    unit : str
        What is counted; "B" is shown as kB, MB and GB.

    Returns
    -------
    tqdm.tqdm
    """
    from tqdm import tqdm

    return tqdm(items, name, total=total, initial=initial, disable=None if shown else True,
                leave=False, unit=unit, unit_scale=unit == "B")
