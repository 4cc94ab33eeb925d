"""The names of a submission: which wanted functions there are, by reading alone.

Nothing is run. `look` says what is missing, defined twice or defined under nearly the same name;
what is nearly the same is reported, never taken for the wanted function.
"""

import ast
import difflib
import re
import sys
import warnings
from typing import NamedTuple

from minicnn.course.assignments import assignments
from minicnn.course.grader import plain
from minicnn.course.handout.source import read as read_page

CLOSE = 0.75  # of difflib's ratio
FEW, MANY = 0.2, 0.6  # shares of the names that an assignment wants
LAYER = re.compile(r"^(affine|max_pool)\w*_(forward|backward)|_(forward|backward)_naive$")
FOR_CHECK = ("this file is in the form that `minicnn check` takes, with functions such as "
             "conv_forward_naive(x, w, b, conv_param); an assignment has names and parameters of "
             "its own: write yours into its handout")
LOOKS_LIKE = "this looks like assignment"
MOST_TEXT, MOST_FUNCTIONS = 300_000, 2000  # of one file; compile needs their square in time
THERE = sys.stdlib_module_names | {"numpy"}  # what can be imported when grading
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp,
          ast.SetComp, ast.DictComp, ast.GeneratorExp)
TOO_MUCH = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)


class Names(NamedTuple):
    """What reading a submission tells.

    Attributes
    ----------
    missing : tuple of str
        Wanted functions and methods ("conv_forward", "SGD.step") that it does not define.
    near : dict
        Of the missing ones: to each the name in the file that is nearly the same.
    error : str
        Why Python cannot run the file, or "".
    notes : list of str
        All of that, and what is defined twice or imported in vain, one line each.
    """

    missing: tuple
    near: dict
    error: str
    notes: list


def wanted(assignment):
    """The names that a submission must define: "conv_forward", "SGD.step"."""
    cut = [name if "." in name else page.prefix + name
           for page in assignment.pages for name in page.cut]
    judged = [one.function for one in assignment.questions if one.function]
    return tuple(dict.fromkeys(cut + judged))


def given(assignment):
    """The names of the pages' own definitions, in the handout, wanted ones among them."""
    return {*wanted(assignment), *(page.prefix + name for page in assignment.pages
                                   for name in read_page(page.module).things)}


def look(source, assignment):
    """Read a submission.

    Parameters
    ----------
    source : str
    assignment : Assignment

    Returns
    -------
    Names
    """
    names = wanted(assignment)
    tree, error = parsed(source)
    if tree is None:
        return Names(names, {}, error, [f"{error}. Python cannot run the file, so nothing in it "
                                        "could be graded, not even what comes before"])
    own = definitions(tree)
    missing = tuple(name for name in names if name not in own)
    if other := another(own, assignment):
        return Names(missing, {}, "", [f"{LOOKS_LIKE} {other.number} ({other.name})"])
    near = _near(missing, own, given(assignment))
    notes = [*[FOR_CHECK] * is_for_check(source, assignment), *_missing(missing, near, tree),
             *_twice(names, own), *_imports(tree)]
    return Names(missing, near, "", notes)


def is_for_check(source, assignment=None):
    """Whether a source holds layers in a form that `minicnn check` takes, and not in the handout's:
    functions such as conv_forward_naive(x, w, b, conv_param) in place of the wanted ones."""
    tree, _ = parsed(source)
    own = definitions(tree) if tree is not None else {}
    in_dicts = any(one.arg.endswith("_param") for nodes in own.values() for node in nodes[-1:]
                   if isinstance(node, ast.FunctionDef) for one in node.args.args)
    there = assignment is not None and any(name in own for name in wanted(assignment))
    return in_dicts or not there and any(map(LAYER.search, own))


def another(own, assignment):
    """The assignment that a file with these names is of, if it is clearly another; else None."""
    score = {one.name: sum(name in own for name in wanted(one)) / len(wanted(one))
             for one in (assignment, *assignments())}
    best = max(assignments(), key=lambda one: score[one.name])
    clear = score[assignment.name] <= FEW and score[best.name] >= MANY
    return best if clear else None


def parsed(source):
    """(tree, "") of a source text, or (None, what is wrong with it, on one line)."""
    try:
        return read(source), ""
    except SyntaxError as error:
        lines, line = source.split("\n"), error.lineno or 0
        text = plain.line(lines[line - 1], 80) if 0 < line <= len(lines) else ""
        return None, f"line {line}: {error.msg}" + (f": {text}" if text else "")
    except TOO_MUCH as error:
        return None, f"{str(error) or 'it is nested too deeply'} ({type(error).__name__})"


def read(source):
    """The tree of a source that Python could run; one of TOO_MUCH otherwise."""
    if len(source) > MOST_TEXT:
        raise ValueError(f"it has {len(source):,} characters; at most {MOST_TEXT:,} are read")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
        if sum(isinstance(node, SCOPES) for node in ast.walk(tree)) > MOST_FUNCTIONS:
            raise ValueError(f"it has more than {MOST_FUNCTIONS:,} functions")
        compile(source, "submission", "exec", dont_inherit=True)  # `return` outside a function
    return tree


def definitions(tree):
    """Everything defined at the top of a file, also under `if` and `try`, and methods.

    Returns
    -------
    dict
        name ("conv_forward", "SGD.step") -> its nodes, in the order of the file.
    """
    found = {}
    for node in _top(tree.body):
        for name in _names(node):
            found.setdefault(name, []).append(node)
        if isinstance(node, ast.ClassDef):
            for inner in _top(node.body):
                for name in _names(inner):
                    found.setdefault(f"{node.name}.{name}", []).append(inner)
    return found


def written(node):
    """Whether there is more in a function than its docstring and `raise NotImplementedError`."""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return True
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    return not all(isinstance(one, ast.Pass) or _placeholder(one) for one in body)


def _placeholder(one):
    """`...`, or `raise NotImplementedError` in any form."""
    if isinstance(one, ast.Raise):
        raised = one.exc.func if isinstance(one.exc, ast.Call) else one.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    return isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)


def _top(body):
    """Statements, and those inside `if`, `try`, `with`, `for` and `while`, in their order."""
    waiting = list(reversed(body))
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, (ast.If, ast.Try, ast.With, ast.For, ast.While, ast.ExceptHandler)):
            inner = [one for part in ("body", "handlers", "orelse", "finalbody")
                     for one in getattr(node, part, ())]
            waiting += reversed(inner)


def _names(node):
    """The names that a statement itself gives something to."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    return [name for one in targets if one is not None for name in _target(one)]


def _target(one):
    """Of an assignment: `a`, `a, b`, and `A.step`."""
    if isinstance(one, ast.Name):
        return [one.id]
    if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name):
        return [f"{one.value.id}.{one.attr}"]
    if isinstance(one, (ast.Tuple, ast.List)):
        return [name for inner in one.elts for name in _target(inner)]
    return []


# ---- nearly the same name

def _near(missing, own, taken):
    """To each missing name the nearest of the file's own functions, each used once."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    free = [name for name, nodes in own.items()
            if name not in taken and isinstance(nodes[-1], functions)]
    near = {}
    for name in missing:
        a_class = name[:1].isupper() and "." not in name
        same = [one for one in free if one.count(".") == name.count(".")
                and one.partition(".")[0] in _owners(one, name)
                and isinstance(own[one][-1], ast.ClassDef) == a_class]
        best = max(same, key=lambda one: _ratio(one, name), default=None)  # noqa: B023
        if best is not None and _ratio(best, name) >= CLOSE:
            near[name] = best
            free.remove(best)
    return near


def _owners(one, name):
    """A method is near a method of the same class only."""
    return {name.partition(".")[0]} if "." in name else {one}


def _ratio(one, name):
    """How alike two names are, 0..1; 1 if they differ in capitals and underscores only."""
    first, second = (text.lower().replace("_", "") for text in (one, name))
    return 1.0 if first == second else difflib.SequenceMatcher(None, first, second).ratio()


# ---- words

def _missing(missing, near, tree):
    inside = {inner.name: node.name for node in ast.walk(tree)
              if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
              for inner in ast.walk(node) if inner is not node
              and isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef))}
    for name in missing:
        if name.partition(".")[0] in missing and "." in name:
            continue  # the class is named
        if name in near:
            yield (f"{name} is missing; there is {near[name]}, which is nearly the same name: "
                   f"rename it to {name}")
        elif name in inside:
            yield (f"{name} is defined inside {inside[name]}, where nothing can call it: "
                   "check its indentation")
        else:
            yield f"{name} is missing"


def _twice(names, own):
    for name in names:
        nodes = own.get(name, [])
        if len(nodes) > 1:
            lines = ", ".join(str(node.lineno) for node in nodes[:6])
            empty = (" It is not written, an earlier one is."
                     if not written(nodes[-1]) and any(map(written, nodes)) else "")
            yield (f"{name} is defined {len(nodes)} times (lines {lines}): the last counts, as "
                   f"when Python runs the file.{empty}")


def _imports(tree):
    for node in tree.body:  # those under `try` are provided for
        for module in _modules(node):
            if module.partition(".")[0] not in THERE:
                yield (f"line {node.lineno} imports {module or 'a module beside the file'}, which "
                       "is not there when grading: NumPy and Python's own modules are, helper "
                       "modules are not, so put everything into one file")


def _modules(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return ["" if node.level else node.module]
    return []
