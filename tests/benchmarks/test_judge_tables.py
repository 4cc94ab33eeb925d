"""The tables of the comparison of checkers: that they count rightly."""

import judge_tables
from judge_tables import CAUGHT, LATE, MISSED
from our_checkers import JUDGE, TWIN

LOOP = "CS231n's loop"


def layer(cause="", groups=None, **answers):
    about = {"op": "conv", "base": "loops", "cause": cause, "also": "", "answers": answers}
    return about if groups is None else {"groups": groups, "answers": answers}


def test_a_complaint_about_the_right_base_as_well_is_no_catch():
    layers = {"base: conv, loops": layer(one=[MISSED, "", 1], other=[CAUGHT, "", 1]),
              "wrong: 1": layer("flip", one=[CAUGHT, "", 1], other=[CAUGHT, "", 1])}
    result = {"layers": layers}
    assert judge_tables.counted(result, "one", ["wrong: 1"], CAUGHT) == 1
    assert judge_tables.counted(result, "other", ["wrong: 1"], CAUGHT) == 0


def test_alarms_are_counted_by_group():
    layers = {"right 0: a": layer(groups=[], **{LOOP: [MISSED, "", 1]}),
              "right 1: b": layer(groups=["float32"], **{LOOP: [CAUGHT, "", 1]}),
              "right 2: c": layer(groups=["float32", "with ties"], **{LOOP: [LATE, "", 1]})}
    layers["base: conv, loops"] = layer(**{LOOP: [CAUGHT, "", 1]})
    rows = judge_tables.alarm_table({"layers": layers}).splitlines()[2:]
    assert rows[:4] == ["| bases of the wrong layers | 1 | 1 |", "| right settings | 3 | 2 |",
                        "| none of the following | 1 | 0 |", "| float32 | 2 | 2 |"]
    layers["right 3: d"] = layer(groups=[])
    rows = judge_tables.alarm_table({"layers": layers}).splitlines()[2:]
    assert rows[1] == "| right settings | 4 | 2 of 3 |"


def test_the_cause_is_right_if_it_is_the_first_or_the_second_one():
    layers = {"wrong: 1": layer("flip", **{JUDGE: [CAUGHT, "flip", 1]}),
              "wrong: 2": layer("swap", **{JUDGE: [CAUGHT, "flip", 1]}),
              "wrong: 3": layer("swap", **{JUDGE: [CAUGHT, "flip", 1]}) | {"also": "flip"}}
    assert judge_tables.named({"layers": layers}, list(layers)) == 2
    rows = judge_tables.caught_table({"layers": layers}, list(layers), [JUDGE]).splitlines()
    assert rows[0] == "| cause | layers | minicnn's judge | cause named |"
    assert rows[2:5] == ["| swap | 2 | 2 | 1 |", "| flip | 1 | 1 | 1 |",
                         "| **all** | 3 | **3** (100 %) | **2** (67 %) |"]


def test_the_layers_that_show_at_the_plain_setting_are_counted_apart():
    twin = {TWIN: [CAUGHT, "", 1]}
    layers = {"wrong: 1": layer("flip", **{LOOP: [CAUGHT, "", 1]} | twin),
              "wrong: 2": layer("flip", **{LOOP: [MISSED, "", 1]})}
    table = judge_tables.caught_table({"layers": layers}, list(layers), [LOOP])
    assert "| **all** | 2 | **1** (50 %) |" in table
    assert "| whose numbers are wrong at the plain setting | 1 | **1** (100 %) |" in table


def test_a_kind_is_told_with_what_it_alone_catches():
    one, other = TWIN, "dtype kept alone"
    layers = {"wrong: 1": layer("flip", **{one: [CAUGHT, "", 1], other: [MISSED, "", 1]}),
              "wrong: 2": layer("dtype", **{one: [CAUGHT, "", 1], other: [CAUGHT, "", 1]})}
    rows = judge_tables.kinds_table({"layers": layers}, list(layers), [one, other]).splitlines()[2:]
    assert rows[0].startswith("| naive twin | **2** (100 %) | 1 | flip 1, dtype 1 |")
    assert rows[1].startswith("| dtype kept | **1** (50 %) | 0 | dtype 1 |")
    assert rows[2].startswith("| together | **2** (100 %) |")


def test_the_record_says_that_the_judge_knew_its_wrong_layers_and_tells_of_the_blind_test():
    result = {"layers": {}, "about": dict.fromkeys(("date", "processor", "cores", "python",
                                                    "minicnn")),
              "count": 0, "published": [], "checkers": {}}
    text = judge_tables.markdown(result)
    assert "were at hand while the judge was written" in text
    assert "| of these, the right version was left alone | **54** (90 %) |" in text
