"""``minicnn train``: see `minicnn.train.fit` and `minicnn.train.evaluate`."""

import argparse
import inspect
import sys
import tomllib
from pathlib import Path

import numpy as np

from minicnn import images, models, train
from minicnn.cli import INTERRUPTED, near
from minicnn.cli.document import document
from minicnn.cli.kinds import names, number, numbers, whole
from minicnn.cli.naming import free
from minicnn.cli.options import Command, equipped
from minicnn.files import hdf5, probe
from minicnn.foreign.load import load
from minicnn.report import augmented, confusion, curves
from minicnn.terminal import note, tell
from minicnn.train import batch_norm, head, snapshots
from minicnn.train.augment import VARIATIONS, chain
from minicnn.train.checkpoint import remove
from minicnn.train.evaluation import named_otherwise
from minicnn.train.losses import classes_of
from minicnn.train.schedules import SCHEDULES, warm_up

OPTIMIZERS = ("sgd", "rmsprop", "adam", "adamw")
RATES = {"sgd": 0.02, "rmsprop": 0.001, "adam": 0.001, "adamw": 0.001}


def add(parser):
    """The options of the command."""
    parser.add_argument("data", nargs="?", metavar="DATA",
                        help="digits, shapes, a folder with a subfolder of pictures for each class "
                             "(or folders train and val of such), an .h5 file of labelled "
                             "pictures, or a folder with the files of MNIST or CIFAR-10 (binary)")
    command = Command(parser, train.fit, "trained.h5")
    parser.set_defaults(weights=None)
    option = parser.add_argument
    option("--config", metavar="FILE.toml",
           help="options from a file, as `epochs = 5`; those on the command line come first")
    option("--model", metavar="NAME", choices=models.__all__,
           help="network to train from the start (default: lecture_mnist for grey images, minivgg "
                "for colour); --weights trains one further, with a new last layer if the number of "
                "classes differs")
    option("--batch-norm", action="store_true",
           help="train with a batch norm after each convolution; folded away when saved")
    command.option("epochs", "passes over the data", type=whole(1), metavar="N")
    command.option("batch", "images in a batch", type=whole(1), metavar="N")
    option("--optimizer", choices=OPTIMIZERS, default="adam",
           help="how a step follows from a gradient (default: %(default)s)")
    option("--rate", type=number(above=0), metavar="N", help="learning rate (default: " + ", ".join(
        f"{rate} for {name}" for name, rate in RATES.items()) + ")")
    option("--momentum", type=number(0, most=0.999), default=0.9, metavar="N",
           help="for sgd (default: %(default)s)")
    option("--decay", type=number(0), default=0.0, metavar="N",
           help="weight decay; not for adam, use adamw (default: %(default)s)")
    option("--schedule", choices=list(SCHEDULES), default="one-cycle",
           help="the learning rate over time (default: %(default)s)")
    option("--warm-up", type=number(0, most=1), default=0.0, metavar="SHARE",
           help="share of training in which the rate rises (default: %(default)s)")
    command.option("smoothing", "label smoothing, 0..1", type=number(0, most=0.99), metavar="N")
    command.option("mixup", "mixup's parameter, such as 0.2; 0 for none", type=number(0),
                   metavar="N")
    command.option("clip", "largest length of the gradient", type=number(above=0), metavar="N")
    option("--freeze", type=names, default=[], metavar="A,B,...",
           help="layers that do not learn, or patterns such as 'conv*'")
    option("--augment", type=names, default=[], metavar="A,B,...",
           help=f"variations of the images, in turn: {', '.join(VARIATIONS)}; lecture is rotation "
                "40, shifts, shear and zoom 0.2, and a flip; digits is gentler, without flips")
    option("--checkpoint", metavar="FILE.npz",
           help="state to go on from (default: beside --out, removed at the end)")
    option("--snapshots", metavar="FOLDER",
           help="also keep the network as it was after some epochs, for minicnn evolution")
    option("--at", type=numbers, default=list(snapshots.EPOCHS), metavar="N,FIRST..LAST,...",
           help="the epochs of --snapshots, 0 before training; the last is always kept (default: "
                f"{','.join(map(str, snapshots.EPOCHS))})")
    option("--plot", metavar="FILE.png", help="also plot loss and accuracy")
    option("--confusion", metavar="FILE.png", help="also draw which classes are taken for which")
    option("--show-augmentation", metavar="FILE.png",
           help="only draw what --augment does to some images")
    option("--evaluate", action="store_true",
           help="only measure the network of --weights, which has to be named, on the validation "
                "images")
    _hold_back_defaults(parser)


def _hold_back_defaults(parser):
    """Defaults come last, after the command line and --config: see `_merged`."""
    defaults = {action.dest: action.default for action in parser._actions if action.dest != "help"}
    for action in parser._actions:
        if action.dest != "help":
            action.help = (action.help or "").replace("%(default)s", str(action.default))
            action.default = argparse.SUPPRESS
    kinds = {action.dest: action for action in parser._actions}
    parser._defaults.clear()
    parser.set_defaults(held_back=(defaults, kinds))


def _merged(options):
    """All options: from the command line, else from --config, else the defaults."""
    defaults, kinds = options.held_back
    given = vars(options)
    config = _read(given["config"], kinds) if given.get("config") else {}
    merged = argparse.Namespace(**defaults | config | given)
    merged.out = free(merged.out)
    return merged


def _read(path, kinds):
    """The options in a TOML file, checked like those on the command line."""
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a TOML file: {error}") from None
    found = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        action = kinds.get(name)
        if action is None or name == "config":
            known = [kind.replace("_", "-") for kind in kinds]
            raise ValueError(f"{path}: there is no option {key!r}{near(key, known)}")
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        try:
            flag = isinstance(action.default, bool) or action.nargs == 0
            found[name] = value if flag else action.type(text) if action.type else text
        except argparse.ArgumentTypeError as error:
            raise ValueError(f"{path}: {key}: {error}") from None
        if action.choices is not None and found[name] not in action.choices:
            raise ValueError(f"{path}: {key}: expected one of {', '.join(action.choices)}, got "
                             f"{value!r}")
    return found


def run(options):
    """Train, and save the network; or measure one; or show an augmentation."""
    options = _merged(options)
    if options.data is None:
        raise ValueError("train: no data; name some, such as `minicnn train shapes`")
    for name in ("plot", "confusion", "show_augmentation"):
        if getattr(options, name):
            images.check_destination(getattr(options, name))
    vary = _augmentation(options.augment)
    if options.show_augmentation:
        return _show(options, vary)
    if options.evaluate:
        return _evaluate(options)
    images.check_destination(options.out, {".h5": "HDF5", ".hdf5": "HDF5"})
    network, training, validation = _network(options)
    return _train(options, network, training, validation, vary)


def _augmentation(chosen):
    for name in chosen:
        if name not in VARIATIONS:
            raise ValueError(f"--augment: there is no {name!r}; there are "
                             f"{', '.join(VARIATIONS)}{near(name, VARIATIONS)}")
    return chain(*(VARIATIONS[name] for name in chosen)) if chosen else None


def _show(options, vary):
    if vary is None:
        raise ValueError("--show-augmentation: name what to show, such as --augment lecture")
    training, _ = train.data.find(options.data, 64, seed=options.seed)
    some = np.random.default_rng(options.seed).choice(len(training), min(6, len(training)), False)
    images.save(options.show_augmentation, augmented.sheet(
        training.take(some).images, vary, seed=options.seed,
        title=f"{Path(options.data).name}: {', '.join(options.augment)}"))
    tell(options.show_augmentation)
    return 0


def _evaluate(options):
    if options.weights is None:
        raise ValueError("train --evaluate: no network to measure; name one, such as --weights "
                         f"{options.out}, or --weights minivgg for the shipped one")
    network = equipped(load(options.weights, label_file=options.labels), options)
    _, validation = _data(options, network)
    if other := named_otherwise(network, validation):
        number, ours, theirs = other[0]
        words = (f"{len(other)} of {len(validation.classes)} classes have other names in "
                 f"{options.weights} than in {options.data}, such as class {number}: {ours!r}, "
                 f"and {theirs!r} in the data")
        if 2 * len(other) > len(network.labels):
            raise ValueError(f"train --evaluate: {words}; name data of the network's own classes, "
                             "or give the network these names with --labels FILE")
        tell(f"minicnn: warning: {words}", file=sys.stderr)
    return _measure(options, options.weights, network, validation)


def _data(options, network):
    """(training data, validation data) in the network's size."""
    rule = network.needed_preprocessing().rule
    parts = train.data.find(options.data, network.input_shape[:2], rule, options.seed)
    return [train.data.fitted(part, network.input_shape) for part in parts]


def _network(options):
    """(network, training data, validation data), made for each other."""
    if options.weights and options.model:
        raise ValueError("train: give --model to begin anew, or --weights to go on, not both")
    if options.weights and options.batch_norm:
        raise ValueError("--batch-norm: only for a network trained from the start; trained weights "
                         "do not expect what it changes")
    if options.weights:
        network = load(options.weights, label_file=options.labels)
    else:
        grey = train.data.find(options.data)[0].images.shape[3] == 1
        make = getattr(models, options.model or ("lecture_mnist" if grey else "minivgg"))
        network = make()
    training, validation = _data(options, network)
    count = len(training.classes)
    if count != classes_of(network) and options.weights:
        network = head.replace(network, count)
    elif count != classes_of(network) and "classes" in inspect.signature(make).parameters:
        network = make(classes=count)
    one_score = network.shapes[network.logits][-1] == 1
    network.labels = training.classes[1:] if one_score else training.classes
    return network, training, validation


def _optimizer(options):
    rate = options.rate or RATES[options.optimizer]
    if options.optimizer == "adam" and options.decay:
        raise ValueError("--decay: adam has no weight decay; use --optimizer adamw")
    return {"sgd": lambda: train.SGD(rate, options.momentum, options.decay),
            "rmsprop": lambda: train.RMSprop(rate, decay=options.decay),
            "adam": lambda: train.Adam(rate),
            "adamw": lambda: train.AdamW(rate, decay=options.decay)}[options.optimizer]()


def _train(options, plain, training, validation, vary):
    learner = batch_norm.add(plain) if options.batch_norm else plain
    learner = equipped(learner.initialize(options.seed), options)
    checkpoint = Path(options.checkpoint or Path(options.out).with_suffix(".checkpoint.npz"))
    keep = None if options.snapshots is None else _keeper(options, learner, plain, checkpoint)
    optimizer = _optimizer(options)
    rate = SCHEDULES[options.schedule](optimizer.rate)
    rate = warm_up(rate, options.warm_up) if options.warm_up else rate
    history = []
    say = note if options.json else tell
    try:
        for epoch in train.fit(
                learner, training, options.epochs, optimizer, rate=rate, batch=options.batch,
                validation=validation, augment=vary, smoothing=options.smoothing,
                mixup=options.mixup, clip=options.clip, frozen=options.freeze, seed=options.seed,
                checkpoint=checkpoint, after=keep):
            say(epoch)
            history.append(epoch)
    except KeyboardInterrupt:
        print(f"minicnn: interrupted; the same command goes on from {checkpoint}", file=sys.stderr)
        return INTERRUPTED
    trained = learner.to("cpu").using("fast")
    if options.batch_norm:
        labels, trained = plain.labels, batch_norm.fold(trained, plain)
        trained.labels = labels
    _save(options, trained, validation)
    if options.plot:
        curves.plot(options.plot, history, f"{plain.name} on {Path(options.data).name}")
    if options.checkpoint is None:
        remove(checkpoint)
    return _measure(options, options.out, trained, validation, history)


def _keeper(options, learner, plain, checkpoint):
    """What keeps the snapshots; ValueError for a folder that has those of another training."""
    earlier = snapshots.there(options.snapshots)
    if earlier and not checkpoint.exists():
        raise ValueError(f"{options.snapshots}: has snapshots of an earlier training; remove them, "
                         "or name another folder for --snapshots")
    images.check_folder(options.snapshots, [snapshots.path("", options.epochs).name])
    return snapshots.Keeper(options.snapshots, learner, [*options.at, options.epochs],
                            plain if options.batch_norm else None)


def _save(options, network, validation):
    network.about = {"trained_on": Path(options.data).name, "epochs": options.epochs,
                     "validation_top1": train.accuracy(network, validation.images,
                                                       validation.labels)}
    network.probe = probe.make(network)
    hdf5.save(network, options.out)


def _measure(options, name, network, validation, history=()):
    measured = train.evaluate(network, validation)
    if options.confusion:
        confusion.plot(options.confusion, measured)
    if options.json:
        tell(*document(options.command, out=None if options.evaluate else options.out,
                       data=options.data, epochs=[one._asdict() for one in history],
                       **measured._asdict()).split("\n"))
        return 0
    first, *pairs = str(measured).split("\n")  # with names of classes, from files
    tell(f"{name} on the validation images of {options.data}: {first}", *pairs)
    return 0
