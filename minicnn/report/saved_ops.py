"""What computed a network's rows, as stored in a saved result by `network.using.Choice.describe`.

Pages and twins are used again by name. Your own ops are stored with the hash of their file, which
is compared; a file that is named in a saved result is never imported.
"""

from minicnn.gradcheck.own.names import OPS
from minicnn.network.using import FAST, MISSING, WORDS

PARTS = ("ops", "rows")


def is_choice(told):
    """Whether a saved value has the form that `Choice.describe` returns."""
    if told == {}:
        return True
    if not isinstance(told, dict) or told.get("otherwise") not in WORDS:
        return False
    parts = [told.get(part) for part in PARTS]
    return told.get("missing") in MISSING and all(
        isinstance(part, dict) and all(map(_is_told, part.values())) for part in parts
        ) and set(told["ops"]) <= set(OPS)


def _is_told(how):
    if isinstance(how, dict):
        return (isinstance(how.get("is"), str) and "sha256" in how
                and isinstance(how["sha256"], str | None))
    return isinstance(how, str) and how in WORDS


def on_its_pages(network, told):
    """The network with the pages and twins that a saved result names."""
    words = {part: {name: how for name, how in told.get(part, {}).items() if isinstance(how, str)}
             for part in PARTS}
    return network.using(told.get("otherwise", FAST)).using(words["rows"], **words["ops"])


def difference(then, now):
    """A message if two choices differ, your own ops compared by hash; None if they are the same."""
    if _hashed(then) == _hashed(now):
        return None
    return (f"the result was made with {_words(then)}; this network uses {_words(now)}. A replay "
            "never runs a Python file that the saved file names: pass it again, with --ops "
            "OP=FILE.py or network.using")


def _hashed(told):
    return [told.get("otherwise", FAST), *(
        {name: how if isinstance(how, str) else how["sha256"]
         for name, how in told.get(part, {}).items()} for part in PARTS)]


def _words(told):
    words = []
    for name, how in [pair for part in PARTS for pair in told.get(part, {}).items()]:
        if isinstance(how, str):
            words.append(f"{how} {name}")
        else:
            of = f", SHA-256 {how['sha256'][:12]}" if how["sha256"] else ""
            words.append(f"{name} from {how['is']}{of}")
    others = f"{told.get('otherwise', FAST)} ops"
    return "; ".join([*words, f"otherwise {others}" if words else others])
