"""`WeightsError`, the one error for an unusable weight file, and the conversion to it."""

from contextlib import contextmanager

READING_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError, IndexError,
                  AttributeError, RecursionError)  # raised by h5py, or by malformed contents


class WeightsError(ValueError):
    """A weight file cannot be used; the message names the file and everything wrong with it."""


class Damaged(ValueError):
    """Bytes are missing or differ from what the file declares; `wrong` says which, and how."""

    def __init__(self, wrong):
        super().__init__(f"it is damaged or cut short: {wrong}; download or copy it again")


@contextmanager
def reading(path, what):
    """Turn any reading error inside the block into a WeightsError of one line with the file's name.

    Parameters
    ----------
    path : str or path
    what : str
        What the file is read as, for the message: "a PyTorch file".
    """
    try:
        yield
    except WeightsError:
        raise
    except (*READING_ERRORS, OverflowError) as error:
        why = str(error.args[-1]) if error.args else type(error).__name__
        raise WeightsError(f"{path}: cannot be read as {what}: {' '.join(why.split())}") from None
