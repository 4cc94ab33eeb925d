"""Showing results: sheets, captions, colour bars, figures, animations, the HTML pages, the step
figures (`stepfigures/`), and the tour: its page (`tour.py`), what it makes (`stops.py`) of what
(`chosen.py`), and what it measures (`claims.py`).

What belongs here: the layout of pictures, numbers and words that were computed elsewhere. The
public functions take arrays or a method's record, and return an array, a figure or a file.

What does not: choosing or computing what to show (a method's file in `minicnn/vis/`), reading and
writing single pictures (`minicnn/images/pictures.py`), the texts of commands (`minicnn/cli`).
"""

from minicnn.rooms import offered

__getattr__, __dir__ = offered(__name__)
