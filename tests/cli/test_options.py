"""What the commands share: the options of each are those of its function, with its defaults."""

import inspect
import re

import pytest

from minicnn import vis
from minicnn.cli import COMMANDS, build_parser, main
from minicnn.network import Network
from minicnn.report.tour import tour

FUNCTIONS = {
    "deepdream-image": vis.deepdream_image, "dream": vis.dream, "zoom": vis.zoom,
    "tour": tour, "maximize": vis.maximize, "filters": vis.filters,
    "deconvnet": vis.deconvnet, "texture": vis.texture,
    "classify": Network.classify, "summary": Network.summary,
    "activations": vis.activations, "kernels": vis.kernels, "hypercolumns": vis.hypercolumns,
    "compare": vis.compare, "saliency": vis.saliency, "gradcam": vis.gradcam,
    "occlusion": vis.occlusion, "strongest": vis.strongest,
}
POSITIONAL = {"compare": ["photos"], "strongest": ["photos"],
              "saliency": ["image"], "gradcam": ["image"], "occlusion": ["image"],
              "dream": ["image"], "zoom": ["image"],
              "tour": ["photo"], "deconvnet": ["image"], "texture": ["image"],
              "activations": ["image"], "hypercolumns": ["image"],
              "classify": ["image"]}
ELSEWHERE = {"network", "self", "progress", "watch", "folder"}  # folder is --out
NO_OPTION = {("classify", "size")}
OWN_OPTIONS = {"convert", "doctor", "fetch", "replay", "bench"}  # see their own tests


def options(command):
    """(name, default) of each parameter that is an option."""
    parameters = inspect.signature(FUNCTIONS[command]).parameters
    return [(name, p.default) for name, p in parameters.items()
            if name not in ELSEWHERE and name not in POSITIONAL.get(command, ())
            and (command, name) not in NO_OPTION]


def help_by_option(text):
    """{"seed": "N  for the start (default: 0)"} from what --help prints."""
    _, _, listed = text.partition("\noptions:")
    pieces = re.split(r"\s--(?=\w)", " ".join(listed.split()))
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
            assert told == ["as said" if default is None else str(default)], name
    assert "(default: minivgg)" in shown["weights"] and "(default: cpu)" in shown["device"]


@pytest.mark.parametrize("command", FUNCTIONS)
def test_an_option_not_given_is_the_function_s_default(command):
    needed = {"compare": ["photo", "--against", "b"], "strongest": ["photo"],
              "saliency": ["photo"], "gradcam": ["photo"], "occlusion": ["photo"],
              "dream": ["photo"],
              "deconvnet": ["photo", "--layer", "a"], "texture": ["photo"],
              "activations": ["photo"], "hypercolumns": ["photo"],
              "classify": ["photo"]}
    arguments = [command, *needed.get(command, [])]
    chosen = vars(build_parser(arguments).parse_args(arguments))
    for name, default in options(command):
        if default is not inspect.Parameter.empty:
            assert chosen[name] == default, name
    if command == "tour":
        assert chosen["out"] == inspect.signature(tour).parameters["folder"].default


def test_every_command_is_listed_and_checked():
    assert set(FUNCTIONS) | OWN_OPTIONS == set(COMMANDS)


def test_text_goes_to_a_file_when_asked(said, weights, photo, tmp_path):
    for command in (["summary"], ["classify", photo]):
        printed = said(*command, "--weights", weights)
        out = tmp_path / "text.txt"
        assert said(*command, "--weights", weights, "--out", out) == ""
        assert out.read_text(encoding="utf-8") == printed != ""
