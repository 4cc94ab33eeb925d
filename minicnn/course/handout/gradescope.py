"""An autograder for Gradescope: one zip an assignment, which needs no network.

It holds minicnn's own wheel, wheels that a teacher adds, `course.json` with the seed, and two
scripts. `setup.sh` installs; `run_autograder` runs `minicnn.course.handout.autograder`, which
grades as `minicnn course grade` does.
"""

import os
import zipfile
from pathlib import Path

from minicnn.course.handout import wheel
from minicnn.images import atomic

FIND = """\
ROOT="${AUTOGRADER_ROOT:-/autograder}"
for PYTHON in "${AUTOGRADER_PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
    [ -n "$PYTHON" ] && command -v "$PYTHON" >/dev/null &&
        "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' && break
    PYTHON=
done
if [ -z "$PYTHON" ]; then
    echo "minicnn needs Python 3.11 or newer, which is not in this image: choose a newer one" >&2
    exit 1
fi
"""
SETUP = f"""\
#!/usr/bin/env bash
# Installs minicnn and what it needs: from the wheels of this zip, or from what the image has.
set -euo pipefail
{FIND}
export PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1
cd "$ROOT/source"
chmod 600 course.json
if ! "$PYTHON" -m pip install --no-index -f wheels minicnn; then
    "$PYTHON" -m pip install --no-index --no-deps -f wheels minicnn
    for NAME in numpy PIL h5py matplotlib tqdm threadpoolctl; do
        "$PYTHON" -c "import $NAME" 2>/dev/null || MISSING="${{MISSING:-}} ${{NAME/PIL/pillow}}"
    done
    if [ -n "${{MISSING:-}}" ]; then
        echo "neither this zip nor the image has$MISSING: trying the network" >&2
        "$PYTHON" -m pip install $MISSING || {{
            echo "missing:$MISSING. Make the zip again: minicnn course new ... --wheels FOLDER," \\
                 "with their wheels in FOLDER (pip download -d FOLDER$MISSING)" >&2
            exit 1
        }}
    fi
fi
"$PYTHON" -c "import minicnn.course.grader.grade"
"""
RUN = f"""\
#!/usr/bin/env bash
# Grades /autograder/submission and writes /autograder/results/results.json.
# Where the image cannot keep a submission apart (it then grades nothing, and says so), the word
# --allow-unwalled at the end of the last line grades all the same.
set -euo pipefail
{FIND}
cd /
exec "$PYTHON" -I -m minicnn.course.handout.autograder "$ROOT"
"""


def write_all(folder, course, wheels=None):
    """Write gradescope.zip into the teacher's folder of every assignment.

    Parameters
    ----------
    folder : path
        Holds a folder NN_name for each.
    course : Course
    wheels : path, optional
        A folder of wheels to add.

    Raises
    ------
    ValueError
        There is no wheel in that folder.
    """
    from minicnn.course.handout.new import record

    own = {wheel.name(): wheel.wheel()} | _wheels(wheels)
    for one in course.assignments:
        text = record(course._replace(assignments=(one,)))
        write(folder / f"{one.number:02}_{one.name}" / "gradescope.zip", text, own)


def write(path, record, wheels):
    """Write one zip; `wheels` are bytes by name."""
    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        wheel.add(archive, "setup.sh", SETUP, 0o755)
        wheel.add(archive, "run_autograder", RUN, 0o755)
        wheel.add(archive, "course.json", record, 0o600)
        for name, data in wheels.items():
            wheel.add(archive, f"wheels/{name}", data)
    os.chmod(path, 0o600)


def _wheels(folder):
    """The wheels of a folder, without another minicnn."""
    if folder is None:
        return {}
    found = sorted(Path(folder).glob("*.whl"))
    if not found:
        raise ValueError(f"--wheels {folder}: there is no .whl in it")
    return {path.name: path.read_bytes() for path in found
            if not path.name.startswith("minicnn-")}
