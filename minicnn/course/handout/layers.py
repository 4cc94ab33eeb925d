"""Right and wrong layers for a student's gradient checker, as lines of Python for notebooks.

A few of the layers that `minicnn course grade` tries, those that are one line each way.
"""

RIGHT = {  # op: (shapes of the inputs, y, cache, gradients)
    "dense": ({"x": (3, 4), "w": (4, 2), "b": (2,)}, "x @ w + b", "(x, w)",
              "dy @ cache[1].T, cache[0].T @ dy, dy.sum(0)"),
    "sigmoid": ({"x": (2, 5)}, "1 / (1 + np.exp(-x))", "1 / (1 + np.exp(-x))",
                "(dy * cache * (1 - cache),)"),
    "tanh": ({"x": (2, 5)}, "np.tanh(x)", "np.tanh(x)", "(dy * (1 - cache**2),)"),
    "relu": ({"x": (3, 4)}, "np.maximum(x, 0)", "x > 0", "(dy * cache,)"),
    "softmax": ({"x": (2, 4)}, "np.exp(x) / np.exp(x).sum(1, keepdims=True)",
                "np.exp(x) / np.exp(x).sum(1, keepdims=True)",
                "(cache * (dy - (dy * cache).sum(1, keepdims=True)),)"),
}
WRONG = {  # (op, kind of mistake): (gradients, the wrong one)
    ("dense", "dw averaged over the batch"): (
        "dy @ cache[1].T, cache[0].T @ dy / 3, dy.sum(0)", "w"),
    ("dense", "db of the last one"): ("dy @ cache[1].T, cache[0].T @ dy, dy[-1]", "b"),
    ("dense", "upstream ignored"): (
        "np.ones_like(dy) @ cache[1].T, cache[0].T @ dy, dy.sum(0)", "x"),
    ("sigmoid", "gradient negated"): ("(-dy * cache * (1 - cache),)", "x"),
    ("softmax", "diagonal only"): ("(dy * cache * (1 - cache),)", "x"),
    ("tanh", "gradient halved"): ("(dy * (1 - cache**2) / 2,)", "x"),
    ("relu", "mask inverted"): ("(dy * ~cache,)", "x"),
    ("relu", "mask of dy"): ("(dy * (dy > 0),)", "x"),
    ("relu", "upstream ignored"): ("(1.0 * cache,)", "x"),
}


def tests(question, rng, kind):
    """The lines of a test; the visible one tries one right layer and one wrong one.

    Parameters
    ----------
    question : Question
        Of the kind "checker".
    rng : Generator
    kind : {"visible", "hidden"}
    """
    contract = question.contract
    right = [(op, "") for op in contract["right"] if op in RIGHT]
    wrong = [(op, name) for op, name in contract["wrong"] if (op, name) in WRONG]
    wrong = wrong or [("dense", "db of the last one")]
    if kind == "visible":
        right, wrong = right[:1], wrong[-1:]
    lines = [f"rng = np.random.RandomState({int(rng.integers(2**31))})"]
    for op, name in right + wrong:
        lines.append(_test(op, name, bool(contract.get("zeros")), question.function))
    return "\n".join(lines)


def _test(op, name, zeros, function):
    """The lines for one layer."""
    shapes, y, cache, gradients = RIGHT[op]
    made = {array: f"rng.randn({', '.join(map(str, shape))})" for array, shape in shapes.items()}
    made["x"] = f"np.round({made['x']})" if zeros else made["x"]
    inputs = ", ".join(f"{array!r}: {value}" for array, value in made.items())
    gradients, wrong = WRONG.get((op, name), (gradients, ""))
    said = (f"found = {function}(lambda {', '.join(shapes)}: ({y}, {cache}),\n"
            f"              lambda dy, cache: ({gradients}),\n"
            f"              {{{inputs}}})\n")
    expected = [wrong] if wrong else []
    return said + f'assert list(found) == {expected}, f"{op}: {{found}}, expected {expected}"'
