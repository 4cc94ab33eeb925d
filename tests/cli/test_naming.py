"""Default names of results that are not taken."""

from minicnn import images
from minicnn.cli.naming import Default, free
from minicnn.files.unfinished import PREFIX


def test_a_name_that_the_user_chose_is_kept(tmp_path):
    (tmp_path / "m.png").touch()
    assert free(str(tmp_path / "m.png")) == str(tmp_path / "m.png") and free(None) is None


def test_a_default_is_numbered_where_something_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert free(Default("maximize.png")) == "maximize.png"
    for taken, expected in [("maximize.png", "maximize-2.png"), ("maximize-2.json",
                                                                 "maximize-3.png")]:
        (tmp_path / taken).touch()
        assert free(Default("maximize.png")) == expected
    (tmp_path / "maximize-3").mkdir()  # empty
    assert free(Default("maximize.png")) == "maximize-3.png"
    (tmp_path / "maximize-3" / "a.png").touch()
    assert free(Default("maximize.png")) == "maximize-4.png"
    assert isinstance(free(Default("maximize.png")), Default)


def test_what_belongs_to_something_else_is_no_result(tmp_path, monkeypatch):
    """A photo of another kind, and a training's checkpoint, which the same command goes on from."""
    monkeypatch.chdir(tmp_path)
    for name in ("dream.jpg", "trained.checkpoint.npz"):
        (tmp_path / name).touch()
    assert free(Default("dream.png")) == "dream.png" and free(Default("trained.h5")) == "trained.h5"


def test_a_folder_with_unfinished_work_is_gone_on_with(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "strongest" / f"{PREFIX}0123").mkdir(parents=True)
    assert free(Default("strongest")) == "strongest"
    (tmp_path / "strongest" / "strongest.h5").touch()
    assert free(Default("strongest")) == "strongest-2"


def test_a_second_run_replaces_nothing(said, weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = ["maximize", "--weights", weights, "--layer", "relu2", "--steps", 1]
    first, second = said(*command, "--seed", 1), said(*command, "--seed", 2)
    assert first.startswith("maximize.png: ") and second.startswith("maximize-2.png: ")
    one, two = (images.load(tmp_path / name / f"{name}.png") for name in ("maximize", "maximize-2"))
    assert (one != two).any()
    assert said(*command, "--seed", 3, "--out", "maximize.png").startswith("maximize.png: ")
