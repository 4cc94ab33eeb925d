"""Step figures: one op on small arrays of your own, as a page on which every number can be touched.

    from minicnn.report import stepfigures
    stepfigures.step_conv(x, w, stride=2).save("window.html")

| function | figure |
|---|---|
| step_conv | a convolution's windows: patch times kernel, product by product; who reads a pixel |
| step_conv_back | its way back: dy spreads the kernel onto dx, overlaps add up; dw and db |
| step_columns | im2col and col2im: a window in each row; the copies of a pixel |
| step_pool | max pooling, its switches, and unpooling with overlap |
| step_relu | the three rules of a ReLU side by side |
| step_lrn | local response normalisation, its window across channels and its cross term |
| step_gram | two maps, their products, one entry of the Gram matrix |
| step_deconvnet | a deconvnet's way down a network, stage by stage, from a unit to the photo |

Each returns a `figure.StepFigure`: `save` writes it as one HTML file that needs nothing else, and a
notebook shows it. `of_op.of_op` makes that of an op at an input where somebody's answer is wrong;
`folded.details` folds a figure away on a larger page.

The numbers are those of the library's op, run in float64. Where the reader chooses other settings
or types other numbers, the page computes the results itself (`steps.js`); the tests hold that
arithmetic against the library. Without JavaScript, tables of the op's numbers remain.

What belongs here: what the figures show and say (a file for each op; `of_op.py`), the page
(`figure.py`, `folded.py`, `steps.js`, `steps.css`), its tables without JavaScript (`tables.py`),
the checks of a reader's arrays (`arrays.py`), and figures of small arrays (`examples.py`). What
does not: which lesson has which figure (`minicnn.course.figures`).
"""

from minicnn.report.stepfigures.conv import step_columns, step_conv, step_conv_back
from minicnn.report.stepfigures.deconvnet import step_deconvnet
from minicnn.report.stepfigures.gram import step_gram
from minicnn.report.stepfigures.lrn import step_lrn
from minicnn.report.stepfigures.pool import step_pool
from minicnn.report.stepfigures.relu import step_relu

__all__ = ["step_columns", "step_conv", "step_conv_back", "step_deconvnet", "step_gram", "step_lrn",
           "step_pool", "step_relu"]
