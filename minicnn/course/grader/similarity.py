"""Which submissions look alike: for the teacher's eyes, as a reason to look, never as a proof.

Two submissions share what fingerprints they share, weighed by how many nodes of code a fingerprint
stands for and by how few of the class have it: what everyone writes weighs next to nothing. What
the handout gives does not count, nor do the short idioms of the solution. The share is of the
smaller submission of the two, so that lines added to a copy do not hide it.

Submissions too short to tell are compared with nothing. A pair is named only if its share stands
out from those of all pairs of the class: three times as far above their median as most lie around
it; or if a large function is nearly the same in both and in few others. Those that stand out are
then counted as one submission, and the others are judged once more, so that many copies hide no
further one.
"""

from itertools import combinations
from math import log
from statistics import median
from typing import NamedTuple

from minicnn.course.grader.fingerprints import fingerprints, functions, joined
from minicnn.course.handout.asserts import HELPERS  # of the tests in the handout's notebook

SHORTEST = 100  # nodes of code, of fingerprints that count
IDIOM = 16  # nodes: what is as short and in the solution, too, anyone may write
HIGH = 0.4  # share from which on a pair can be named
VERY_HIGH = 0.8  # of a class too small to tell what stands out
FAR = 3  # spreads above the median
SPREAD = 0.06  # the least that is taken for one
SMALL_CLASS = 5
FUNCTION = 200  # nodes of code of a function that is looked at by itself
NEARLY = 0.9  # of its code, from which on it is nearly the same


class Pair(NamedTuple):
    """Two submissions.

    Attributes
    ----------
    first, second : Submission
    share : float
        0..1, of the smaller one's code.
    lines : (frozenset, frozenset)
        The lines that they share, in each.
    same : tuple of str
        The first one's large functions that are nearly the same in the second one.
    """

    first: object
    second: object
    share: float
    lines: tuple
    same: tuple = ()


class Similarity(NamedTuple):
    """What comparing a class has found.

    Attributes
    ----------
    pairs : list of Pair
        Those that stand out, most alike first.
    shares : list of float
        Of all pairs compared, from the largest down.
    short : list of str
        Students whose submissions are too short to compare.
    solution : list of (str, float)
        Students whose code is mostly that of the solution, also beyond idioms, with the share.
    """

    pairs: list
    shares: list
    short: list
    solution: list


def compare(submissions, handout="", solution=""):
    """Compare all submissions of a class.

    Parameters
    ----------
    submissions : sequence of Submission
    handout, solution : str
        The file that students start from, and the same with all functions written.

    Returns
    -------
    Similarity
    """
    given = frozenset(fingerprints(handout)) | frozenset(fingerprints(HELPERS))
    known = fingerprints(solution, given)
    parts = [functions(one.source or "", given) for one in submissions]
    prints = [joined(one) for one in parts]
    idioms = {digest for digest, one in known.items() if one.size <= IDIOM}
    own = [{digest: one for digest, one in prints_of.items() if digest not in idioms}
           for prints_of in prints]
    long = [number for number, one in enumerate(own) if _nodes(one) >= SHORTEST]
    large = {number: _large(parts[number], known) for number in long}
    shares, out = _standing_out({number: own[number] for number in long}, large)
    pairs = [Pair(submissions[a], submissions[b], shares[a, b], _lines(own[a], own[b]), same)
             for (a, b), same in out.items()]
    return Similarity(sorted(pairs, key=lambda one: -one.share),
                      sorted(shares.values(), reverse=True),
                      [one.student for number, one in enumerate(submissions)
                       if number not in long and one.source is not None],
                      _like_solution(submissions, prints, known))


def _standing_out(own, large):
    """The shares of all pairs, and those that stand out, with the functions nearly the same."""
    shares, out = {}, {}
    while True:
        groups = _groups(own, out)
        weight = _weights(own, groups)
        totals = {number: sum(map(weight.get, one)) for number, one in own.items()}
        shares = {(a, b): _share(own[a], own[b], min(totals[a], totals[b]), weight)
                  for a, b in combinations(own, 2)}
        least = limit(_between(shares, groups), len(own))
        rare = FUNCTION * log((len({*groups.values()}) + 1) / 2)
        found = {}
        for a, b in shares.keys() - out.keys():
            same = _same(large[a], own[b], weight, rare)
            if same or shares[a, b] >= least:
                found[a, b] = same
        if not found:
            return shares, out
        out |= found


def _groups(numbers, pairs):
    """To each number the smallest of those that pairs connect it with."""
    groups = {number: number for number in numbers}
    for a, b in pairs:
        first, second = sorted((groups[a], groups[b]))
        groups = {number: first if one == second else one for number, one in groups.items()}
    return groups


def _between(shares, groups):
    """The largest share of each two groups; of a class that is all one group, all shares."""
    found = {}
    for (a, b), share in shares.items():
        both = frozenset((groups[a], groups[b]))
        if len(both) == 2:
            found[both] = max(found.get(both, 0.0), share)
    return list(found.values()) or list(shares.values())


def _large(parts, known):
    """The functions that are large also without what is in the solution."""
    found = {name: {digest: one for digest, one in prints.items() if digest not in known}
             for name, prints in parts.items()}
    return {name: prints for name, prints in found.items() if _nodes(prints) >= FUNCTION}


def _same(large, other, weight, rare):
    """The functions of one that are nearly the same in the other, and rare in the class."""
    found = []
    for name, prints in large.items():
        shared = sum(weight[digest] for digest in prints.keys() & other.keys())
        if shared >= rare and shared >= NEARLY * sum(map(weight.get, prints)):
            found.append(name)
    return tuple(found)


def limit(shares, students):
    """The share from which on a pair of a class stands out."""
    if students < SMALL_CLASS:
        return VERY_HIGH
    middle = median(shares)
    spread = 1.48 * median(abs(one - middle) for one in shares)  # 1.48: of a normal distribution
    return max(HIGH, min(middle + FAR * max(spread, SPREAD), 0.95))


def _nodes(prints):
    return sum(one.size for one in prints.values())


def _weights(own, groups):
    """To each fingerprint its size, times how rare it is among the groups of submissions."""
    holders, size = {}, {}
    for number, prints in own.items():
        for digest, one in prints.items():
            holders.setdefault(digest, set()).add(groups[number])
            size[digest] = one.size
    every = len({*groups.values()}) + 1
    return {digest: size[digest] * log(every / len(held)) for digest, held in holders.items()}


def _share(one, other, smaller, weight):
    """The weight of what two have in common, of the weight of the smaller one."""
    shared = sum(map(weight.get, one.keys() & other.keys()))
    return min(shared / smaller, 1.0) if smaller else 0.0


def _lines(one, other):
    """The lines of what two have in common, in each."""
    shared = one.keys() & other.keys()
    return tuple(frozenset().union(*(each[digest].lines for digest in shared))
                 for each in (one, other))


def _like_solution(submissions, every, known):
    """Students whose code is, for the most part, in the solution as well."""
    found = []
    for submission, prints in zip(submissions, every, strict=True):
        nodes = _nodes(prints)
        share = sum(one.size for digest, one in prints.items() if digest in known) / max(nodes, 1)
        if nodes >= SHORTEST and share >= VERY_HIGH:
            found.append((submission.student, share))
    return sorted(found, key=lambda one: -one[1])
