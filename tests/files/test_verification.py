"""A verification as a table and as a sentence."""

import nets
import numpy as np
import pytest
import small

from minicnn.files import probe, verification


@pytest.fixture
def network():
    network = small.network()
    network.probe = probe.make(network, "minicnn")
    return network


def test_the_table_of_a_right_network(network):
    lines = str(verification.verify(network)).splitlines()
    assert lines[0] == f"small: figures by {network.probe.by}; got in float32 on cpu"
    assert lines[2].split() == ["layer", "mean", "got", "deviation", "got", "error"]
    rows = lines[3:-2]
    assert [line.split()[0] for line in rows] == ["image", *network.names, "scores"]
    assert all(line.endswith(" ok") for line in rows)
    mean, deviation = network.probe.fingerprints[1, :2]
    assert rows[1].split()[1] == f"{mean:.6g}" and rows[1].split()[3] == f"{deviation:.6g}"
    assert lines[-1].startswith("Every layer agrees with ") and max(map(len, rows)) < 100


def test_the_table_marks_the_first_wrong_layer(network):
    nets.change(network, "norm1", alpha=0.5)
    result = verification.verify(network)
    lines = {line.split()[0]: line for line in str(result).splitlines()[3:-2]}
    assert lines["norm1"].endswith("WRONG <- the first")
    assert lines["pool1"].endswith("WRONG") and lines["relu1"].endswith("ok")
    text = result.message
    assert "expected" in text and "got" in text and "; 0.001 is allowed" in text
    assert text.endswith("; layer settings or the preprocessing have changed since the probe was "
                         "made")


def test_expected_and_got_are_the_figure_that_is_worst(network):
    network.params["fc"]["b"] = network.params["fc"]["b"] + np.float32(2)
    row = verification.verify(network).first
    shares = np.abs(row.found - row.expected) / np.maximum(row.expected[1], np.abs(row.expected))
    assert row.layer == "fc" and row.error == pytest.approx(shares.max())
    assert row.worst == shares.argmax()
    text = verification.verify(network).message
    assert f"expected {row.expected[row.worst]:.6g} (minicnn " in text
    assert f"got {row.found[row.worst]:.6g} (float32 on cpu)" in text


def test_a_layer_that_cannot_be_computed_any_more(network):
    network.params["fc"]["w"] = network.params["fc"]["w"][:-4]
    result = verification.verify(network)
    assert result.first.layer == "fc" and result.first.found is None and not result.ok
    assert result.message.startswith("fc is the first that differs from its probe: it was not "
                                     "computed: ")
    assert str(result).count(" -  ") >= 2


def test_a_number_that_is_not_finite_is_wrong(network):
    network.params["conv1"]["b"] = network.params["conv1"]["b"] * np.float32(np.nan)
    result = verification.verify(network)
    assert result.first.layer == "conv1" and result.first.error == np.inf


def test_float16_that_overflows_says_where(network):
    """The squares that LRN sums reach 65,504 long before the numbers do."""
    network.params["conv1"]["w"] = network.params["conv1"]["w"] * np.float32(1e4)
    made = probe.make(network, "minicnn")
    result = verification.verify(network.astype(np.float16), made)
    assert not result.ok and result.first.layer == "norm1"


def test_a_probe_of_other_layers(network):
    with pytest.raises(verification.ProbeError, match="network small: the probe is of other"):
        verification.verify(network.until("relu1"), network.probe)


def test_other_numbers_of_scores(network):
    other = probe.Probe(**vars(network.probe) | {"scores": np.ones(7)})
    result = verification.verify(network, other)
    assert result.first.layer == "scores"
    assert "expected 7 numbers, got 4" in result.message
