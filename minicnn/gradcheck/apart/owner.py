"""The parent's side of a process for somebody else's file: it is asked, and may die of it."""

from minicnn.gradcheck.apart import wire


class Died(ValueError):
    """The process that runs the file gave no complete answer.

    Attributes
    ----------
    reason : str
    printed : str
        What the file had printed, the last 64 kB.
    tries : str or None
        The op that was being tried while the file was opened.
    """

    def __init__(self, name, reason, printed="", tries=None):
        self.reason, self.printed, self.tries = reason, printed, tries
        last = printed.rstrip().rpartition("\n")[2][-200:]
        super().__init__(f"{name}: {reason}" + (f"; it last printed: {last}" if last else ""))


class Owner:
    """What has a process; `minicnn.gradcheck.apart.child.Child` and `walled.Walled` are one each.

    Attributes
    ----------
    name, file : str
        Of the file that runs in it: as it is told, and as its lines are found.
    process : Process or None
        That which runs now.
    deaths : list of str
        Why each process before this one has ended.
    """

    process = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """End the process, with all that it has started, and remove its folder."""
        if self.process is not None:
            self.process.end()
            self.process = None

    @property
    def printed(self):
        """What the file has printed since its process started, the last 64 kB."""
        return clean(self.process.printed(), None) if self.process else ""

    def _talk(self, do, talk, *given):
        """What the process says; Died if that is no answer."""
        try:
            return talk(*given)
        except (OSError, EOFError, wire.WireError) as error:
            raise self._died(self.process.reason(error, do, self.file)) from None
        except BaseException:  # Ctrl-C
            self.close()
            raise

    def _died(self, reason):
        """The error that says so, once the process is ended."""
        process = self.process
        self.close()
        self.deaths.append(reason)
        return Died(self.name, reason, clean(process.printed(), None), process.tries)


def clean(words, most=2000):
    """Words without anything that a terminal would obey."""
    if type(words) is not str:
        raise TypeError("not words")
    return "".join(c if c.isprintable() or c == "\n" else " " for c in words[:most])
