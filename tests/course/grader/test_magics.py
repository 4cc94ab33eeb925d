"""Lines of a notebook that are not Python."""

import pytest

from minicnn.course.grader.magics import removed


@pytest.mark.parametrize("text, made", [
    ("%matplotlib inline\nx = 1", "pass\nx = 1"), ("!pip install x\n", "pass\n"),
    ("x = !ls\ny = 1", "x = None\ny = 1"), ("np.sum?\nx = 1", "pass\nx = 1"), ("?np", "pass"),
    ("if x:\n    %time f()\n", "if x:\n    pass\n"), ("%%time\nx = 1", "pass\nx = 1"),
    ("%%bash\nrm -r x\n", "pass"), ("\n%%writefile a.py\nx = 1\n", "\npass"),
    ("!echo it's\nx = 1", "pass\nx = 1"),
    ("!a\n!b\n%c\nx=(1\n% 2)", "pass\npass\npass\nx=(1\n% 2)"),
    ("get_ipython().run_line_magic('a', '')\nx = 1", "pass\nx = 1"),
    ("get_ipython().system(\n  'a')\nx = 1", "pass\npass\nx = 1")])
def test_what_goes(text, made):
    assert removed(text)[0] == made and removed(text)[1]


@pytest.mark.parametrize("text", ["x = (3\n% 2)", "x = '''\n%matplotlib\n!ls\n'''", "x = 1", "",
                                  "y = 7 % 2", "a != b"])
def test_what_is_python_stays(text):
    assert removed(text) == (text, [])


def test_what_is_no_python_at_all_stays_as_it_is():
    assert removed("def f(:\n")[0] == "def f(:\n"
    assert removed("x = 1\ncd folder")[0] == "x = 1\ncd folder"
