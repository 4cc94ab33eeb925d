"""pytest's fixture `check_layer`: a layer written by hand is right, or the test fails in words.

    def test_conv(check_layer):
        check_layer("layers.py", op="conv", without=("groups", "dilation"))

    def test_my_pool(check_layer):
        check_layer(MyPool)                     # a class, a module, or a pair of functions:
        check_layer((swish, swish_back), op="swish", inputs={"x": (4, 5)})

A path is run in a process of its own, everything else in the process of the tests. Installing
minicnn makes the fixture available; ``pytest --check-layer-quick`` tries a quarter of the settings.
pytest reads this file at every start, so it imports nothing until the fixture is used.
"""

import pytest


def pytest_addoption(parser):
    """The options of pytest that the fixture takes its defaults from."""
    group = parser.getgroup("minicnn", "layers written by hand (minicnn's fixture check_layer)")
    group.addoption("--check-layer-quick", action="store_true",
                    help="try a quarter of the settings, and no large arrays")
    group.addoption("--check-layer-seconds", type=float, default=60.0, metavar="N",
                    help="time for each op; then the other settings are skipped (default: "
                         "%(default)g)")


@pytest.fixture
def check_layer(request):
    """Judge layers written by hand; the test fails if one is not right.

    ``check_layer(what, op=None, *, without=(), form=None, layout=None, inputs=None, quick=None,
    seconds=None)``: `what` is the path of a file ("layers.py", or "layers.py:Conv", relative to
    the folder of the test), a module, a class, or a pair (forward, backward). `op` is the op to
    judge, by default all that are found; for a pair, or a class whose name does not say it, what
    op it is.
    `without` are features that are not claimed, as for `minicnn check --without`. `inputs`, such as
    {"x": (4, 5)}, are those of an op that minicnn does not know. It returns the list of
    `minicnn.gradcheck.judge.files.Judged`.
    """
    config = request.config

    def check(what, op=None, *, without=(), form=None, layout=None, inputs=None, quick=None,
              seconds=None):
        from minicnn.gradcheck.judge import features, files, words

        __tracebackhide__ = True
        how = {"quick": config.getoption("check_layer_quick") if quick is None else quick,
               "seconds": config.getoption("check_layer_seconds") if seconds is None else seconds}
        without = features.left_out(without if isinstance(without, str) else ",".join(without))
        what = files.beside(request.path.parent, what)
        with files.opened(what, op, inputs=inputs, layout=layout, form=form, **how) as layers:
            found = files.chosen(layers.found, () if op is None else (op,))
            if not found:
                pytest.fail(files.no_op(what), pytrace=False)
            done = [files.judged(layers, one, without=without, **how) for one in found]
        if not all(one.ok for one in done):
            conclusion = " ".join(words.conclusion(done, len(found)).split())  # pytest's summary
            pytest.fail(f"{conclusion}\n{words.report(done, len(found))}", pytrace=False)
        return done

    return check
