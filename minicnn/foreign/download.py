"""Download a file from the first address that has it, and check its size and hashes.

A partial download is kept beside the destination as NAME.part (`partial`). An interrupted download
is resumed with HTTP's Range. The file gets its name only when its size and hashes are correct, and
is not opened before. Only http and https are followed, and no redirect from https to http.
"""

import http.client
import re
import shutil
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from minicnn import progress
from minicnn.files import digests
from minicnn.foreign import partial

SCHEMES = ("http", "https")
BLOCK = 1 << 18
MOST = 1 << 33  # bytes of a file whose size is not known
SLOWEST = 1 << 10  # bytes per second; a slower server counts as stalled after `timeout` seconds
PROGRESS = 1 << 20  # an attempt that receives this many bytes does not count as failed
NOT_NOW = (408, 425, 429, 500, 502, 503, 504)  # statuses that may change on another attempt
NO_SUCH_RANGE = 416


class DownloadError(ValueError):
    """A file could not be downloaded; the one-line message says why.

    Its notes (`BaseException.__notes__`) are further lines: each address, and what to do.
    """


class _Failure(Exception):
    """Why an address did not deliver the file.

    `again`: another attempt may succeed. `anew`: the partial download is useless.
    """

    def __init__(self, words, again=False, anew=False):
        super().__init__(words)
        self.again, self.anew = again, anew


def download(urls, to, size=None, hashes=(), shown=False, timeout=30, attempts=3, pause=1,
             remember=False):
    """Download a file from the first of its addresses that has it.

    Parameters
    ----------
    urls : sequence of str
        Addresses of the same file, http or https, in order of preference.
    to : str or path
        The file to write, in an existing folder.
    size : int, optional
        In bytes. No server may send more.
    hashes : sequence of (str, str)
        Kind and hexadecimal digits, see `faults`.
    shown : bool
        Show the progress if standard error is a terminal.
    timeout : float
        Seconds that a server may be silent, or slower than a kilobyte per second.
    attempts : int
        Consecutive attempts at each address without a megabyte of progress.
    pause : float
        Seconds before the second attempt; doubled before each further one.
    remember : bool
        Keep the address beside the file, for `partial.origin`.

    Returns
    -------
    url : str
        The address that delivered the file.

    Raises
    ------
    DownloadError
        With a note on each address. The partial download is kept, as after Ctrl-C.
    PartError
        Another process is downloading the file, or it cannot be written.
    """
    to, reasons = Path(to), {}
    with partial.opened(to) as part:
        needed, free = (size or 0) - part.length(), shutil.disk_usage(to.parent).free
        if needed > free:
            raise DownloadError(f"{to}: needs {needed:,} bytes, and {free:,} are free; free some "
                                "disk space")
        for url in urls:
            try:
                _from_address(url, part, size, hashes, shown, timeout, attempts, pause)
                part.finish(remember)
                return url
            except _Failure as failure:
                reasons[url] = str(failure)
    several = dict.fromkeys(reasons.values())
    error = DownloadError(f"{to.name} could not be downloaded: {'; '.join(several)}")
    for url, reason in reasons.items():
        error.add_note(f"tried {url}" + f": {reason}" * (len(several) > 1))
    raise error


def faults(path, size=None, hashes=()):
    """What is wrong with a file, in words; None if its size and all its hashes are correct.

    Parameters
    ----------
    path : str or path
    size : int, optional
    hashes : sequence of (str, str)
        ("sha256", 64 digits), ("sha256 prefix", fewer digits), or any other kind of hashlib.
    """
    found = Path(path).stat().st_size
    if size is not None and found != size:
        return f"it has {found:,} bytes, not {size:,}"
    made = digests.of_file(path, *(kind.removesuffix(" prefix") for kind, _ in hashes))
    for (kind, digits), whole in zip(hashes, made, strict=True):
        got = whole[:len(digits)]
        if got != digits:
            return f"its {kind} is {got}, not {digits}"
    return None


# ---- one address

def _from_address(url, part, size, hashes, shown, timeout, attempts, pause):
    """Download the part from one address, in several attempts if necessary; may raise _Failure."""
    failed = 0
    while True:
        before = part.length()
        try:
            return _attempt(url, part, size, hashes, shown, timeout)
        except _Failure as failure:
            failed = 1 if part.length() - before >= PROGRESS else failed + 1
            if failure.anew:
                part.restart()
            if not failure.again or failed >= attempts:
                raise
        time.sleep(pause * 2 ** (failed - 1))


def _attempt(url, part, size, hashes, shown, timeout):
    conditions = part.conditions(url, bool(hashes))
    begun = part.length() if conditions else 0
    if not begun or begun != size:
        with _opened(url, conditions, timeout) as response:
            _receive(response, part, url, begun, size, shown, timeout)
    wrong = faults(part.path, size, hashes)
    if wrong is not None:
        raise _Failure(f"sends another file: {wrong}", again=begun > 0, anew=True)


@contextmanager
def _opened(url, conditions, timeout):
    """The response to a request; connection errors become a _Failure."""
    if urlsplit(url).scheme not in SCHEMES:
        raise _Failure("only http and https addresses are followed")
    request = urllib.request.Request(url, headers={
        "User-Agent": "minicnn", "Accept-Encoding": "identity", **conditions})
    try:
        with urllib.request.build_opener(_Redirects).open(request, timeout=timeout) as response:
            yield response
    except urllib.error.HTTPError as error:
        error.close()
        anew = error.code == NO_SUCH_RANGE
        raise _Failure(f"HTTP status {error.code} ({' '.join(str(error.reason).split())})",
                       anew or error.code in NOT_NOW, anew) from None
    except TimeoutError:
        raise _Failure(f"no answer for {timeout:g} seconds", again=True) from None
    except urllib.error.URLError as error:
        raise _Failure(f"cannot be reached ({error.reason})", again=True) from None
    except (http.client.HTTPException, OSError) as error:
        raise _Failure(f"broke off ({error or type(error).__name__})", again=True) from None


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects to http or https, but never from https to http."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        """urllib's hook: the next request, or an exception."""
        before, after = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if after not in SCHEMES or (before, after) == ("https", "http"):
            raise _Failure(f"leads from {before} to {after}; such a redirect is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _receive(response, part, url, begun, size, shown, timeout):
    """Write a response's body to the part; a partial response continues after `begun` bytes."""
    headers = response.headers
    if headers.get_content_type() == "text/html":
        raise _Failure("answers with a web page, not with a file")
    if headers.get("Content-Encoding", "identity") != "identity":
        raise _Failure("sends the file encoded, which was not requested")
    if response.status != 206:
        begun = 0
    elif not re.match(rf"bytes {begun}-", headers.get("Content-Range", "")):
        raise _Failure("sends other bytes than were requested", again=True, anew=True)
    length = headers.get("Content-Length", "")
    total = begun + int(length) if length.isdecimal() else size
    if size is not None and total != size:
        raise _Failure(f"has a file of {total:,} bytes, not of {size:,}")
    if begun == 0:
        part.restart(url, headers)
    with progress.bar(name=part.name, shown=shown, total=total, initial=begun, unit="B") as bar:
        _write(response, part, size or MOST, timeout, bar)
    if total is not None and part.length() < total:
        raise _Failure(f"broke off after {part.length():,} of {total:,} bytes", again=True)


def _write(response, part, most, timeout, bar):
    since, came = time.monotonic(), 0
    while block := response.read1(BLOCK):
        if part.length() + len(block) > most:
            raise _Failure(f"sends more than {most:,} bytes", anew=True)
        part.append(block)
        bar.update(len(block))
        came += len(block)
        passed = time.monotonic() - since
        if passed > timeout and came < SLOWEST * passed:
            raise _Failure(f"sends less than {SLOWEST:,} bytes a second", again=True)
        if passed > timeout:
            since, came = time.monotonic(), 0
