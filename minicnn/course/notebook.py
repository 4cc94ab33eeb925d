"""A lesson as a notebook: `minicnn lesson 4 --notebook pooling.ipynb`.

jupytext reads the cells, nbclient runs them. Pictures stand below their cells; a question's code,
which holds the answer, is folded, and the question is printed with the answer folded away.
"""

import ast
import os
import subprocess
import sys

from minicnn import images
from minicnn.course.lessons import LessonError
from minicnn.course.stage import CHOSEN

MISSING = "--notebook needs three packages more: pip install jupytext nbclient ipykernel"
SECONDS = 600  # that one cell may take


def write(lesson, path, executed=False):
    """Write a lesson as a notebook.

    Parameters
    ----------
    lesson : Lesson
    path : path
        Ends in .ipynb.
    executed : bool
        Run it first, in a process of its own; the notebook then holds results and pictures.

    Raises
    ------
    ValueError
        jupytext, nbclient or ipykernel is not installed, or the path cannot be written.
    LessonError
        A cell fails.
    """
    images.check_destination(path, {".ipynb": "notebook"})
    try:
        import ipykernel  # noqa: F401 - what runs the cells
        import jupytext
        import nbclient
        import nbformat
    except ImportError as error:
        raise ValueError(MISSING) from error
    notebook = made(lesson.path.read_text(encoding="utf-8"), jupytext, nbformat)
    if executed:
        _execute(lesson, notebook, nbclient)
    images.write(path, nbformat.writes(notebook) + "\n")


def made(text, jupytext, nbformat):
    """The notebook of a lesson's text, not yet executed."""
    notebook = jupytext.reads(text, fmt="py:percent")
    notebook.metadata = nbformat.from_dict({
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"}})
    if any(CHOSEN[name] != usual for name, usual in (("weights", "minivgg"), ("photo", None))):
        what = {name: None if value is None else str(value) for name, value in CHOSEN.items()}
        notebook.cells.insert(1, nbformat.v4.new_code_cell(
            f"from minicnn.course import stage\n\nstage.CHOSEN.update({what})"))
    for number, cell in enumerate(notebook.cells):
        cell.id, cell.metadata = f"cell-{number}", nbformat.from_dict({})  # the same each time
        if cell.cell_type == "code":
            _prepare(cell)
    return notebook


def _prepare(cell):
    """Fold the code of a question; a figure is shown once, not again as the cell's value."""
    code = ast.parse(cell.source)
    if any(getattr(node, "id", "") == "ask" for node in ast.walk(code)):
        cell.metadata.update(jupyter={"source_hidden": True}, tags=["hide-input"])
    last = code.body[-1].value if code.body and isinstance(code.body[-1], ast.Expr) else None
    if last and ast.unparse(last).partition("(")[0] not in ("ask", "print", "source"):
        cell.source += ";"


def _execute(lesson, notebook, nbclient):
    client = nbclient.NotebookClient(notebook, timeout=SECONDS, kernel_name="python3",
                                     record_timing=False)
    client.create_kernel_manager()
    client.km.kernel_spec.argv[0] = sys.executable  # the Python that has this minicnn
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    try:
        client.execute(env=environment, stderr=subprocess.DEVNULL)
    except (AssertionError, nbclient.exceptions.DeadKernelError) as error:
        if hasattr(client, "_async_cleanup_kernel_future"):  # nbclient's own answer to Ctrl-C
            raise KeyboardInterrupt from error
        raise LessonError(f"{lesson.path.name}, as a notebook: the kernel ended") from error
    except nbclient.exceptions.CellExecutionError as error:
        raise LessonError(f"lesson {lesson.number}, {lesson.path.name}, as a notebook: "
                          f"{error.ename}: {error.evalue}") from error
