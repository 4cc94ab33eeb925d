"""Step figures folded away on a larger page, which remains one file.

    body = folded.with_script([..., folded.details(figure), ...])

A figure is made when it is unfolded, in a frame of its own, so that neither page has the other's
style. All figures of a page share one copy of their script and style sheet, 75 kB; each has some
kB of its own. Without JavaScript the tables of a figure's numbers remain.
"""

import json
from base64 import b64encode
from hashlib import sha256
from html import escape

from minicnn.report import page
from minicnn.report.stepfigures import figure as one

SUMMARY = "Step through this input: what the right op does with it"
MARK = '<details class="steps">'
FRAMED = """
html { overflow-x: auto; overflow-y: hidden; }
body { margin: 0; padding: 0.8rem; max-width: none; font-size: 16px; } h1 { font-size: 1.3rem; }
"""
UNFOLD = """
const {before, after} = JSON.parse(document.getElementById("steps").textContent);
for (const folded of document.querySelectorAll("details.steps"))
  folded.addEventListener("toggle", () => {
    const inside = folded.querySelector("template"), frame = document.createElement("iframe");
    if (!inside) return;
    frame.title = folded.querySelector("summary").textContent;
    frame.style = "box-sizing: border-box; width: 100%; height: 60rem; border: 1px solid #ddd";
    frame.onload = () => {
      const body = frame.contentDocument && frame.contentDocument.body;
      if (body) new ResizeObserver(() => {
        frame.style.height = `${body.offsetHeight + 20}px`;
      }).observe(body);
    };
    frame.srcdoc = before + inside.innerHTML + after;
    inside.replaceWith(frame);
  });
"""


def details(figure, summary=SUMMARY):
    """A figure folded away, as HTML, for a page `with_script`.

    Parameters
    ----------
    figure : StepFigure or None
        "" comes of None.
    summary : str
        What is to be clicked; text.

    Raises
    ------
    ValueError
        A result of the figure is not finite.
    """
    if figure is None:
        return ""
    return (f"{MARK}<summary>{escape(summary)}</summary>\n"
            f"<noscript>{''.join(figure.still)}</noscript>\n<template>"
            + "\n".join([f"<h1>{escape(figure.title)}</h1>", *figure.body()])
            + "</template></details>")


def with_script(body):
    """The pieces of a page's body, and what its folded figures need, if there are any."""
    return [*body, _shared()] if any(MARK in piece for piece in body) else list(body)


def _shared():
    before = ('<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<meta name="viewport" '
              'content="width=device-width">\n<title>Step figure</title>\n'
              f"<style>{page.STYLE}{one.style()}{FRAMED}</style>\n")
    text = json.dumps({"before": before, "after": one.script()}).replace("<", one.LESS)
    return (f'<script type="application/json" id="steps">{text}</script>\n'
            f"<script>{UNFOLD}</script>")


def allowed():
    """What the Content-Security-Policy of a page with figures has to allow, for their frames, too.
    """
    inside = one.script().removeprefix("<script>").removesuffix("</script>")
    hashes = " ".join(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
                      for text in (UNFOLD, inside))
    return f"script-src {hashes}"
