"""Notebooks of all sorts as a source."""

import json

import a_class
import pytest

from minicnn.course.grader import notebooks

FORWARD = "def conv_forward(x):\n    return x"
BACKWARD = "def conv_backward(dy):\n    return dy"


def run(made):
    space = {}
    exec(made, space)
    return space


def test_cells_in_order_without_what_is_shown():
    made, notes = notebooks.source(a_class.notebook(
        "%matplotlib inline\nimport numpy as np\nimport matplotlib.nowhere as plt",
        ["def conv_forward(x):\n", "    return x * SCALE"], "SCALE = 2",
        "plt.imshow(conv_forward(3))\nassert False", FORWARD.replace("return x", "return 5")))
    assert run(made)["conv_forward"](3) == 5
    assert notes == ["cell 1: left out %matplotlib inline"] and "imshow" not in made


def test_a_cell_that_is_no_python_costs_no_other_one():
    made, notes = notebooks.source(a_class.notebook(FORWARD, "def broken(:", "return 3", BACKWARD,
                                                    "x = '\ud800\0'"))
    assert {"conv_forward", "conv_backward"} <= set(run(made))
    assert [note[:41] for note in notes] == ["cell 2 is not Python and is left out: lin",
                                             "cell 3 is not Python and is left out: lin"]


def test_format_3_and_texts_between():
    book = {"nbformat": 3, "worksheets": [{"cells": [
        {"cell_type": "markdown", "source": "def no(): pass"},
        {"cell_type": "code", "input": [FORWARD]}, {"cell_type": "code", "input": BACKWARD}]}]}
    made, notes = notebooks.source(json.dumps(book))
    assert {"conv_forward", "conv_backward"} <= set(run(made)) and notes == []


def test_a_broken_file_gives_the_cells_that_are_whole():
    text = a_class.notebook(FORWARD, BACKWARD, "x = 1")
    for broken in (text[:-60], text.replace(', "metadata"', "\n<<<<<<< HEAD\n", 1),
                   "<<<<<<< HEAD\n" + text):
        made, notes = notebooks.source(broken)
        assert "conv_backward" in run(made) and notes[0].startswith("the notebook is broken (")


@pytest.mark.parametrize("text", [
    "", "[]", "3", "{}", '{"cells": 3}', '{"cells": [3, {"cell_type": "code", "source": 3}]}',
    '{"cells": [{"cell_type": "markdown", "source": "x"}]}', "[" * 100_000, "nothing",
    '{"cell_type": ' * 3000, '{"cells": [{"cell_type": "code", "source": ["  "]}]}'])
def test_no_code_at_all(text):
    made, notes = notebooks.source(text)
    assert made is None and notes[-1] == "the notebook has no code cells"


def test_scripts_made_from_notebooks():
    text = (f"#!/usr/bin/env python\n# coding: utf-8\n\n# In[1]:\n\n\n{FORWARD}\n\n# In[ ]:\n\n"
            "get_ipython().run_line_magic('matplotlib', 'inline')\nassert False\n\n# In[3]:\n\n"
            f"{BACKWARD}\n")
    assert notebooks.is_exported(text) and not notebooks.is_exported(a_class.RIGHT)
    made, notes = notebooks.exported(text)
    assert {"conv_forward", "conv_backward"} <= set(run(made))
    assert notes[0].startswith("the script was made from a notebook")
    assert notebooks.is_exported(f"# %%\n{FORWARD}\n# %% [markdown]\n# x\n")
    assert not notebooks.is_exported("# %%%\n# %%timeit\n# %%%%%%\n# %%%%%\n")


def test_of_a_script_made_from_a_notebook_a_broken_cell_is_lost_alone():
    text = f"# In[1]:\n{FORWARD}\n# In[2]:\ndef broken(:\n# In[3]:\n{BACKWARD}\n"
    made, notes = notebooks.exported(text)
    assert {"conv_forward", "conv_backward"} <= set(run(made)) and "cell 2 is not" in notes[1]
    whole = f"x = '''\n# In[1]:\n# In[2]:\n'''\n{FORWARD}\n"
    assert len(notebooks.exported(whole)[1]) == 1


def test_places_in_a_notebook_instead_of_line_numbers():
    made, _ = notebooks.source(a_class.notebook("import numpy", "", FORWARD, BACKWARD))
    line = made.split("\n").index("    return dy") + 1
    assert notebooks.placed(f"raises A: b (line {line})", made) == (
        "raises A: b (cell 4: `return dy`)")
    assert notebooks.placed("in line 99999", made) == "in line 99999"
    assert notebooks.placed("in line 2", a_class.RIGHT) == "in line 2"
