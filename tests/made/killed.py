"""Work that is killed in the middle, and goes on from what was kept."""

import pytest


class Killed(BaseException):
    """No error that a method could handle: the process is gone."""


def goes_on(run, folder, monkeypatch):
    """Kill `run(steps=4, folder=..., watch=...)` after its third step; kept every two steps, it
    goes on from the second, and at its end nothing is kept."""
    monkeypatch.setattr("minicnn.vis.coarse_to_fine.EVERY", 2)

    def watch(step):
        if step.index == 3:
            raise Killed
    with pytest.raises(Killed):
        run(steps=4, folder=folder, watch=watch)
    indices = []
    run(steps=4, folder=folder, watch=lambda step: indices.append(step.index))
    assert indices == [2, 3, 4] and not list(folder.iterdir())
