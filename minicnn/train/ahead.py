"""Batches made ready in another thread, while the network trains on the one before.

Reading, decoding and varying pictures spends much of its time outside Python's global lock, as the
network's arithmetic does, so that the two overlap.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice


def ahead(make: Callable, items: Iterable, depth: int = 2) -> Iterator:
    """Yield ``make(item)`` for each item, in order, computed up to `depth` items ahead.

    An error of `make` is raised where its result would be yielded. Close the iterator, or read it
    to its end, to end the thread.
    """
    items = iter(items)
    with ThreadPoolExecutor(1, "batches") as thread:
        waiting = deque(thread.submit(make, item) for item in islice(items, depth))
        try:
            while waiting:
                made = waiting.popleft().result()
                waiting.extend(thread.submit(make, item) for item in islice(items, 1))
                yield made
        finally:
            for future in waiting:
                future.cancel()
