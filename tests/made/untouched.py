"""What attacks could reach: a folder, sockets, this process and its processes. All stay untouched.
"""

import os
import socket
import sys
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def untouched(folder):
    """A dict of a folder, a port, this process and an abstract socket, for attacks to aim at."""
    files = {folder / name: name.encode() for name in ("results.json", "grades.csv", "note")}
    for path, data in files.items():
        path.write_bytes(data)
    here, variables, listening = os.listdir(), _variables(), _listening(folder)
    before = {*_children()}
    port = listening[0].getsockname()[1]
    yield {"FOLDER": folder, "PID": os.getpid(), "PORT": port, "ABSTRACT": f"of{port}"}
    assert {path: path.read_bytes() for path in files} == files
    assert {one.name for one in folder.iterdir()} - {"socket"} == {one.name for one in files}
    assert os.listdir() == here and _variables() == variables
    assert not _heard(listening) and not {*_children()} - before


def _variables():
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}


def _listening(folder):
    """Sockets that wait for a word, TCP first."""
    tcp = socket.create_server(("127.0.0.1", 0))
    made = [tcp, _bound(socket.AF_INET, tcp.getsockname())]
    if sys.platform == "linux":
        made += [_bound(socket.AF_UNIX, str(folder / "socket")),
                 _bound(socket.AF_UNIX, f"\0of{tcp.getsockname()[1]}")]
    return made


def _bound(family, address):
    one = socket.socket(family, socket.SOCK_DGRAM)
    one.bind(address)
    return one


def _heard(listening):
    """What has arrived."""
    heard = []
    for one in listening:
        one.setblocking(False)
        with suppress(BlockingIOError):
            heard.append(one.accept() if one.type == socket.SOCK_STREAM else one.recv(100))
        one.close()
    return heard


def _children():
    """The processes that this one has left."""
    tasks = Path(f"/proc/{os.getpid()}/task")
    return [word for path in tasks.glob("*/children") for word in path.read_text().split()]
