"""Every command of minicnn runs that README.md or a page of lessons/book has in a block.

The commands of a block run one after another in a folder of their own, so that a later one may use
what an earlier one has written. `stand_ins` puts there what a reader is supposed to have, photos,
weight files, layers and submissions, by the names that the pages use. What else differs from a
reader's run stands in the tables NOT_RUN and SHORTER.
"""

import importlib.util
import re
from itertools import takewhile
from pathlib import Path

import numpy as np
import pytest
import stand_ins
from blocks import SHELL, blocks, commands

from minicnn import images
from minicnn.cli import main
from minicnn.report import drawn

ROOT = Path(__file__).resolve().parents[2]
PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "lessons" / "book").glob("*.md")))
         if page.is_file()]
SCRIPTS = [block for page in PAGES for block in blocks(page, SHELL) if commands(block)]
COMMANDS = [command for block in SCRIPTS for command in commands(block)]

# Commands that do not run here, by how they begin; `test_commands` reads their arguments.
NOT_RUN = {
    "tour": "a minute: see report/test_tour.py and report/test_stops.py",
    "bench": "minutes: see tests/benchmarks",
    ".*--device gpu": "needs a GPU: see tests/gpu",
    "fetch": "needs a network: foreign/test_fetch.py has a server of its own",
    "convert": "needs an official file: see foreign/test_convert.py",
    "lesson .*--executed": "starts Jupyter: see course/test_notebook.py",
}
# What a command gets in addition, so that it does the same sooner, by how it begins.
SHORTER = {
    "maximize": "--steps 2",
    "filters": "--steps 1 --count 2",
    "zoom": "--frames 2 --steps 1",
    "strongest": "--channels 0..7",
    "invert": "--steps 3",
    "texture": "--steps 2",
    "style": "--steps 2",
    "style .*--size 384": "--size 96",
    "style .*--size 1024 --tile 512": "--size 192 --tile 96",
    "train": "--epochs 2 --batch 4",
    "course new autumn$": "--assignments gram",
    "course grade": "--allow-unwalled",  # on a system that has no walls
}
RESULT = re.compile(r"^(\S+\.(?:png|gif|html|csv|json|h5|ipynb))(?::|$)", re.MULTILINE)


def matching(table, command):
    """The values of a table whose keys are how a command begins."""
    return [value for begins, value in table.items()
            if re.match(rf"{begins}(?![\w-])", str(command))]


def test_the_tables_have_nothing_that_no_page_has():
    idle = [begins for table in (NOT_RUN, SHORTER) for begins in table
            if not any(matching({begins: True}, command) for command in COMMANDS)]
    assert idle == [] or not PAGES, "remove these lines from NOT_RUN or SHORTER"


def targets():
    """The classes that commands name: a stand-in network must have them."""
    for command in COMMANDS:
        if "--target" in command.words:
            after = command.words[command.words.index("--target") + 1:]
            yield from takewhile(lambda word: not word.startswith("-"), after)


def run(command, read):
    """Run a command, with stand-ins for the files that it takes."""
    words = [*command.words, *" ".join(matching(SHORTER, command)).split()]
    stand_ins.prepare(words, sorted({*targets()}))
    where = f"line {command.line}: minicnn {command}"
    status = main(words)
    out, err = read()
    assert status == 0, f"{where}: {out[-500:]}{err}"
    assert out, f"{where} prints nothing"
    missing = [name for name in RESULT.findall(out) if not Path(name).is_file()]
    assert missing == [], f"{where} names files that it did not write"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in; the cache is another."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "here"


def missing(command):
    """Whether a command needs scikit-learn, which has the digits and is not installed."""
    return "digits" in command.words and importlib.util.find_spec("sklearn") is None


@pytest.mark.thorough
@pytest.mark.parametrize("block", SCRIPTS, ids=lambda block: f"{block.page}:{block.line}")
def test_the_commands_of_a_block_run(block, folder, capsys):
    chosen = [command for command in commands(block) if not matching(NOT_RUN, command)]
    for command in chosen:
        if not missing(command):
            run(command, capsys.readouterr)
    if any(map(missing, chosen)):
        pytest.skip("scikit-learn is not installed: pip install scikit-learn; all others ran")


ASSIGNED = """\
import numpy as np

def max_pool_forward(x, pool_param):
    h, w, s = (pool_param[key] for key in ("pool_height", "pool_width", "stride"))
    N, C, H, W = x.shape
    out = np.zeros((N, C, (H - h) // s + 1, (W - w) // s + 1), x.dtype)
    for i, j in np.ndindex(out.shape[2:]):
        out[:, :, i, j] = x[:, :, i*s:i*s+h, j*s:j*s+w].max(axis=(2, 3))
    return out, (x, h, w, s)

def max_pool_backward(dout, cache):
    x, h, w, s = cache
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        window = x[n, c, i*s:i*s+h, j*s:j*s+w]
        a, b = np.unravel_index(window.argmax(), window.shape)
        dx[n, c, i*s + a, j*s + b] = dout[n, c, i, j]
    return dx
"""


def test_what_the_readme_lets_check_say(folder, capsys):
    """Its lines stand in the answer in this order; some that stand between them are left out."""
    if not PAGES or PAGES[0].name != "README.md":
        pytest.skip("there is no README.md")
    (shown,) = blocks(PAGES[0], ("text",))
    Path("layers.py").write_text(ASSIGNED, encoding="utf-8")
    assert main(["check", "layers.py", "--quick"]) == 1
    answer = iter(capsys.readouterr().out.splitlines())
    assert [line for line in shown.code.splitlines() if line and line not in answer] == []


@pytest.mark.slow
def test_the_commands_run_on_real_networks(shared_data, folder, capsys):
    """Those that name a weight file, where the real one is at hand."""
    real = {path.name.replace("vgg16_conv", "vgg16"): path
            for path in (shared_data / "weights").glob("*.h5")}
    Path("synset_words.txt").symlink_to(shared_data / "weights" / "synset_words.txt")
    for command in COMMANDS:
        files = real.keys() & {*command.words}
        for name in files:
            if not Path(name).exists():
                Path(name).symlink_to(real[name])
        if files and not matching(NOT_RUN, command):
            run(command, capsys.readouterr)


SHOWN = {"maximize": ("maximize.png", "pelican.png"), "filters": ("filters.png", "filters.jpg"),
         "gradcam": ("gradcam/evidence.png", "gradcam.png"), "invert": ("invert.png", "invert.png"),
         "style": ("style.png", "style.jpg")}  # what a command writes, and what README shows of it


@pytest.mark.slow
def test_the_pictures_of_the_readme_are_those_of_its_commands(shared_data, folder):
    """All but the zoom. Other processors round differently, and an ascent makes more of it."""
    Path("tour").mkdir()
    images.save("tour/photo.png", drawn.ladybird())
    Path("synset_words.txt").symlink_to(shared_data / "weights" / "synset_words.txt")
    for name, file in (("googlenet_bvlc", "googlenet_bvlc"), ("vgg16", "vgg16_conv")):
        Path(f"{name}.h5").symlink_to(shared_data / "weights" / f"{file}.h5")
    for command in commands(blocks(ROOT / "README.md", SHELL)[0]):
        if command.words[0] in SHOWN:
            assert main([{"googlenet": "googlenet_bvlc.h5", "vgg16": "vgg16.h5"}.get(word, word)
                         for word in command.words]) == 0
            made, shown = SHOWN[command.words[0]]
            pair = [images.load(path).astype(float).ravel()
                    for path in (made, ROOT / "lessons" / "pictures" / shown)]
            assert np.corrcoef(*pair)[0, 1] > 0.9, command
