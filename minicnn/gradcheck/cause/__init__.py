"""Why a layer is wrong: suspicions that explain all of its wrong numbers.

| file | what it holds |
|---|---|
| cause.py | `cause`: the nearest known mistake, and the table of suspicions |
| evidence.py | what a verdict's wrong results show |
| candidates.py | what a layer with a usual mistake would return |
| general.py | suspicions that hold for any op: factors, places, settings |
| windows.py, norms.py | suspicions about ops with windows, about norms |
| own_formulas.py | suspicions about lists, LRN, losses, ReLU, dropout, softmax |
| altered.py | what a layer of windows returns if its geometry is wrong |
"""
