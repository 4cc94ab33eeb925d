"""The judge: every op at all its settings, in two verdicts; what it says, as words and as data.

| file | what it holds |
|---|---|
| judge.py | `judge`: rows, Verdict |
| matrix.py, cases.py | the settings and numbers at which every op is tried |
| reference.py, expected.py | what each op should compute; what is right at a case |
| claims.py | what an op claims, and how a case is passed to it |
| conduct_of.py | its conduct over several cases |
| shrink.py, sizes.py | the smallest input at which it is wrong; cases made of whole numbers |
| files.py | every op of a file, one by one |
| features.py, words.py, record.py | the verdict in words, and as plain values |
| step_sizes.py | the error of the central difference against its step |
| plugin.py | pytest's fixture `check_layer` |
"""
