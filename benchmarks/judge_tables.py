"""The comparison of checkers as markdown: its words and its tables.

A result is what `judge.py` keeps in OUT.json. Its layers have names that begin with "wrong", "base"
or "right", and answers: {checker: (outcome, cause, seconds)}.
"""

from statistics import median

import right_layers
from other_checkers import CHECKERS, NONE
from our_checkers import ALONE, JUDGE, KINDS, TWIN

CAUGHT, MISSED, RAISED, LATE = "caught", "missed", "raised", "out of time"
MOSTLY = 4  # causes that are named for a kind

HEAD = """# Checkers of gradients, and {wrong} wrong layers

Made by `minicnn bench judge`. How many layers that are known to be wrong does a checker catch, and
does it leave right ones alone? The wrong layers are those of `minicnn.gradcheck.mistakes`, each a
right layer with a mistake such as people make, in classes by its cause.

Every checker but the judge looks at a layer once, at a plain setting: what its users type,
float64, a small input without ties, with the checker's own step and tolerances. A layer counts as
caught if the checker complains there, and does not complain about the right layer from which the
wrong one was made. An error that a layer raises by itself counts neither as caught nor as missed
(JAX hands out arrays that cannot be written to: a layer that writes into them stops, and its user
will notice).

minicnn's judge knows the op: it compares with the op's page, at all settings, in float64 and
float32, and looks at the layer's conduct. The others take any function, which the judge cannot, and
see only what is typed: where a layer computes nothing wrong at the plain setting, no checker of
gradients can catch it, and a wrong y with its right gradient is none of their business. Whoever
writes a test with them can choose more settings.

**These wrong layers were at hand while the judge was written**, and the suspicions by which it
names a cause were tried on them again and again: its figures here are those of a set that it
knows. What it did with layers that it had never seen is told under "The blind test"."""

CAUGHT_WORDS = """The column "cause named" counts the layers for which the judge names the cause
that is listed here (for some, either of two), with all known mistakes of the layer's own kind,
in this op and in others, left out of the list that it compares with; the suspicions that it then
falls back on were written with this set at hand. The judge's seconds hold the search for the
cause and for the smallest failing input."""

KINDS_WORDS = """One kind of check at a time (`minicnn.gradcheck.check` with `only`), at the same
plain setting. The naive twin compares with the right layer, which the others do without. What none
of them catches shows at other settings, or in what the judge asks besides: whether wrong sizes and
labels are refused, how running statistics move. The complex step is of use only where a layer keeps
complex numbers: where it complains about the right layer, too, nothing is counted as caught."""

RIGHTS = """## Right layers

The {bases} right layers from which the wrong ones were made, and {count} right settings, drawn
evenly over the ops and over each op's settings (seed {seed}, fixed before the first run): minicnn's
pages and twins, its nested loops, PyTorch's ops, in both dtypes, with ties and with large and small
numbers; at most {most} numbers each, as most checkers move one at a time. An alarm is a complaint,
an error, or no answer in time. The judge tries the {bases} layers at all settings, and each of the
{count} at its own setting in both dtypes. Most manuals ask for float64 and for inputs without ties:
the row "none of the following" is what they were made for."""

BLIND = """## The blind test

Somebody who did not know the judge planted one mistake in each of {layers} layers: 25 in a course's
form, 17 pages, 15 classes, 3 in PyTorch. Each was judged once at the default settings, beside it
the right layer from which it was made. The first result, at commit 35668d2, before anything was
mended:

{table}

In three of the 57 the right version of the layer was marked, too, or got no answer: a transposed
convolution with another kernel layout, a batch norm class that has no parameter for epsilon, and a
dropout that scales in use instead of in training. So 54 were fairly caught. Once what these layers
showed was mended, all 60 are caught, the cause is named for all, and no right version is marked;
but that is no longer a blind test."""
FIRST_BLIND = (("marked wrong", 57), ("of these, the right version was left alone", 54),
               ("cause named", 52))
PLANTED = 60

PUBLISHED = """## Defects of published code

Found with these checks in packages that teach, or that many learn from, and shown again by
`python benchmarks/published.py` from the installed package. All of them are gifts of their authors'
free time, and most of each package is right; that such mistakes stay unseen for years is why there
is a judge."""


def markdown(result):
    """The result as markdown text."""
    wrong, bases = (named_so(result, word) for word in ("wrong", "base"))
    parts = [HEAD.format(wrong=len(wrong)), about_line(result), *caught_tables(result, wrong),
             BLIND.format(layers=PLANTED, table=blind_table()),
             RIGHTS.format(count=result["count"], seed=right_layers.SEED, most=right_layers.MOST,
                           bases=len(bases)),
             alarm_table(result), PUBLISHED, published_table(result["published"]),
             "## Versions", version_table(result["checkers"])]
    return "\n\n".join(part for part in parts if part)


def named_so(result, word):
    """The names of layers that begin with a word: wrong, base, right."""
    return [name for name in result["layers"] if name.startswith(word)]


def caught_tables(result, wrong):
    """Caught by cause, for the checkers; and what our kinds catch."""
    names, kinds = ([name for name in some if any(said(result, name, layer) for layer in wrong)]
                    for some in ((JUDGE, *CHECKERS), KINDS))
    found = ["## Caught, by cause", CAUGHT_WORDS, caught_table(result, wrong, names)]
    return found * bool(names) + ["## The kinds of check, one by one", KINDS_WORDS,
                                  kinds_table(result, wrong, kinds)] * bool(kinds)


def by_cause(result, layers):
    """{cause: its layers}, the most frequent cause first."""
    causes = {}
    for layer in layers:
        causes.setdefault(result["layers"][layer]["cause"], []).append(layer)
    return dict(sorted(causes.items(), key=lambda pair: -len(pair[1])))


def caught_table(result, wrong, names):
    """A row for each cause, then the sums: caught, raised, out of time, seconds a layer."""
    judge = [JUDGE] * (JUDGE in names)
    columns = [*judge, *["cause named"] * len(judge), *(name for name in names if name != JUDGE)]

    def cells(layers, what=CAUGHT):
        return [("" if what != CAUGHT else named(result, layers)) if column == "cause named"
                else counted(result, column, layers, what) for column in columns]

    def shares(layers):
        return [share(number, len(layers)) for number in cells(layers)]

    plain = [layer for layer in wrong if outcome(result, TWIN, layer) == CAUGHT]
    lines = [["cause", "layers", *columns]]
    lines += [[cause, len(layers), *cells(layers)]
              for cause, layers in by_cause(result, wrong).items()]
    lines.append(["**all**", len(wrong), *shares(wrong)])
    if plain:
        lines.append(["whose numbers are wrong at the plain setting", len(plain), *shares(plain)])
    lines += [[words, "", *cells(wrong, what)]
              for what, words in ((RAISED, "the layer raised"), (LATE, "out of time"))]
    return table([*lines, ["seconds a layer", "", *(
        "" if column == "cause named" else seconds(result, column, wrong) for column in columns)]])


def kinds_table(result, wrong, kinds):
    """A row for each of our kinds: caught, of which causes most, and by no other kind."""
    found = {kind: {layer for layer in wrong if outcome(result, kind, layer) == CAUGHT}
             for kind in kinds}
    lines = [["kind", "caught", "by no other kind", "causes", "seconds a layer"]]
    for kind, layers in found.items():
        others = set().union(*(found[other] for other in kinds if other != kind))
        causes = [f"{cause} {len(some)}"
                  for cause, some in [*by_cause(result, sorted(layers)).items()][:MOSTLY]]
        lines.append([kind.removesuffix(ALONE), share(len(layers), len(wrong)),
                      len(layers - others), ", ".join(causes), seconds(result, kind, wrong)])
    together = set().union(*found.values())
    return table([*lines, ["together", share(len(together), len(wrong)), "", "", ""]])


def blind_table():
    """The first result of the blind test."""
    return table([["", f"of {PLANTED}"], *([words, share(number, PLANTED)]
                                           for words, number in FIRST_BLIND)])


def said(result, who, layer):
    """A checker's (outcome, cause, seconds) on a layer, or None."""
    return result["layers"].get(layer, {"answers": {}})["answers"].get(who)


def counted(result, who, layers, what):
    """How many of some wrong layers a checker has answered so."""
    return sum(outcome(result, who, layer) == what for layer in layers)


def outcome(result, who, layer):
    """A checker's answer to a wrong layer; missed if it complains about the right base as well."""
    about = result["layers"][layer]
    base = said(result, who, f"base: {about['op']}, {about['base']}") or (MISSED,)
    found = (said(result, who, layer) or (None,))[0]
    return MISSED if found == CAUGHT and base[0] != MISSED else found


def named(result, layers):
    """How often the judge names the cause, or the second one that is right, too."""
    pairs = [(result["layers"][layer], said(result, JUDGE, layer)) for layer in layers]
    return sum(answer[1] in (about["cause"], about["also"] or None)
               for about, answer in pairs if answer)


def seconds(result, who, layers):
    """The median and the longest."""
    times = [answer[2] for layer in layers if (answer := said(result, who, layer))]
    return f"{median(times):.2g} (at most {max(times):.2g})" if times else ""


def share(number, of):
    """A number of so many, in bold, and in percent."""
    return f"**{number}** ({100 * number / of:.0f} %)" if of else ""


def alarm_table(result):
    """False alarms of each checker: on the bases, on right settings, and on groups of these."""
    groups = {name: result["layers"][name]["groups"] for name in named_so(result, "right")}
    bases = named_so(result, "base")
    names = [who for who in (JUDGE, *CHECKERS) if any(said(result, who, name)
                                                      for name in (*groups, *bases))]
    members = {"bases of the wrong layers": bases, "right settings": list(groups),
               "none of the following": [name for name in groups if not groups[name]]}
    members |= {group: [name for name in groups if group in groups[name]]
                for group in right_layers.GROUPS}
    lines = [["right layers", "number", *names]]
    lines += [[group, len(of), *(alarms(result, who, of) for who in names)]
              for group, of in members.items()]
    return table(lines) if names else ""


def alarms(result, who, layers):
    """How many right layers a checker complained about, or did not answer in time; of how many, if
    it was not asked about all of them."""
    answers = [answer for layer in layers if (answer := said(result, who, layer))]
    number = sum(answer[0] != MISSED for answer in answers)
    return number if len(answers) == len(layers) else f"{number} of {len(answers)}"


def published_table(rows):
    """A row for each defect."""
    lines = [["package", "function", "input", "it gives", "right is", "what happens"]]
    lines += [[f"{row['package']} {row['version']}", f"`{row['function']}`", row["input"],
               row["gives"], row["right"], row["words"]] for row in rows if row["shown"]]
    return table(lines) if len(lines) > 1 else ""


def version_table(checkers):
    """What each checker is, and which version answered."""
    lines = [["checker", "version", "NumPy", "what is called"]]
    for name, checker in CHECKERS.items():
        about = checkers.get(name, {})
        version = about.get("version", about.get("fails", "not asked"))
        lines.append([name, version, about.get("numpy", ""), checker.words])
    return table(lines + [[name, "no checker", "", words] for name, words in NONE.items()])


def about_line(result):
    """Date, machine and version."""
    about = result["about"]
    return (f"{about['date']}, {about['processor']}, {about['cores']} cores, Python "
            f"{about['python']}, minicnn {about['minicnn']}.")


def table(lines):
    """Lines of cells as a markdown table; the first is the heading."""
    lines = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
