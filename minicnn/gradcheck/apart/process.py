"""One process for somebody else's file: started with limits, asked, explained, ended.

`child` decides when one is started; in it runs `inside`.
"""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep, time

from minicnn.gradcheck.apart import wire
from minicnn.gradcheck.apart.limits import MEGABYTE, Hidden
from minicnn.gradcheck.apart.serving import NO_ANSWER

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

PRINTED = 1 << 16  # bytes of output that are kept
START = 60  # seconds in which Python has to import NumPy and minicnn
OPENING = 10  # times the seconds of its import: what the opening of a file may take
PATIENCE = 10  # seconds in which an ended process must be gone, or a busy one must say its line
KEPT_VARIABLES = re.compile("PATH|LANG|LC_.*|LD_LIBRARY_PATH|DYLD_.*|SYSTEMROOT|OMP_.*|MKL_.*|"
                            "OPENBLAS_.*")
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
              "VECLIB_MAXIMUM_THREADS", "MINICNN_THREADS")
WHERE = {"open": "while it was imported", "start": "while Python started"}
FOLDER = "minicnn-apart-"  # a folder's name begins so
OLD = 60  # seconds after which the folder of a parent that was killed is removed
WINDOWS = sys.platform == "win32"


class Process:
    """A Python that runs a file: its connection, its folder, and what it prints.

    Parameters
    ----------
    memory_mb : int
    start : function, optional
        Starts it, given its end of the connection, the number of the file for its line, its folder,
        and its memory; returns a Popen.

    Attributes
    ----------
    tries : str or None
        The op that it was last about to try, while it opens the file.
    patience : float
        Seconds for which an ended process may take to be gone, or a busy one to say its line.
    end : function
        Kills it with all that it has started, and removes its folder; also when it is forgotten.
    """

    patience = PATIENCE

    def __init__(self, memory_mb, start=None):
        self.memory_mb, self.tries, self.seconds = memory_mb, None, START
        self.output = bytearray()
        self.stack = tempfile.TemporaryFile()  # noqa: SIM115  where Python says its line
        _remove_old()
        self.folder = tempfile.mkdtemp(prefix=FOLDER)
        self.connection, theirs = socket.socketpair()
        hidden, lock = Hidden(), None
        with suppress(OSError):  # a file system without locks
            lock = _locked(self.folder)
        try:
            with theirs:
                self.popen = (start or _start)(theirs, self.stack.fileno(), self.folder, memory_mb)
        except BaseException:
            hidden.end()
            _unlocked(lock)
            self.connection.close()
            self.stack.close()
            os.rmdir(self.folder)
            raise
        self.reader = threading.Thread(target=_drain, args=(self.popen.stdout, self.output),
                                       daemon=True)
        self.reader.start()
        open_ones = self.connection, self.popen.stdout, self.popen.stdin, self.stack
        self.end = weakref.finalize(self, _end, self.popen, self.reader, self.folder, open_ones,
                                    hidden, lock)

    def started(self):
        """The first message: the limits that are missing."""
        return wire.receive(self.connection, 0, monotonic() + START)

    def ask(self, pieces, nonce, seconds, each, most, reply=None):
        """Send the pieces of a request; returns its answer, a dict with the same nonce, whose
        arrays have at most `most` bytes.

        With `reply`, the process may ask something before it answers: a dict with the nonce and
        "asks", of which `reply` makes the pieces that it gets.

        With `each`, the process may say, before it answers, which op it is about to try, and then
        has so many seconds more; all together at most `OPENING` times `seconds`.

        Raises
        ------
        TimeoutError, OSError, EOFError, WireError
            If there is no complete answer.
        """
        self.tries, self.seconds = None, seconds
        start, longest = monotonic(), OPENING * seconds
        deadline = start + seconds
        wire.send(self.connection, pieces, deadline)
        while True:
            answer = wire.receive(self.connection, min(most, self.memory_mb * MEGABYTE), deadline)
            if type(answer) is not dict or answer.pop("nonce", None) != nonce:
                raise wire.WireError("not an answer to this request")
            if reply is not None and "asks" in answer:
                wire.send(self.connection, reply(answer["asks"]), deadline)
                continue
            if each is None or "tries" not in answer:
                return answer
            self.tries = str(answer["tries"])[:200]
            deadline, self.seconds = min((monotonic() + each, each), (start + longest, longest))

    def printed(self):
        """What was printed so far, the last of it."""
        return bytes(self.output).decode(errors="replace")

    def reason(self, error, do, path):
        """Why there is no answer to a request, in words, with the line of the file if known."""
        where = WHERE.get(do, f"in {do}")
        if self.tries is not None:
            where = "when it was tried on small arrays"
        if isinstance(error, TimeoutError):
            line = self._line(path, self.patience)
            return f"it was stopped after {self.seconds:g} s {where}{line}"
        if isinstance(error, wire.TooLarge):
            return f"{error} {where}"
        if isinstance(error, wire.WireError):
            return f"it gave something that is no answer {where}"
        try:
            status = self.status(self.popen.wait(self.patience))
        except subprocess.TimeoutExpired:
            return f"it closed its connection {where}"
        if status < 0:
            return f"{_signal(-status)} {where}{self._line(path)}"
        if status == NO_ANSWER:
            return f"it kept its process from answering {where}"
        return f"it ended Python with os._exit({status}) {where}"

    @staticmethod
    def status(code):
        """The exit status, negative for a signal, of the process that ran the file."""
        return code

    def _line(self, path, patience=0):
        """The line of the file that was the last to run; with patience, the process is asked."""
        if WINDOWS:
            return ""
        if patience:
            self.popen.send_signal(signal.SIGUSR1)
        file = Path(path.partition(".py:")[0]).stem.encode("ascii", "backslashreplace")
        line, end = re.compile(re.escape(file) + rb'\.py", line (\d{1,7}) '), monotonic() + patience
        while not (found := line.search(os.pread(self.stack.fileno(), PRINTED, 0))):
            if monotonic() >= end or self.popen.poll() is not None:
                return ""
            sleep(0.01)
        return f" (line {found[1].decode()})"


def _start(theirs, stack, folder, memory_mb):
    """Start Python with one end of a connection and the file for its line."""
    is_main = threading.current_thread() is threading.main_thread()  # others may end before it
    given = (theirs.fileno(), stack, memory_mb, os.getpid() if is_main else 0)
    options = {} if WINDOWS else {"pass_fds": given[:2], "start_new_session": True}
    popen = subprocess.Popen(
        [sys.executable, "-P", "-m", "minicnn.gradcheck.apart.inside", *map(str, given)],
        cwd=folder, env=_environment(folder),
        stdin=subprocess.PIPE if WINDOWS else subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, **options)
    if WINDOWS:
        with popen.stdin as pipe:
            pipe.write(theirs.share(popen.pid))
    return popen


def _environment(folder):
    """What NumPy needs, one thread, the parent's path of modules, and the folder as home."""
    kept = {name: value for name, value in os.environ.items() if KEPT_VARIABLES.fullmatch(name)}
    return kept | dict.fromkeys(ONE_THREAD, "1") | {
        "HOME": folder, "TMPDIR": folder, "TEMP": folder, "TMP": folder, "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}


def _drain(pipe, output):
    """Read what is printed, so that printing never blocks, and keep the end of it in `output`."""
    while piece := os.read(pipe.fileno(), PRINTED):
        output += piece
        del output[:-PRINTED]


def _end(popen, reader, folder, open_ones, hidden, lock):
    with suppress(OSError):
        popen.kill() if WINDOWS else os.killpg(popen.pid, signal.SIGKILL)
    popen.wait()
    hidden.end()
    reader.join(PATIENCE)
    for one in filter(None, open_ones):
        one.close()
    shutil.rmtree(folder, ignore_errors=True)
    _unlocked(lock)


def _remove_old():
    """Remove the folders that killed processes have left: no process holds their lock."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        with suppress(OSError):
            about = folder.lstat()
            if (fcntl and stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid()
                    and about.st_mtime < time() - OLD):
                lock = _locked(folder)
                shutil.rmtree(folder, ignore_errors=True)
                _unlocked(lock)


def _locked(folder):
    """An open folder that this process alone holds; OSError if another holds it."""
    if fcntl is None:
        return None
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


def _unlocked(lock):
    if lock is not None:
        os.close(lock)


def _signal(number):
    if number == getattr(signal, "SIGXCPU", None):
        return "it used more processor time than it may"
    return f"it crashed with signal {number} ({(signal.strsignal(number) or 'unknown').lower()})"
