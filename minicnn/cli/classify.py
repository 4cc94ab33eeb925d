"""``minicnn classify``: see `minicnn.network.Network.classify`."""

from pathlib import Path

from minicnn import images
from minicnn.cli.kinds import whole
from minicnn.cli.options import Command, check_text, named, network, photo, say
from minicnn.report import probabilities
from minicnn.terminal import tell


def add(parser):
    """The options of the command."""
    Command(parser)
    photo(parser, "photos", "photos to classify")
    parser.add_argument("--top", type=whole(1), default=5, metavar="N",
                        help="number of classes (default: %(default)s)")
    parser.add_argument("--plot", metavar="FILE.png",
                        help="also plot the probabilities of all classes over their numbers, with "
                             f"the names of the highest (at most {probabilities.MOST} photos)")


def run(options):
    """Print the most probable classes of each photo, and plot all."""
    check_text(options)
    if options.plot is not None:
        images.check_destination(options.plot)
        probabilities.check(len(options.photos))
    net, lines, seen, answers = network(options), [], [], []
    for one in options.photos:
        x, name = net.prepare(one), named(one)
        p = net.probabilities(x)[0]
        lines += [name] if len(options.photos) > 1 else []
        best = probabilities.likeliest(p, options.top)
        lines += [f"{p[k]:.4f}  {net.label(k)}" for k in best]
        answers.append({"photo": name, "classes": [
            {"number": k, "name": net.label(k), "probability": p[k]} for k in best]})
        if options.plot is not None:
            seen.append(probabilities.Seen(Path(name).name, net.restore(x)[0], p))
    if options.plot is not None:
        probabilities.plot(options.plot, seen, net.label, options.top)
    say(lines, options, network=net.name, photos=answers)
    if options.plot is not None and not options.json:
        tell(f"plot: {options.plot}")
