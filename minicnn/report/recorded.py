"""Figures of long measurements, which the tour tells because it cannot make them in a minute.

They are copies of what `minicnn bench` wrote to benchmarks/results, which an installed package does
not have; the tests compare each with those files.
"""

CLASSES = {  # classes.json, preset object: GoogLeNet makes a picture, SqueezeNet judges it
    "pelican": {"own": 1.0, "other": 0.957},
    "dumbbell": {"own": 1.0, "other": 0.127},
}

FIRST_LAYER = {  # first_layer.json: minialex with two first layers, by (kernel, stride)
    (7, 2): {"filters": 48, "dead": 0, "filter_aliasing": 0.192, "response_aliasing": 0.059},
    (11, 4): {"filters": 48, "dead": 0, "filter_aliasing": 0.424, "response_aliasing": 0.202},
}
SETTLED = {  # of its form (7, 2): correlation of the five layers' responses with the last ones
    5: (0.800, 0.611, 0.482, 0.400, 0.347), 40: (0.990, 0.978, 0.961, 0.946, 0.921)}  # by epoch
JUMPS = {40: 0.333}  # share of its relu1's channels with a new strongest photo, by epoch

LECTURE = {  # lecture.json: accuracy on 600 photos, mean of three seeds and deviation, in percent
    "from scratch": (60.7, 8.2),
    "from scratch, augmented": (64.3, 4.3),
    "frozen": (85.3, 0.9),
    "frozen, augmented": (86.7, 1.6),
    "fine-tuned, augmented": (87.3, 0.9),
}
STEPS = {  # from each way to the next: points of accuracy, and their standard error
    "from scratch, augmented": (3.6, 5.5), "frozen": (21.0, 3.0), "frozen, augmented": (1.4, 1.3),
    "fine-tuned, augmented": (0.6, 1.1),
}
