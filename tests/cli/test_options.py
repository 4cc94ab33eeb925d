"""What the commands share: the options of each are those of its function, with its defaults."""

import inspect
import re
from dataclasses import fields

import pytest

from minicnn import vis
from minicnn.cli import COMMANDS, build_parser, main
from minicnn.network import Network
from minicnn.report.tour import tour
from minicnn.vis.options import shown

FUNCTIONS = {
    "deepdream-image": vis.deepdream_image, "dream": vis.dream, "zoom": vis.zoom,
    "tour": tour, "maximize": vis.maximize, "filters": vis.filters,
    "deconvnet": vis.deconvnet, "texture": vis.texture, "style": vis.style, "invert": vis.invert,
    "classify": Network.classify, "summary": Network.summary,
    "activations": vis.activations, "kernels": vis.kernels, "hypercolumns": vis.hypercolumns,
    "compare": vis.compare, "saliency": vis.saliency, "gradcam": vis.gradcam,
    "occlusion": vis.occlusion, "strongest": vis.strongest,
    "evolution": vis.evolution,
}
POSITIONAL = {"compare": ["photos"], "strongest": ["photos"], "evolution": ["networks", "photos"],
              "saliency": ["image"], "gradcam": ["image"], "occlusion": ["image"],
              "dream": ["image"], "zoom": ["image"],
              "tour": ["photo"], "deconvnet": ["image"], "texture": ["image"],
              "style": ["image", "styles"],
              "invert": ["image"],
              "activations": ["image"], "hypercolumns": ["image"],
              "classify": ["image"]}
ELSEWHERE = {"network", "self", "progress", "watch", "folder", "keep"}  # folder is --out
NO_OPTION = {("classify", "size"),
             ("tour", "weights"), ("tour", "labels")}  # for the commands on its page
NO_WEIGHTS = {"evolution"}  # works on several networks
OWN_OPTIONS = {"check", "course", "convert", "doctor", "fetch", "replay", "bench", "explain",
               "classes", "lesson", "train", "completion"}  # own tests


def options(command):
    """(name, default) of each parameter that is an option."""
    parameters = inspect.signature(FUNCTIONS[command]).parameters
    return [(name, p.default) for name, p in parameters.items()
            if name not in ELSEWHERE and name not in POSITIONAL.get(command, ())
            and (command, name) not in NO_OPTION]


OF_NONE = {  # what --help says of a default None that no Options class has words for
    "target": "the most probable class",
    ("maximize", "layer"): "the class scores",
    ("deepdream-image", "layer"): "the class scores",
    ("kernels", "layer"): "the first convolution",
    ("gradcam", "layer"): "the last one that computes them",
    ("occlusion", "layer"): "the last layer that computes feature maps",
    ("occlusion", "channel"): "the map with the largest total activation",
    ("deconvnet", "channel"): "the map with the strongest activation",
    ("deconvnet", "position"): "the strongest activation",
    ("strongest", "layers"): "all layers of rectified feature maps",
    ("strongest", "channels"): "all",
    ("evolution", "layers"): "all layers of rectified feature maps",
    ("evolution", "channels"): "as many as count says, drawn at random",
    ("filters", "layers"): "every convolution, or the ReLU after it with a preset that makes a "
                           "mean large",
    ("activations", "layers"): "all layers",
    ("hypercolumns", "layers"): "the last layer of each map size",
    ("texture", "layers"): "the first ReLU and four poolings",
    ("style", "content_layers"): "as in VGG, see vis.style",
    ("style", "style_layers"): "as in VGG, see vis.style",
    ("invert", "layers"): "the last feature maps of each size, and the class scores",
    ("dream", "layers"): "deep feature maps that see little more than the whole image",
    ("zoom", "layers"): "deep feature maps that see little more than the whole image",
}
SILENT = {("maximize", "target"), ("maximize", "preset"), ("deepdream-image", "verbose")}


def defaults(command, name, default):
    """What --help says of a default: in words for None, by an Options class or the table above."""
    cls = getattr(FUNCTIONS[command], "options", None)
    words = {one.name: shown(one) for one in fields(cls)} if cls else {}
    if name in words:
        return [words[name]]
    if default is not None:
        return [str(default)]
    if (command, name) in SILENT:
        return []
    return [OF_NONE.get((command, name)) or OF_NONE[name]]


def help_by_option(text):
    """{"seed": "N  for the start (default: 0)"} from what --help prints."""
    listed = text.partition("\noptions:")[2]
    pieces = re.split(r"\s--(?=\w)", " ".join(["", *listed.split()]))
    return {name: words for name, _, words in (piece.partition(" ") for piece in pieces)}


@pytest.mark.parametrize("command", FUNCTIONS)
def test_help_shows_the_function_s_own_defaults(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    shown = help_by_option(capsys.readouterr().out)
    assert end.value.code == 0
    for name, default in options(command):
        told = re.findall(r"\(default: ([^)]*)\)", shown[name.replace("_", "-")])
        if default is inspect.Parameter.empty:
            assert not told
        else:
            assert told == defaults(command, name, default), name
    assert "(default: cpu)" in shown["device"]
    assert command in NO_WEIGHTS or "(default: minivgg)" in shown["weights"]


@pytest.mark.parametrize("command", FUNCTIONS)
def test_an_option_not_given_is_the_function_s_default(command):
    needed = {"compare": ["photo", "--against", "b"], "strongest": ["photo"],
              "evolution": ["folder", "photo"],
              "saliency": ["photo"], "gradcam": ["photo"], "occlusion": ["photo"],
              "dream": ["photo"],
              "deconvnet": ["photo", "--layer", "a"], "texture": ["photo"],
              "style": ["photo", "painting"],
              "invert": ["photo"],
              "activations": ["photo"], "hypercolumns": ["photo"],
              "classify": ["photo"]}
    arguments = [command, *needed.get(command, [])]
    chosen = vars(build_parser(arguments).parse_args(arguments))
    cls = getattr(FUNCTIONS[command], "options", None)
    absent = {one.name for one in fields(cls)} if cls else set()  # a preset's stays in their place
    assert not absent & chosen.keys()
    for name, default in options(command):
        if default is not inspect.Parameter.empty and name not in absent:
            assert chosen[name] == default, name
    if command == "tour":
        assert chosen["out"] == inspect.signature(tour).parameters["folder"].default


WITH_OPTIONS = [command for command, function in FUNCTIONS.items()
                if getattr(function, "options", None)]


@pytest.mark.parametrize("command", WITH_OPTIONS)
def test_help_docstring_and_signature_tell_of_an_option_in_the_same_words(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    helped = help_by_option(capsys.readouterr().out)
    module = FUNCTIONS[command]
    function = getattr(module, module.__name__.rpartition(".")[2])
    documented = " ".join(inspect.getdoc(function).split())
    for one in fields(module.options):
        words = " ".join(one.metadata["words"].split())
        assert words in helped[one.name.replace("_", "-")], one.name
        assert f"{one.name} : {one.metadata['kind']}, default {shown(one)} {words[0].upper()}" in (
            documented), one.name
        assert inspect.signature(module).parameters[one.name].default == one.default


def test_nearly_every_method_has_options():
    assert len(WITH_OPTIONS) >= 13


@pytest.mark.parametrize("command", [
    ["deepdream-image", "--channels"], ["strongest", "a.png", "--channels"],
    ["maximize", "--channel"], ["maximize", "--target"], ["kernels", "--filters"],
    ["kernels", "--inputs"]])
def test_ranges_and_lists_are_taken_wherever_there_may_be_several(command, capsys):
    chosen = vars(build_parser(command).parse_args([*command, "0..5,9"]))
    assert chosen[command[-1].lstrip("-")] == [0, 1, 2, 3, 4, 5, 9]
    for wrong, words in [("5..2", "expected FIRST..LAST, got '5..2'"),
                         ("0..99999999999", "expected at most 100,000 numbers")]:
        with pytest.raises(SystemExit):
            build_parser(command).parse_args([*command, wrong])
        assert words in capsys.readouterr().err


@pytest.mark.parametrize("command", ["deconvnet", "occlusion"])
def test_where_there_is_one_a_range_is_told(command, capsys):
    with pytest.raises(SystemExit):
        build_parser([command]).parse_args([command, "a.png", "--channel", "0..5"])
    assert "expected a whole number of at least 0, got '0..5'" in capsys.readouterr().err

def test_every_command_is_listed_and_checked():
    assert set(FUNCTIONS) | OWN_OPTIONS == set(COMMANDS)


def test_text_goes_to_a_file_when_asked(said, weights, photo, tmp_path):
    for command in (["summary"], ["classify", photo]):
        printed = said(*command, "--weights", weights)
        out = tmp_path / "text.txt"
        assert said(*command, "--weights", weights, "--out", out) == ""
        assert out.read_text(encoding="utf-8") == printed != ""
