"""The sum of several arrays of one shape."""


def forward(parts):
    """A list of arrays -> y; the cache is their number."""
    if not parts or any(part.shape != parts[0].shape for part in parts):
        raise ValueError("the parts must have one shape, and there must be at least one")
    y = parts[0].copy()
    for part in parts[1:]:
        y += part
    return y, len(parts)


def backward(dy, cache):
    """dy -> a list with one gradient for each part."""
    return [dy.copy() for _ in range(cache)]
