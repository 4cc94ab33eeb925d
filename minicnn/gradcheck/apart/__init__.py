"""A process with limits, in which somebody else's file runs.

| file | what it holds |
|---|---|
| child.py | Child, Remote: the parent's side for a file of your own, which may import anything |
| inside.py | the child's side of it |
| walled.py | Walled, Handle, Callback: the parent's side for a stranger's file |
| launch.py, crossing.py | how its process is started; what crosses |
| behind.py | the child's side of it, which sees NumPy and Python's own library only |
| wall.py, separate.py | the layers around a stranger's file; its namespaces |
| root.py, landlock.py, places.py | a root folder of its own; Landlock; what may be read |
| serving.py | what both child's sides do: read a request, answer it |
| owner.py | what both parent's sides do: ask, and tell why there is no answer |
| process.py, limits.py | how a process is started, and what it may not do |
| wire.py | what crosses: plain values and numbers |
"""
