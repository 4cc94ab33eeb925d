"""The tour: every method once on one network and one photo, as a folder that opens from disk."""

import inspect
import shlex
from html import escape
from pathlib import Path

from minicnn import images
from minicnn.progress import bar
from minicnn.report import chosen, drawn, page, stops
from minicnn.report.claims import CLAIMS, NO, NONE, PART, YES
from minicnn.report.listing import listing
from minicnn.report.stepfigures import step_deconvnet
from minicnn.report.stepfigures.examples import gram, pooling, rules, way_back, windows
from minicnn.report.stops import BEST, STOPS

DOWN, HEIGHT = "figure-way-down.html", 900  # the deconvnet's figure; of a figure's frame, pixels
FIGURES = {  # step figures of a stop: {file: (what makes it, what one steps through)}
    "first_kernels": {"figure-windows.html": (windows, "a convolution, window by window")},
    "grown_filters": {"figure-way-back.html": (way_back, "the way back to the pixels")},
    "projected": {DOWN: (None, "this unit's way down to the pixels"),
                  "figure-pooling.html": (pooling, "pooling, its switches and unpooling")},
    "salient": {"figure-rules.html": (rules, "the three ways back through a ReLU")},
    "woven": {"figure-gram.html": (gram, "an entry of a Gram matrix")},
}
FILES = ("index.html", "photo.png", "dumbbell.png", *(
    name for stop in STOPS for name in (stop.picture, *stop.others)), *(
    name for figures in FIGURES.values() for name in figures), *(
    file for file, _ in BEST.values() if file.startswith("best_")))
SHIPPED = "minivgg"  # what commands use where no network is named
STYLE = """
body { max-width: 74rem; } p, nav, pre, details { max-width: 62rem; }
img { image-rendering: auto; border-radius: 3px; } .sheet a img { cursor: zoom-in; }
.strip { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1.5rem 0; }
.strip a { flex: 1 1 9rem; } .strip img { width: 100%; aspect-ratio: 1; object-fit: cover; }
nav { columns: 14rem; font-size: .95rem; } nav a { display: block; padding: .15rem 0; }
.sheet { overflow-x: auto; } .sheet img { max-width: none; }
pre, code { font-size: .875rem; } details { margin: .5rem 0; }
summary { cursor: pointer; color: #0645ad; padding: .15rem 0; } .missing { color: #8a4b00; }
iframe { width: 100%; border: 1px solid #ddd; }
.claims { border-collapse: collapse; } .claims th { text-align: left; }
.claims td, .claims th { vertical-align: top; padding: .6rem .8rem; border-top: 1px solid #ddd; }
.claims td:first-child { width: 36%; } .claims small, .how { color: #555; font-size: .875rem; }
.verdict { font-weight: bold; } .yes { color: #17631e; } .part { color: #8a4b00; }
.no { color: #a01818; } .none { color: #555; }
@media (max-width: 40rem) {
  .claims, .claims tbody, .claims tr, .claims td { display: block; width: auto !important; }
  .claims thead { display: none; } .claims td { padding: .3rem 0; border: 0; }
  .claims tr { border-top: 1px solid #ddd; padding: .5rem 0; } }
"""
LACKS = ValueError, ImportError, MemoryError  # of a network, an installation, a machine
KINDS = {YES: "yes", PART: "part", NO: "no", NONE: "none"}


def tour(network, photo=None, folder="tour", seed=0, progress=False, weights=None, labels=None):
    """Use every method once, and write an index.html that shows and explains what came out.

    Parameters
    ----------
    network : Network
        The shipped network takes about a minute, a large one several.
    photo : path or uint8 array, optional
        By default a ladybird, drawn by `minicnn.report.drawn`.
    folder : str or path
        Created if it does not exist; files of the same name are replaced.
    seed : int
    progress : bool
        Show a bar on standard error.
    weights, labels : str or path, optional
        What `minicnn.load` was given, for the commands on the page. By default the network's name.

    Returns
    -------
    Path
        The path of index.html. What cannot be made here has a line there that says why: a network
        without class scores gets a tour without those stops that need classes.

    Raises
    ------
    ValueError
        The network has no rectified feature maps; the photo cannot be read.
    KeyboardInterrupt
        On Ctrl-C; the pictures made so far are kept, and index.html shows them.
    """
    if not chosen.rectified(network):
        raise ValueError(f"tour: network {network.name} has no rectified feature maps to show")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    outline = drawn.outline() if photo is None else None
    photo = drawn.ladybird() if photo is None else photo
    photo = photo if isinstance(photo, (str, Path)) else _kept(photo, folder)
    network.prepare(photo)  # an error now rather than after some pictures
    made = Made(network, photo, folder, seed, outline, str(weights or network.name), labels)
    steps = bar([*STOPS, *CLAIMS], "tour", progress)
    try:
        for step in steps:
            make = getattr(step, "make", None)
            steps.set_description("the sources' claims" if make is None else _told(make)[0])
            made.claim(step) if make is None else made.visit(step)
    except KeyboardInterrupt:
        if not made.stops:
            raise
        index = made.write(" The tour was interrupted; what came after that is missing.")
        raise KeyboardInterrupt(f"{index} shows what was done until then") from None
    return made.write()


def _about(network):
    """What the network is, and how its layers are named, in two sentences."""
    names, (height, width, _) = chosen.rectified(network), network.input_shape
    classes = network.shapes[network.logits][-1] if network.classifies else 0
    knows = f" and knows {classes:,} classes" if classes else ""
    return (f"It looks at {height}x{width} pixels{knows}. Its layers have names, from {names[0]}, "
            f"near the pixels, to {names[-1]}, far from them.")


def _kept(photo, folder):
    """The path of a picture that is given as an array, once it is in the folder."""
    path = folder / "photo.png"
    images.save(path, photo)
    return path


class Made:
    """What a tour has made so far.

    Attributes
    ----------
    stops : dict of Stop to (names of pictures, caption)
        Without names the caption says why.
    found : dict of str to records
        What each stop found, by the stop's name.
    claims : dict of Claim to Answer
        Or to the reason why it cannot be measured.
    """

    def __init__(self, network, photo, folder, seed, outline, weights, labels):
        self.network, self.photo, self.folder, self.seed = network, photo, folder, seed
        self.outline, self.weights, self.labels = outline, weights, labels
        self.stops, self.found, self.claims = {}, {}, {}
        self.codes = {stop: self.code(stop) for stop in STOPS}  # the source that is running

    def visit(self, stop):
        """Make a stop's pictures."""
        name = stop.make.__name__
        more = {"folder": self.folder} if "folder" in _parameters(stop.make) else {}
        try:
            pictures, found = stop.make(self.network, self.photo, self.seed, **more)
            figures = {file: make() if make else step_deconvnet(
                self.network, self.photo, chosen.deep(self.network))
                for file, (make, _) in FIGURES.get(name, {}).items()}
        except LACKS as error:
            self.stops[stop] = [], f"Left out: {error}"
            return
        records = found if isinstance(found, list) else [found]
        if any(getattr(one, "interrupted", False) for one in records):
            raise KeyboardInterrupt
        stops.save(pictures | stops.best(name, found), self.folder)
        for file, figure in figures.items():
            figure.save(self.folder / file)
        captions = [getattr(one, "caption", one).replace("\n", "; ") for one in records]
        caption = captions[0] + f"; and {len(captions) - 1} more like it" * (len(captions) > 1)
        self.stops[stop], self.found[name] = (list(pictures), caption), found

    def claim(self, claim):
        """Measure a claim."""
        there = {"net": self.network, "photo": self.photo, "seed": self.seed} | self.found
        if self.outline is not None:
            there["outline"] = self.outline
        needs = _parameters(claim.measure)
        try:
            if missing := [name for name in needs if name not in there]:
                raise ValueError(_absent(missing[0]))
            answer = claim.measure(**{name: there[name] for name in needs})
        except LACKS as error:
            self.claims[claim] = str(error)
            return
        stops.save(answer.pictures, self.folder)
        self.claims[claim] = answer

    # ---- the page

    def write(self, more=""):
        """Write the page; its path."""
        name = escape(self.network.name)
        links = [(stop.make.__name__, _told(stop.make)[0]) for stop in self.stops]
        links += [("claims", CLAIMED)] * bool(self.claims)
        parts = [
            f"<p>Every picture on this page was computed by NumPy, most of them from one network, "
            f"{name}, and one photo{', here a drawing' * (self.outline is not None)}. "
            f"{escape(_about(self.network))} Click a picture to see it alone; a wide one scrolls "
            "sideways. Below each are the command that makes it and a program in Python that does "
            f"the same.{escape(more)}</p>",
            self._strip(), '<nav aria-label="contents">',
            *(f'<a href="#{anchor}">{escape(words)}</a>' for anchor, words in links), "</nav>",
            *(self._section(stop, *found) for stop, found in self.stops.items()),
            *([self._table()] if self.claims else [])]
        page.save(self.folder / "index.html", f"How {self.network.name} sees", parts, STYLE)
        return self.folder / "index.html"

    def _strip(self):
        return '<div class="strip">' + "".join(
            f'<a href="#{name}"><img src="{file}" alt="{escape(words)}"></a>'
            for name, (file, words) in BEST.items() if name in self.found) + "</div>"

    def _section(self, stop, pictures, caption):
        anchor = stop.make.__name__
        heading, text = _told(stop.make)
        head = f'<h2 id="{anchor}">{escape(heading)}</h2>\n<p>{escape(text)}'
        if not pictures:
            return f'{head}</p>\n<p class="missing">{escape(caption)}</p>'
        others = "".join(f' <a href="{name}">{name}</a>' for name in pictures[1:])
        return "\n".join([
            f"{head}{others}</p>",
            f'<figure><div class="sheet">{_picture(pictures[0], _seen(heading, stop.seen))}</div>'
            f"<figcaption>{escape(caption)}</figcaption></figure>",
            f"<pre>minicnn {escape(self.command(stop))}</pre>",
            f"<details><summary>in Python</summary><pre>{escape(self.codes[stop])}</pre></details>",
            *(f'<details class="step"><summary>Step through {escape(words)}</summary>'
              f'<iframe src="{file}" title="{escape(words)}" height="{HEIGHT}" loading="lazy">'
              f'</iframe><p><a href="{file}">The same on a page of its own</a></p></details>'
              for file, (_, words) in FIGURES.get(anchor, {}).items()),
            f"<p>Explained in lesson {stop.lesson}: <code>minicnn lesson {stop.lesson}</code>."
            "</p>"])

    def command(self, stop):
        """The command of a stop, without "minicnn", with what this tour was given."""
        net = self.network
        words = {"photo": self.photo, "shapes": self.folder / "shapes.h5",
                 "painting": self.folder / "painting.png"}
        words = {name: _quoted(value) for name, value in words.items()}
        names = {"middle": chosen.middle(net), "deep": chosen.deep(net), "last": chosen.last(net),
                 "four": ",".join(chosen.spread(net, 4)), "six": ",".join(chosen.spread(net, 6))}
        words |= {name: shlex.quote(value) for name, value in names.items()}
        words |= {f"of_{name}": f"0..{chosen.few(net, names[name]) - 1}"
                  for name in ("last", "deep")}
        size = chosen.dreamt_at(self.photo)
        words["smaller"] = "" if size == "keep" else f" --size {size}"
        if "{classes}" in stop.command:
            words["classes"] = shlex.join(_name(net, k) for k in chosen.recognised(net))
        trains = stop.command.startswith("train ")  # it begins anew: --weights would go on
        return stop.command.format(**words) + "".join(
            f" --{name} {_quoted(value)}" for name, value, usual in (
                ("weights", self.weights, SHIPPED), ("labels", self.labels, None),
                ("seed", self.seed, 0)) if value != usual and not (trains and name != "seed"))

    def code(self, stop):
        """A program that makes the pictures of a stop."""
        more = f", {str(self.folder)!r}" if "folder" in _parameters(stop.make) else ""
        return listing(stop.make, self._loaded(), f"pictures, found = {stop.make.__name__}(net, "
                       f"{str(self.photo)!r}, {self.seed}{more})", 'save(pictures, ".")')

    def _loaded(self):
        labels = "" if self.labels is None else f", label_file={str(self.labels)!r}"
        return f"net = minicnn.load({self.weights!r}{labels})"

    # ---- the table of claims

    def _table(self):
        counts = {kind: sum(getattr(answer, "verdict", NONE) == kind
                            for answer in self.claims.values()) for kind in KINDS}
        told = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        return "\n".join([
            f'<h2 id="claims">{CLAIMED}</h2>',
            f"<p>{len(self.claims)} claims of lectures, posts and examples: {told}. A figure is "
            "measured just now, with this network and photo where the claim needs them, if it is "
            "not said to be from a record.</p>",
            '<table class="claims"><thead><tr><th scope="col">What is said</th><th scope="col">'
            "What came out here</th></tr></thead><tbody>",
            *(self._row(claim, answer) for claim, answer in self.claims.items()),
            "</tbody></table>"])

    def _row(self, claim, answer):
        said = " ".join(inspect.getdoc(claim.measure).split())
        verdict, words, pictures = (NONE, answer, {}) if isinstance(answer, str) else answer
        shown = "".join(f'<figure class="sheet">{_picture(name, f"To judge: {said}")}</figure>'
                        for name in pictures)
        if isinstance(answer, str):
            how = ""
        elif claim.record:
            how = (f"From a record, made by <code>minicnn {claim.record}</code> in the source's "
                   "folder.")
        else:
            how = (f"{'Made' if verdict == NONE else 'Measured'} just now. <details><summary>in "
                   f"Python</summary><pre>{escape(self.lines(claim))}</pre></details>")
        return (f'<tr id="{claim.measure.__name__}"><td>{escape(said)}<br><small>'
                f'{escape(claim.source)}</small></td><td><span class="verdict {KINDS[verdict]}">'
                f"{verdict[0].upper()}{verdict[1:]}</span>: {escape(words)}.{shown}"
                f'<div class="how">{how}</div></td></tr>')

    def lines(self, claim):
        """A program that measures a claim."""
        needs = _parameters(claim.measure)
        found = [name for name in needs if name in self.found]
        uses = {*needs, *("net", "photo", "seed") * bool(found)}
        given = {"net": self._loaded(), "photo": f"photo = {str(self.photo)!r}",
                 "seed": f"seed = {self.seed}", "outline": "outline = drawn.outline()"}
        return "\n".join([
            *["import minicnn"] * ("net" in uses), "from minicnn.report import claims"
            + ", drawn" * ("outline" in uses) + ", stops" * bool(found), "",
            *(line for name, line in given.items() if name in uses),
            *(f"_, {name} = stops.{name}(net, photo, seed)" for name in found),
            f"print(claims.{claim.measure.__name__}({', '.join(needs)}))"])


CLAIMED = "What the sources say, and what came out here"


def _absent(name):
    if name == "outline":
        return ("this needs the outline of the thing in the photo, which is known of the drawn "
                "ladybird alone; leave the photo out")
    (stop,) = (one for one in stops.STOPS if one.make.__name__ == name)
    return f"this needs the pictures of “{_told(stop.make)[0]}”, which were left out"


def _quoted(path):
    """A path for a shell, which no program takes for an option."""
    return shlex.quote(f"./{path}" if str(path).startswith("-") else str(path))


def _name(net, k):
    """What the command line calls a class: its name; its number if others have that name, or if it
    would be read as an option, a number, or a range of numbers."""
    name = net.label(k)
    try:
        own = net.find_class(name) == k
    except ValueError:
        own = False
    plain = not (name.startswith("-") or name.isdecimal() or ".." in name) and name.isprintable()
    return name if own and plain else str(k)


def _parameters(function):
    return list(inspect.signature(function).parameters)


def _picture(name, words):
    return f'<a href="{name}"><img src="{name}" alt="{escape(words)}" loading="lazy"></a>'


def _seen(heading, words):
    return f"{heading.rstrip('?.')}: {words}"


def _told(make):
    """(heading, text) of a stop, from its docstring."""
    heading, _, text = inspect.getdoc(make).partition("\n\n")
    return heading, text.replace("\n", " ")
