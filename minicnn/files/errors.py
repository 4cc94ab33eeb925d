"""The one error of a weight file that cannot be used, and how the others become it."""

from contextlib import contextmanager

READING_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError, IndexError,
                  AttributeError, RecursionError)  # what h5py, and what a file says, may cause


class WeightsError(ValueError):
    """A weight file that cannot be used; the message names it and everything wrong with it."""


class Damaged(ValueError):
    """Bytes that are not where, or not those, that the file says; made from what is wrong."""

    def __init__(self, wrong):
        super().__init__(f"it is damaged or cut short: {wrong}; download or copy it again")


@contextmanager
def reading(path, what):
    """Whatever goes wrong inside becomes one WeightsError of one line, which names the file.

    Parameters
    ----------
    path : str or path
    what : str
        "a PyTorch file", as which the file cannot be read.
    """
    try:
        yield
    except WeightsError:
        raise
    except (*READING_ERRORS, OverflowError) as error:
        why = str(error.args[-1]) if error.args else type(error).__name__
        raise WeightsError(f"{path}: cannot be read as {what}: {' '.join(why.split())}") from None
