"""The step figures of the lessons: which lesson has which, made of the lesson's own numbers.

    minicnn lesson 3 --figure          writes figure-way-back.html, and opens it
"""

from pathlib import Path

from minicnn import images
from minicnn.course import stage
from minicnn.course.lessons import LessonError, is_shipped
from minicnn.report import stepfigures
from minicnn.report.stepfigures.examples import (
    columns,
    gram,
    neighbours,
    pooling,
    rules,
    way_back,
    windows,
)
from minicnn.vis import strongest


def way_down():
    """Lesson 14: the strongest unit of a middle layer in the lesson's photo."""
    network = stage.network()
    layers = strongest.rectified(network)
    return stepfigures.step_deconvnet(network, stage.photo(), layers[len(layers) // 2])


FIGURES = {  # the lesson: its figures
    2: (windows, columns),
    3: (way_back,),
    4: (pooling,),
    5: (rules,),
    6: (neighbours,),
    14: (way_down,),
    17: (gram,),
}


def write(lesson, folder):
    """Write the figures of a lesson.

    Parameters
    ----------
    lesson : lessons.Lesson
    folder : path
        Created if it does not exist.

    Returns
    -------
    list of Path

    Raises
    ------
    LessonError
        The lesson has none.
    """
    made = FIGURES.get(lesson.number, ()) if is_shipped(lesson) else ()
    if not made:
        raise LessonError(f"lesson {lesson.number} {lesson.name} has no step figure; lessons "
                          f"{', '.join(map(str, FIGURES))} have")
    images.check_folder(folder)
    Path(folder).mkdir(parents=True, exist_ok=True)
    paths = []
    for make in made:
        paths.append(Path(folder) / name(make))
        make().save(paths[-1])
    return paths


def name(make):
    """The name of a figure's file."""
    return f"figure-{make.__name__.replace('_', '-')}.html"
