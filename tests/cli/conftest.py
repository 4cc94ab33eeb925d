"""Fixtures of the command line's tests."""

import pytest

from minicnn.cli import main


@pytest.fixture
def said(capsys):
    """Run a command that shall succeed; what it printed."""
    def run(*arguments):
        assert main([str(a) for a in arguments]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out
    return run


@pytest.fixture
def complaint(capsys):
    """Run a command that cannot be done; its one line."""
    def run(*arguments):
        assert main([str(a) for a in arguments]) == 1
        out, err = capsys.readouterr()
        assert out == "" and err.startswith("minicnn: ") and err.count("\n") == 1
        return err
    return run
