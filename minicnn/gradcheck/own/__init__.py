"""Somebody's own ops: found in a file, and called like a page of `minicnn.ops`.

| file | what it holds |
|---|---|
| sources.py | where own ops come from: a module, a class, a Python file |
| errors.py | what is said of an error in them |
| known.py, names.py | the names by which ops and their parameters are recognised |
| found.py, glue.py | every op of a file; the table CHECK that says what names do not |
| forms.py | Form: an op that can be called like a page |
| calls.py, callers.py, tensors.py | how functions, classes and PyTorch code are called |
| trials.py | small calls that find out what names do not say |
| layouts.py, seeds.py | arrays in the own layout; fixed seeds |
| script.py | lines of Python that call an op at given numbers |
"""
