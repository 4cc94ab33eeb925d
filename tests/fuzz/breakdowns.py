"""Commands that are killed, or whose disk fills up: python tests/fuzz/breakdowns.py --kills 60

After each breakdown no file has its final name unless it is whole, an older file of that name is
still there, and the parts that were finished are kept. Then the same command runs undisturbed: it
comes to the same bytes as if nothing had happened, and leaves nothing else behind.

--kills N    kill commands N times, each at a random moment
--disks N    run each command on N sizes of a disk, 32 kB to 8 MB; needs root, for tmpfs
"""

import argparse
import errno
import itertools
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "made"))

import official
import pytest
import small

from minicnn import images
from minicnn.files import manifest

OLD = b"an older file"
COMMANDS = {  # OUT is the folder on trial, IN holds photos and a weight file
    "strongest": "strongest IN/photos --layers relu2_1,relu4_1 --channels 0..7 --count 3 --out OUT",
    "filters": "filters --count 12 --steps 2 --out OUT/f.png",
    "zoom": "zoom IN/photos/0.png --frames 6 --steps 2 --octaves 2 --out OUT/z.gif",
    "maximize": "maximize --preset none --steps 20 --keep-settings --frames OUT/m.gif "
                "--plot OUT/p.png --out OUT/m.png",
    "texture": "texture IN/photos/1.png --steps 8 --out OUT/t.jpg",
    "activations": "activations IN/photos/2.png --layers conv1_1,pool2 --out OUT",
    "convert": "convert IN/squeeze.pth --probe none --to OUT/c.h5",
    "fetch": "fetch mine --cache OUT",
    "course": "course new OUT/autumn --assignments gram --seed 20260801000000",
}


def main():
    """The command line; a broken rule ends it with a traceback."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=0, metavar="N")
    parser.add_argument("--disks", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=[*COMMANDS])
    options = parser.parse_args()
    random.seed(options.seed)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        given = Path(folder)
        (given / "photos").mkdir()
        for k in range(8):
            images.save(given / "photos" / f"{k}.png", small.photo(70, 90, seed=k))
        data, _ = official.squeezenet()
        (given / "squeeze.pth").write_bytes(data)
        with official.world(given, patch, data):
            expected = {name: undisturbed(name, given) for name in options.commands}
            killed(options.kills, expected, given)
            for name in options.commands if options.disks else ():
                on_small_disks(options.disks, name, expected[name], given)


# ---- one command

PROGRAM = """
import sys
from pathlib import Path
from minicnn.cli import main
from minicnn.files import manifest
manifest.PLACES = tuple(map(Path, sys.argv[1].split("|")))
sys.exit(main(sys.argv[2:]))
"""


def started(name, given, out):
    """The process of a command, which writes what it says to IN/log."""
    words = COMMANDS[name].replace("IN/", f"{given}/").replace("OUT", str(out)).split()
    with open(given / "log", "w") as log:
        return subprocess.Popen([sys.executable, "-c", PROGRAM, "|".join(map(str, manifest.PLACES)),
                                 *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL)


def ended(process):
    return process.wait(timeout=300)


def undisturbed(name, given):
    """({file: bytes} that a command makes, its seconds), after a check that it makes them again."""
    made = []
    for out in (given / "first", given / "second"):
        out.mkdir()
        began = time.monotonic()
        assert ended(started(name, given, out)) == 0, (given / "log").read_text()
        made.append(contents(out))
        seconds = time.monotonic() - began
        if out.name == "second":
            shutil.rmtree(given / "first"), shutil.rmtree(out)
    print(f"{name}: {seconds:.1f} s, {len(made[0])} files of {max(map(len, made[0].values())):,} "
          "bytes at most", flush=True)
    differ = [file for file in made[0] if same(made[0][file]) != same(made[1].get(file, b""))]
    assert not differ and made[0].keys() == made[1].keys(), f"{name}: {differ} differ between runs"
    return made[0], seconds


def same(data):
    """Bytes without the folder that a page or a record may name."""
    return data.replace(b"/second", b"/first")


def contents(out):
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*"))
            if path.is_file()}


def older(out, files):
    """Put an older file in the place of each."""
    for file in files:
        (out / file).parent.mkdir(exist_ok=True)
        (out / file).write_bytes(OLD)
    return dict.fromkeys(files, OLD)


def parts(found):
    """What is kept of unfinished work."""
    return {file for file in found if "minicnn-unfinished-" in file and file.endswith(".npz")}


def check(name, out, expected, before):
    """Raise unless every file under a final name is whole, or as it was before."""
    found = contents(out)
    for file, data in found.items():
        hidden = any(part.startswith((".", "minicnn-unfinished-")) for part in Path(file).parts)
        hidden |= file.endswith((".part", ".part.json"))  # of a download
        brought = (out.parent / "squeeze.pth").read_bytes()  # what `fetch` brings
        whole = finished(data, out) == expected.get(file, brought)
        assert hidden or whole or data == before.get(file), f"{name}: {file} is not whole"
    gone = {file for file in before if file not in found and not file.startswith(".")}
    assert not gone - parts(before) or name == "fetch", f"{name}: {gone} lost"  # see fetch.py
    done = next(iter(expected)) in found
    assert done or parts(before) <= parts(found) or expected.keys() & found.keys(), (
        f"{name}: parts lost")
    return found


def finished(data, out):
    return data.replace(str(out).encode(), str(out.parent / "first").encode())


def again(name, given, out, expected):
    """Run it undisturbed in the same folder, and look at everything that is there then."""
    assert ended(started(name, given, out)) == 0, f"{name}: {(given / 'log').read_text()}"
    found = {file: finished(data, out) for file, data in contents(out).items()}
    assert found == expected, f"{name}: other files or bytes than undisturbed: " + ", ".join(
        file for file in found | expected if found.get(file) != expected.get(file))


# ---- kills

def killed(count, expected, given):
    """Kill commands at random moments, some several times, over older files or none."""
    kept = Counter()
    for name in itertools.cycle(expected):
        if kept.total() >= count:
            break
        files, seconds = expected[name]
        out = given / "out"
        out.mkdir()
        before = {}
        if name not in ("course", "fetch") and random.random() < 0.5:
            before = older(out, files)
        for _ in range(random.choice((1, 1, 2, 3))):
            process = started(name, given, out)
            time.sleep(random.uniform(0, seconds))
            process.kill()
            kept[name, "killed" if ended(process) < 0 else "had ended"] += 1
            before = check(name, out, files, before)
        again(name, given, out, files)
        shutil.rmtree(out)
        print(f"{kept.total()} kills", end="\r", flush=True)
    for (name, how), number in sorted(kept.items()):
        print(f"{name}: {number} {how}, and no rule was broken")


# ---- disks

def on_small_disks(count, name, expected, given):
    """Run a command where there is little room, then with room."""
    files, out, outcome = expected[0], given / "disk", Counter()
    out.mkdir()
    for k in range(count):
        size = int(32 * 250 ** (k / max(1, count - 1)))
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", out], check=True)
        try:
            before = {}
            if name not in ("course", "fetch") and k % 2 and size > 4 * len(files):
                before = older(out, files)
            status, said = ended(started(name, given, out)), (given / "log").read_text()
            outcome[status] += 1
            check(name, out, files, before)
            if status:
                line = said.strip().splitlines()[-1]
                assert status == 1 and line.startswith("minicnn: "), f"{name}, {size} kB: {said}"
                assert os.strerror(errno.ENOSPC) in line or "are free" in line, line
                assert ".minicnn-" not in said and "unfinished" not in said, f"{name}: {said}"
                subprocess.run(["mount", "-o", "remount,size=64m", out], check=True)
                again(name, given, out, files)
        finally:
            subprocess.run(["umount", out], check=True)
    print(f"{name}: {count} disks of 32 to 8000 kB, {outcome[0]} large enough, and no rule was "
          "broken", flush=True)
    out.rmdir()


if __name__ == "__main__":
    main()
