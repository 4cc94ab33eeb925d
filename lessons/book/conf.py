"""The book: the lessons as executed pages, the reference, and the pages of this folder.

    pip install -e ".[book]"
    sphinx-build -W --keep-going -c lessons/book lessons site

Nothing is fetched, neither while the book is built nor when it is read.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for `reference`
import minicnn

project = html_title = "minicnn"
version = release = minicnn.__version__
html_theme = "furo"
root_doc = "book/index"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "numpydoc", "reference"]
exclude_patterns = ["book/*.py"]
default_role = "py:obj"  # `names` in docstrings become links where they are known
html_show_sphinx = html_show_copyright = False
highlight_language = "text"  # of blocks that name none, such as commands and formulas
Path(__file__).with_name("figures").mkdir(exist_ok=True)
html_extra_path = ["figures"]  # the lessons' step figures, beside the lessons

nb_custom_formats = {".py": "reference.lesson"}
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_output_stderr = "remove"
autodoc_default_options = {"exclude-members": "Lock"}  # of `threading`, though it does not say so
autodoc_member_order = "bysource"
autosummary_generate = False
numpydoc_show_class_members = False
