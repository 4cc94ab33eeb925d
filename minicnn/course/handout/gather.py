"""Which definitions of minicnn a handout holds, under which names, and in which order.

A page's public definitions stay. What these, and the names an assignment gives, need from
elsewhere comes along, and what that needs. A private helper that only the bodies to be written
use does not come: it would give the answer away. The solution needs it, and gets it.
"""

import sys
from typing import NamedTuple

from minicnn.course.handout.body import without_bodies
from minicnn.course.handout.scopes import uses
from minicnn.course.handout.source import Import, Thing, read

STAND_INS = {  # what minicnn needs for GPUs and threads
    ("minicnn.backend", "array_module"): '''\
def array_module(*arrays):
    """The module to compute with: NumPy here; minicnn itself also computes on GPUs."""
    return np''',
    ("minicnn.backend", "to_host"): '''\
def to_host(x):
    """`x` as a NumPy array; minicnn itself also brings it from a GPU."""
    return np.asarray(x)''',
    ("minicnn.fast.threads", "product"): '''\
def product(a, b):
    """a @ b, also for stacks of matrices; minicnn itself uses several threads."""
    return a @ b''',
}
IN_PLACE = {module for module, _ in STAND_INS}
NUMPY = Import("numpy", "", "np")


class Gathered(NamedTuple):
    """What a handout or solution holds.

    Attributes
    ----------
    pages, companions : dict of str to list of Thing
        By module, in the order to write them: of the pages, and of other modules. What a page needs
        early stands with it, wherever it is from.
    imports : tuple of Import
    names : dict of (module, name) to str
        The names in the handout, of the solution's definitions, too.
    """

    pages: dict
    companions: dict
    imports: tuple
    names: dict


def gather(assignment, solved):
    """What the solution or the handout of an assignment holds.

    Parameters
    ----------
    assignment : Assignment
    solved : bool
        With the bodies that the student writes, and what they use.

    Returns
    -------
    Gathered
    """
    pages = {page.module: page for page in assignment.pages}
    all_, _ = _reached(assignment, solved=True)
    found, imports = _reached(assignment, solved)
    sections = _in_order(found, pages, solved)
    companions = {module: things for module, things in sections.items() if module not in pages}
    return Gathered({module: sections[module] for module in pages}, companions,
                    tuple(sorted(imports)), _names(all_, pages))


def definition(thing, pages, solved):
    """The text of a Thing, in the handout without the bodies that are to be written."""
    if thing.key in STAND_INS or solved or thing.module not in pages:
        return thing.text
    return without_bodies(thing, pages[thing.module].cut)


def meaning(thing, use):
    """What a Use in a Thing stands for: (Thing, Import or None; whether with its attribute)."""
    return read(thing.module).meaning(use.name, use.attribute)


def _reached(assignment, solved):
    """All Things, by key, and the set of imports from NumPy and the standard library."""
    pages = {page.module: page for page in assignment.pages}
    waiting, found, imports = _roots(assignment), {}, {NUMPY}
    while waiting:
        thing = waiting.pop()
        if thing.key in found:
            continue
        found[thing.key] = thing
        for use in uses(definition(thing, pages, solved)):
            other, _ = meaning(thing, use)
            if isinstance(other, Thing):
                waiting.append(_allowed(other, thing))
            elif other:
                imports.add(_standard(other, thing))
    return found, imports


def _roots(assignment):
    """What stays in any case: the pages' public definitions, and the names that are given."""
    roots = []
    for page in assignment.pages:
        things = read(page.module).things
        for name in (*page.cut, *page.left_out):
            if name.partition(".")[0] not in things:
                raise ValueError(f"{assignment.name}: {page.module} has no {name}")
        kept = set(things) - set(page.left_out)
        roots += [things[name] for name in sorted(kept) if not things[name].private
                  or name in {cut.partition(".")[0] for cut in page.cut}]
        for name in page.given:
            module, _, last = name.rpartition(".")
            roots.append(read(module).meaning(last)[0])
    return [_stand_in(thing) for thing in roots]


def _stand_in(thing):
    return thing._replace(text=STAND_INS.get(thing.key, thing.text))


def _allowed(thing, by):
    """A Thing that a handout may hold, with the text it has there."""
    if thing.module.startswith(("minicnn.backend", "minicnn.fast")) and thing.key not in STAND_INS:
        raise ValueError(f"{by.module}.{by.name} uses {thing.name} of {thing.module}, which a "
                         f"handout cannot hold; give it a stand-in in {__name__}")
    return _stand_in(thing)


def _standard(one, by):
    first = one.module.partition(".")[0]
    if first != "numpy" and first not in sys.stdlib_module_names:
        raise ValueError(f"{by.module}.{by.name} uses {one.module}; a handout needs NumPy only")
    return one


# ---- order

def _in_order(found, pages, solved):
    """{module: Things}: page after page, as there, then the other modules.

    Before a Thing comes what it needs when it is defined, from wherever it is.
    """
    others = sorted({module for module, _ in found} - set(pages),
                    key=lambda one: (one in IN_PLACE, one))
    sections, done = {module: [] for module in (*pages, *others)}, set()

    def put(thing, section):
        if thing.key not in done:
            done.add(thing.key)
            for other in _needed_first(thing, found, pages, solved):
                put(other, section)
            sections[section].append(thing)

    for module in sections:
        for thing in read(module).things.values():
            if thing.key in found:
                put(found[thing.key], module)
    return {module: things for module, things in sections.items() if things or module in pages}


def _needed_first(thing, found, pages, solved):
    meanings = [meaning(thing, use)[0] for use in uses(definition(thing, pages, solved))
                if use.early]
    return [found[other.key] for other in meanings
            if isinstance(other, Thing) and other.key != thing.key]


# ---- names

def _names(things, pages):
    """The name of each Thing in the handout; ValueError where two things would have one.

    Functions of a page get its prefix; so do those of a module that is used as `module.function`.
    """
    through = {other.module for thing in things.values() for use in uses(thing.text)
               for other, whole in [meaning(thing, use)] if whole}
    prefixes = {module: pages[module].prefix if module in pages
                else _prefix(module) * (module in through or "forward" in read(module).things)
                for module, _ in things}
    names = {key: prefixes[thing.module] * (thing.kind == "function" and not thing.private)
             + thing.name for key, thing in things.items()}
    for key in _clashing(names, things):  # of private names and constants, the page's is added
        thing, prefix = things[key], prefixes[key[0]] or _prefix(key[0])
        if thing.private:
            names[key] = f"_{prefix}{thing.name.lstrip('_')}"
        elif thing.kind == "constant":
            names[key] = prefix.upper() + thing.name
    if clashes := _clashing(names, things):
        raise ValueError("two different things would have one name in the handout: "
                         + ", ".join(f"{module}.{name}" for module, name in clashes))
    return names


def _prefix(module):
    return module.rpartition(".")[2] + "_"


def _clashing(names, things):
    """Keys of things that share a name with another of a different text."""
    texts = {}
    for key, name in names.items():
        texts.setdefault(name, set()).add(things[key].text)
    return [key for key, name in sorted(names.items()) if len(texts[name]) > 1]
