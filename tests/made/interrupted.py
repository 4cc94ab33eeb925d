"""Ctrl-C in the middle of an ascent."""

from minicnn.ascent.optimizers import SGD


def at_step(monkeypatch, count, optimizer=SGD):
    """From now on the step number `count` of an optimiser is interrupted, once."""
    calls, step = [], optimizer.step

    def interrupted(self, *arguments):
        calls.append(1)
        if len(calls) == count:
            raise KeyboardInterrupt
        return step(self, *arguments)

    monkeypatch.setattr(optimizer, "step", interrupted)
