"""Grading: a submission's functions are called in a walled process, its answers judged here.

| file | what it holds |
|---|---|
| grade.py | a submission, each question in a walled process of its own |
| outcome.py | Outcome of a question, Result of a submission |
| by_op.py, handed.py | questions about one part of an op; the op as the judge calls it |
| by_call.py | questions about calls, compared with those of the pages |
| by_checker.py | a student's gradient checker, among right and wrong layers |
| by_network.py, panels.py | a student's code in a trained network, and the picture of it |
| local.py | the pages' own code, called as a walled process is |
| lines.py | lines of Python that show a mistake |
| submissions.py | what a class has handed in: files, notebooks, zips, exports of platforms |
| archives.py | the files of a folder or zip, within limits, nothing unpacked |
| exports.py | whose file it is, by the names that platforms give |
| choosing.py | which of a student's files counts |
| decoding.py | bytes of a source as text |
| notebooks.py, magics.py, slicing.py | a notebook as a source; magic lines; what functions need |
| names.py | which wanted functions there are, by reading alone |
| plain.py | text of strangers made harmless to print |
| feedback.py | what a student reads; Gradescope's results.json |
| table.py, statistics.py | a class as CSV; what it has found hard |
| similarity.py, fingerprints.py | which submissions look alike, for the teacher |
| answers.py, marks.py | answers in words, and the points that a person gives for them |
| page.py, student.py, pairs.py, written.py | a class as HTML pages; what they are written with |
| differences.py | pictures of a wrong answer |
"""
