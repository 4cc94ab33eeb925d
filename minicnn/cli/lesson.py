"""``minicnn lesson``: see `minicnn.course.session`; for --notebook, `minicnn.course.notebook`."""

import contextlib
import functools
import os
import sys
from pathlib import Path

from minicnn import images
from minicnn.cli import viewer
from minicnn.cli.naming import Default, free
from minicnn.course import bookmark, lessons, stage
from minicnn.network.summary import lined_up
from minicnn.terminal import note, tell


def add(parser):
    """The options of the command."""
    parser.add_argument("lesson", nargs="?", metavar="LESSON",
                        help="its number or name, or a file of your own, NN_name.py (default: list "
                             "the lessons)")
    parser.add_argument("--restart", action="store_true",
                        help="begin anew (default: go on where you stopped)")
    parser.add_argument("--weights", metavar="NAME_OR_PATH",
                        help="the network that the lesson looks into (default: minivgg)")
    parser.add_argument("--photo", metavar="FILE",
                        help="the photo that it looks at (default: a portrait that comes with "
                             "matplotlib)")
    parser.add_argument("--out", metavar="FOLDER",
                        help="where its pictures go (default: minicnn-lessons/NN-name)")
    parser.add_argument("--show", action="store_true", dest="opens",
                        help="also open each picture with the system's viewer")
    parser.add_argument("--figure", action="store_true",
                        help="write the lesson's step figure instead, a page on which every number "
                             "can be touched, and open it where there is a desktop")
    parser.add_argument("--notebook", metavar="PATH.ipynb",
                        help="write the lesson as a notebook instead; needs jupytext, nbclient and "
                             "ipykernel")
    parser.add_argument("--executed", action="store_true",
                        help="run the notebook, so that it holds results and pictures")


def run(options):
    """Go through a lesson, or list all."""
    if options.executed and options.notebook is None:
        options.wrong_usage("--executed without --notebook PATH.ipynb")
    if options.lesson is None:
        for name in ("figure", "notebook", "weights", "photo", "out", "restart"):
            if getattr(options, name):
                options.wrong_usage(f"--{name} without a LESSON")
        tell(*listing().split("\n"))
        return
    if options.figure and options.notebook is not None:
        options.wrong_usage("--figure and --notebook; choose one")
    lesson = lessons.lesson(options.lesson)
    photo = None if options.photo is None else Path(options.photo).resolve()
    with stage.chosen(weights=options.weights, photo=photo):
        if options.weights is not None:
            stage.network()  # an error in an option is no error of the lesson
        if photo is not None:
            stage.photo()
        if options.figure:
            from minicnn.course import figures

            paths = figures.write(lesson, folder_of(lesson, options))
            tell(*(f"{path}: step figure of lesson {lesson.title}" for path in paths))
            program, _ = viewer.viewer(os.environ, sys.platform)
            if program and sys.stdout.isatty():
                viewer.open_with(program, paths[0])
        elif options.notebook is not None:
            from minicnn.course import notebook

            if Path(options.notebook).exists():
                raise ValueError(f"{options.notebook}: there is one already, which may hold your "
                                 f"answers; write {free(Default(options.notebook))}, for example")
            notebook.write(lesson, options.notebook, options.executed)
            tell(f"{options.notebook}: {lesson.title}")
        else:
            go(lesson, options)


def go(lesson, options):
    """A cell at a time; all at once if there is no terminal."""
    import matplotlib

    matplotlib.use("Agg")  # pictures are saved; no window opens
    from minicnn.course.session import Session, straight
    from minicnn.course.terminal import Screen

    folder = folder_of(lesson, options)
    images.check_folder(folder)
    screen = Screen.of(sys.stdout)
    if options.opens:
        program, why_not = viewer.viewer(os.environ, sys.platform)
        if program is None:
            note(f"minicnn: pictures are saved, not opened: {why_not}")
        else:
            screen.opened = functools.partial(viewer.open_with, program)
    if sys.stdin.isatty() and sys.stdout.isatty():
        with contextlib.suppress(ImportError):  # not on every system
            import readline  # noqa: F401 - what is typed can be edited
        Session(lesson, screen, folder, input, options.restart).go()
    else:
        straight(lesson, screen, folder)


def folder_of(lesson, options):
    """Where a lesson's pictures and figures go."""
    return Path(options.out or f"minicnn-lessons/{lesson.path.stem.replace('_', '-')}")


def listing():
    """Every lesson with its minutes, whether it has a step figure, and how far one is."""
    from minicnn.course.figures import FIGURES

    rows = [(f"{one.number:2}", one.name, f"{one.minutes:3} min",
             one.title.partition(" · ")[2] or one.title,
             "figure" if one.number in FIGURES and lessons.is_shipped(one) else "",
             progress(bookmark.of(one))) for one in lessons.lessons()]
    return "\n".join([*lined_up(rows), "", "`minicnn lesson 2` goes through one, cell by cell.",
                      "`minicnn lesson 3 --figure` writes its figure, a page to step through."])


def progress(mark):
    """How far one is in a lesson, in words."""
    if 0 < mark.cell < mark.cells:
        return f"at cell {mark.cell + 1} of {mark.cells}" + ", done before" * mark.done
    if not mark.done:
        return ""
    return f"done, {mark.at_once} of {len(mark.answers)} predicted" if mark.answers else "done"
