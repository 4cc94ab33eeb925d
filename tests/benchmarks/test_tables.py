"""The tables, on known figures."""

import pytest
import tables
from measured import ABOUT, ABOUT_GPU, gpu_row, gpu_section, memory, row, section, too_large


@pytest.mark.parametrize(("seconds", "words"), [
    (1.2345, "1234"), (0.1, "100"), (0.0996, "99.6"), (0.00123456, "1.23"), (2e-5, "0.02")])
def test_three_digits_of_milliseconds(seconds, words):
    assert tables.milliseconds(seconds) == words


def test_a_pass_is_a_column_and_a_place_a_line():
    table = tables.ratio_table([
        row(), row("forward + image gradient", (1.1, 1.3, 1.4), (2.0, 1.5)),
        row(batch=8, seconds=(1.0, 2.0))])
    assert table == """\
minicnn / PyTorch, then milliseconds of each.

| network | batch | forward | forward + image gradient |
| --- | --- | --- | --- |
| vgg16 | 1 | 0.47 (0.45 .. 0.50), 71.1 / 145 ms | 1.30 (1.10 .. 1.40), 2000 / 1500 ms |
| vgg16 | 8 | 0.47 (0.45 .. 0.50), 1000 / 2000 ms |  |

Above 1.2: 1 of 3. 1.30 vgg16 forward + image gradient, batch 1."""


def test_layers_show_their_shape_where_they_differ():
    table = tables.ratio_table([row(layer="conv1_1", shape="224x224x3 -> 64, 3x3"),
                              row(layer="conv1_2", shape="224x224x64 -> 64, 3x3")])
    assert "| network | layer | shape | batch | forward |" in table
    assert "| vgg16 | conv1_2 | 224x224x64 -> 64, 3x3 | 1 | 0.47" in table
    assert "Above" not in table


def test_what_is_slower_is_listed_worst_first():
    listed = tables.slower([row(ratio=(1, 1.21, 2)), row(ratio=(1, 1.2, 2)),
                          row(layer="conv2", batch=8, ratio=(1, 3, 4))])
    assert listed == "Above 1.2: 2 of 3. 3.00 vgg16 conv2 forward, batch 8; 1.21 vgg16 forward, " \
                     "batch 1."


def test_memory_is_told_with_and_without_the_library():
    table = tables.memory_table([memory(40.0, 140.0, 220.0, 420.0)])
    assert table.splitlines()[-1] == (
        "| vgg16 | 1 | forward | 140 / 420 | 0.33 | 100 / 200 | 0.50 |")
    assert "whole process, MB, minicnn / PyTorch" in table


def test_a_student_s_ratios_stand_side_by_side():
    student = row(layer="conv1_2", shape="224x224x64 -> 64, 3x3") | {
        "seconds": {"loops": 0.1, "fancy": 0.5, "ours": 0.02},
        "ratios": {"loops / ours": [4.0, 5.0, 6.0], "fancy / ours": [24.0, 25.0, 26.0]}}
    lines = tables.student_table([student]).splitlines()
    assert lines[0].endswith("| minicnn, ms | slices and tensordot / minicnn | "
                             "fancy index and add.at / minicnn |")
    assert lines[2] == ("| vgg16 | conv1_2 | 224x224x64 -> 64, 3x3 | forward | 20 | "
                        "5.00 (4.00 .. 6.00) | 25.00 (24.00 .. 26.00) |")


def test_curves_join_time_and_memory():
    on = {"curve": "side", "side": 64}
    table = tables.scaling_table([
        memory(40.0, 140.0, 220.0, 420.0, **on), row(threads=1, **on), row(threads=2, **on),
        too_large(31000.0, 18000.0, curve="side", side=1024)])
    assert table.splitlines() == [
        "| curve | side | batch | 1 thread | 2 threads | peak memory |",
        "| --- | --- | --- | --- | --- | --- |",
        "| side | 64 | 1 | 0.47 (0.45 .. 0.50), 71.1 / 145 ms | 0.47 (0.45 .. 0.50), 71.1 / 145 "
        "ms | minicnn 140 MB / PyTorch 420 MB |",
        "| side | 1024 | 1 |  |  | does not fit: needs about 31000 MB, has 18000 |"]


def test_the_machine_is_named():
    assert tables.machine_line(ABOUT) == (
        "2026-01-02T03:04+00:00, A Processor, 2 cores, 1 thread each, Python 3.11.7, 7 pairs. "
        "minicnn: minicnn 0.1, numpy 2.4, openblas 0.3 Zen; PyTorch: torch 2.13, AVX512.")
    assert "1 thread each, held to AVX2, " in tables.machine_line(ABOUT | {"avx2": True})


def test_all_sections_in_their_order():
    whole = tables.markdown({"memory": section(memory(1, 2, 3, 4)),
                           "networks": section(row(), complete=False)})
    headings = [line for line in whole.splitlines() if line.startswith("#")]
    assert headings == ["# Speed", "## networks (interrupted)", "## memory"]
    assert whole.count("A Processor") == 2


def test_a_line_while_it_is_measured():
    assert tables.line(row(layer="conv1_2", shape="a shape", side=64)) == (
        "vgg16 conv1_2 a shape side 64 batch 1 threads 2, forward: 0.47 (0.45 .. 0.50), "
        "71.1 / 145 ms")


# ---- on a GPU

def test_a_gpu_s_table_has_ratios_roofline_and_memory():
    table = tables.gpu_table([gpu_row(),
                              gpu_row(batch=8, seconds=(0.016, 0.01, 0.01), least=0.008)])
    assert table == """\
| network | batch | pass | minicnn / PyTorch | PyTorch channels last / PyTorch | ms, minicnn / \
PyTorch channels last / PyTorch | of the roofline | MB |
| --- | --- | --- | --- | --- | --- | --- | --- |
| vgg16 | 1 | forward | 0.50 (0.50 .. 0.50) | 0.25 (0.25 .. 0.25) | 2 / 1 / 4 | \
50% / 100% / 25% | 100 / 210 / 200 |
| vgg16 | 8 | forward | 1.60 (1.60 .. 1.60) | 1.00 (1.00 .. 1.00) | 16 / 10 / 10 | \
50% / 80% / 80% | 100 / 210 / 200 |

Above 1.2: 1 of 2. 1.60 vgg16 forward, batch 8."""


def test_what_did_not_fit_on_the_card_stands_in_its_line():
    full = {"full": "torch"}
    plain = {key: gpu_row()[key] for key in ("network", "what", "layer", "side", "shape",
                                             "threads")} | {"batch": 128}
    table = tables.gpu_table([gpu_row(), plain | full])
    assert table.splitlines()[3] == (
        "| vgg16 | 128 | forward | does not fit on the card (PyTorch) |  |  |  |  |")
    assert tables.line(plain | full).endswith("forward: does not fit on the card (PyTorch)")
    assert "does not fit" in tables.gpu_table([plain | full])


def test_a_texture_s_steps_a_second():
    table = tables.gram_table([gpu_row("Gram-loss step", (0.05, 0.04, 0.04), side=512)])
    assert table.splitlines()[-1] == (
        "512 pixels: minicnn 20 steps per second, 300 steps in 15 s, PyTorch channels last 25 "
        "steps per second, 300 steps in 12 s, PyTorch 25 steps per second, 300 steps in 12 s.")


def test_the_card_is_named_with_what_it_reached():
    line = tables.machine_line(ABOUT_GPU)
    assert line.endswith("A Card, 24000 MB, driver 570.1; a matrix product reached 40 TFLOP/s, a "
                         "copy 800 GB/s.")
    assert "minicnn: minicnn 0.1, cupy 14.0, cuda 12.8" in line and "cudnn 90800" in line


def test_a_gpu_s_sections_in_their_order():
    whole = tables.markdown({"gram": gpu_section(gpu_row(side=512)),
                           "networks": gpu_section(gpu_row())})
    headings = [line for line in whole.splitlines() if line.startswith("#")]
    assert headings == ["# Speed on a GPU", "## networks", "## gram"]
    assert not tables.of_gpu({"networks": section(row())})


def test_the_twins_gain_over_their_pages():
    def timed(op, what, ours, plain):
        return row(what, op=op) | {"seconds": {"ours": ours, "plain": plain, "torch": 1.0}}

    rows = [timed("conv", "forward", 1.0, 2.0), timed("conv", "forward", 1.0, 6.0),
            timed("conv", "forward", 1.0, 3.0), timed("relu", "input gradient", 2.0, 1.0)]
    assert tables.gains(rows) == (
        "The twins' gain over their pages: conv forward 3.00 (2.00 .. 6.00 of 3); "
        "relu input gradient 0.50 (0.50 .. 0.50 of 1).")
    assert tables.gains([row()]) == ""
