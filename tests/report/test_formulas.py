"""Formulas for a terminal: the same formula, in the signs of mathematics."""

import re
import unicodedata
from pathlib import Path

import pytest

from minicnn import ops
from minicnn.report import formulas
from minicnn.report.formulas import FORMULA, HEADING, TEXT, formula

PAGES = sorted(Path(ops.__file__).parent.glob("*.py"))
SHOWN = {
    # conv
    "y[n, p, q, o] = b[o] + sum_{i, j, c}  x[n, S p + D i - P, S q + D j - P, c] * w[i, j, c, o]":
    "y[n, p, q, o] = b[o] + Σ_{i, j, c}  x[n, S p + D i - P, S q + D j - P, c] · w[i, j, c, o]",
    "OH = floor((H + 2P - D*(K-1) - 1) / S) + 1": "OH = ⌊(H + 2P - D·(K-1) - 1) / S⌋ + 1",
    "y = cols @ W + b        (N*OH*OW, K) @ (K, O)":
    "y = cols @ W + b        (N·OH·OW, K) @ (K, O)",
    "        dcols = dy @ W^T        dW = cols^T @ dy        db = sum of dy over all positions":
    "        dcols = dy @ Wᵀ         dW = colsᵀ @ dy         db = sum of dy over all positions",
    "dW[k, o] = sum over r of cols[r, k] dy[r, o]       dW = cols^T @ dy":
    "dW[k, o] = Σ_r cols[r, k] dy[r, o]                 dW = colsᵀ @ dy",
    # pool
    "y[n, p, q, c] = max over (i, j) of  x[n, S p + i - P, S q + j - P, c]":
    "y[n, p, q, c] = max over (i, j) of  x[n, S p + i - P, S q + j - P, c]",
    "switch        = the place (i, j) that won, as the number i*KW + j: row by row":
    "switch        = the place (i, j) that won, as the number i·KW + j: row by row",
    "y[n, p, q, c] = sum over (i, j) of x[n, S p + i - P, S q + j - P, c] / A[p, q]":
    "y[n, p, q, c] = Σ_{i, j} x[n, S p + i - P, S q + j - P, c] / A[p, q]",
    # lrn
    "s[c] = k + a * sum over the n channels around c of x[c']^2":
    "s[c] = k + a · Σ over the n channels around c of x[c']²",
    "y[c] = x[c] * s[c]^(-beta)": "y[c] = x[c] · s[c]⁻ᵝ",
    '    convention="caffe"   a = alpha / n   Caffe, PyTorch, MATLAB: the default':
    '    convention="caffe"   a = α / n       Caffe, PyTorch, MATLAB: the default',
    "∂y[c']/∂x[c] = [c = c'] s[c']^(-beta)  -  2 a beta x[c] x[c'] s[c']^(-beta-1)":
    "∂y[c']/∂x[c] = [c = c'] s[c']⁻ᵝ  -  2 a β x[c] x[c'] s[c']⁻ᵝ⁻¹",
    "dx[c] = g[c] - 2 a beta x[c] * sum over the window of  dy[c'] y[c'] / s[c']":
    "dx[c] = g[c] - 2 a β x[c] · Σ over the window of  dy[c'] y[c'] / s[c']",
    # others
    "z = (x - m) / sqrt(v + epsilon)        y = gamma * z + beta":
    "z = (x - m) / √(v + ε)                 y = γ · z + β",
    "dgamma = sum of dy z": "dγ = sum of dy z",
    "y[k] = exp(x[k]) / sum over j of exp(x[j])": "y[k] = exp(x[k]) / Σ_j exp(x[j])",
    "loss = -(1/N) sum over n of log softmax(x[n])[label[n]]":
    "loss = -(1/N) Σ_n log softmax(x[n])[label[n]]",
    "y[n, :, :, c] = R @ x[n, :, :, c] @ Q^T": "y[n, :, :, c] = R @ x[n, :, :, c] @ Qᵀ",
    "count = ceil(H / S) where H >= K, and x <= 1": "count = ⌈H / S⌉ where H ≥ K, and x ≤ 1",
    "x^-1 + s^-beta + x^( - beta - 1) + x^10": "x⁻¹ + s⁻ᵝ + x⁻ᵝ⁻¹ + x¹⁰",
}


@pytest.mark.parametrize("written", SHOWN)
def test_a_formula(written):
    assert formula(written) == SHOWN[written]


@pytest.mark.parametrize("line", [
    "y = x**2, f(*x), (n, *out, c)", "x^2y", "x^2.5", "x^(1/2)", "x^n", "sum_positions(dy)",
    "alphabet, beta_1, my_gamma", "dy += y", "floor(a", "floor(((((a)))))", "the sum over j of x",
    "the sum over all windows", 'border="alpha * beta"', "`alpha * beta >= 1`", "y = x_1 + x_2",
    ">>> 2 * alpha", "* a point", ""])
def test_what_is_no_formula_or_not_in_the_table_stays(line):
    assert formula(line) == line


def test_quotes_do_not_hide_what_is_beside_them():
    assert formula('"a * b" * `rate` * beta') == '"a * b" * `rate` * β'


def words(line):
    """The names and numbers of a formula in order, but for those that signs stand for."""
    line = re.sub(f"[{formulas.RAISED}]+", lambda power: f" {power[0]} ", line)
    line = unicodedata.normalize("NFKC", line)  # what is raised comes down
    for sign, name in (("α", "alpha"), ("β", "beta"), ("γ", "gamma"), ("ε", "epsilon"), ("Σ", "")):
        line = line.replace(sign, name)
    line = re.sub(r"\b(floor|ceil|sqrt)(?=\()|\bsum(?= over)|\bsum(?=_)", "", line)
    return [word for word in re.findall(r"[^\W_]+", line) if word not in ("over", "of")]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_name_or_number_of_a_page_is_lost_or_moved(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        assert words(formula(line)) == words(line)
        assert len(formula(line)) <= len(line)


def test_the_rule_finds_a_formula_that_changed():
    assert words("Σ_j ⌊s[c]⁻ᵝ⌋ · x²") == words("sum over j of floor(s[c]^(-beta)) * x^2")
    assert words("s[c]⁻ᵝ") != words("s[c]^(-beta-1)") and words("a · b") != words("b * a")


def test_running_text_headings_and_formulas():
    page = ("The title: y = x * w.\n\n    y = x * w\n\nmore * text\n\n"
            "Backward\n    first * text:\n\n        dx = dy * w\n\n    text again\n"
            "    a = 1    b = 2\n\nThe end:\n\n    y = 1")
    assert [(kind, line.strip()) for line, kind in formulas.lines(page) if line] == [
        (TEXT, "The title: y = x * w."), (FORMULA, "y = x * w"), (TEXT, "more * text"),
        (HEADING, "Backward"), (TEXT, "first * text:"), (FORMULA, "dx = dy * w"),
        (TEXT, "text again"), (FORMULA, "a = 1    b = 2"), (TEXT, "The end:"), (FORMULA, "y = 1")]
    assert "\n".join(line for line, _ in formulas.lines(page)) == page


@pytest.mark.parametrize("encoding, can", [
    ("utf-8", True), ("utf-16", True), ("ascii", False), ("latin-1", False), ("cp437", False),
    ("no such", False)])
def test_what_an_encoding_can_show(encoding, can):
    assert formulas.can_show(encoding) == can


def test_all_signs_are_asked_of_the_encoding(monkeypatch):
    monkeypatch.setattr(formulas, "TABLE", [("x", "é")])
    monkeypatch.setattr(formulas, "RAISED", "²")
    assert not formulas.can_show("latin-1")  # for ∂, which pages have
