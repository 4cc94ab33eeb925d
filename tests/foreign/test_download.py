"""Downloads from a real server that breaks off, lies, redirects, stalls and sends other things."""

import hashlib
import os
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from file_server import Answer, ranged, serving

from minicnn.foreign import download as module
from minicnn.foreign.download import DownloadError, download, faults
from minicnn.foreign.partial import PartError

DATA = bytes(range(256)) * 1200  # 307,200 bytes: more than one block
HASHES = tuple((kind, hashlib.new(kind, DATA).hexdigest()) for kind in ("sha256", "sha1", "md5"))
PROOF = {"size": len(DATA), "hashes": HASHES}
HALF = 150_000


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with serving() as running:
        yield running


@pytest.fixture
def to(tmp_path):
    return tmp_path / "net.bin"


def bring(urls, to, **settings):
    urls = [urls] if isinstance(urls, str) else urls
    return download(urls, to, **(PROOF | {"pause": 0, "timeout": 5} | settings))


def files(to):
    return sorted(path.name for path in to.parent.iterdir())


def refused(urls, to, **settings):
    """The message and notes of a download that fails; no file has the name of a whole one."""
    with pytest.raises(DownloadError) as error:
        bring(urls, to, **settings)
    assert not to.exists() and "\n" not in str(error.value)
    assert set(files(to)) <= {"net.bin.part", "net.bin.part.json"}
    return "\n".join([str(error.value), *getattr(error.value, "__notes__", [])])


# ---- what goes well

def test_a_file_is_brought_and_nothing_else_is_left(server, to):
    url = server.page("/net", ranged(DATA))
    assert bring(url, to) == url
    assert to.read_bytes() == DATA and files(to) == ["net.bin"]
    assert server.ranges() == [None]


@pytest.mark.parametrize("proof", [{}, {"size": len(DATA)}, {"hashes": HASHES[:1]}])
def test_without_a_size_or_a_hash(server, to, proof):
    download([server.page("/net", ranged(DATA))], to, **proof)
    assert to.read_bytes() == DATA


def test_without_a_content_length(server, to):
    bring(server.page("/net", Answer(DATA, length=None)), to)
    assert to.read_bytes() == DATA


def test_an_older_file_is_replaced_only_by_a_whole_one(server, to):
    to.write_bytes(b"older")
    with pytest.raises(DownloadError):
        bring(server.page("/bad", Answer(DATA, cut=HALF)), to)
    assert to.read_bytes() == b"older"
    bring(server.page("/net", ranged(DATA)), to)
    assert to.read_bytes() == DATA


def test_a_redirect_is_followed(server, to):
    server.page("/net", ranged(DATA))
    url = server.page("/old", Answer(status=302, headers={"Location": "/net"}))
    assert bring(url, to) == url and to.read_bytes() == DATA


# ---- breaks, and going on

def test_it_goes_on_where_it_broke_off(server, to):
    url = server.page("/net", ranged(DATA, cut=HALF), ranged(DATA, cut=10_000), ranged(DATA))
    bring(url, to)
    assert to.read_bytes() == DATA
    assert server.ranges() == [None, f"bytes={HALF}-", f"bytes={HALF + 10_000}-"]
    assert [h.get("If-Range") for _, h in server.asked] == [None, '"1"', '"1"']


def test_it_goes_on_in_another_process(server, to):
    """What counts is what lies on the disk."""
    url = server.page("/net", ranged(DATA, cut=HALF))
    assert f"broke off after {HALF:,} of {len(DATA):,} bytes" in refused(url, to, attempts=1)
    assert (to.parent / "net.bin.part").read_bytes() == DATA[:HALF]
    server.page("/net", ranged(DATA))
    bring(url, to, attempts=1)
    assert to.read_bytes() == DATA and files(to) == ["net.bin"]
    assert server.ranges() == [None, f"bytes={HALF}-"]


def test_the_rest_may_come_from_another_address_where_a_hash_proves_it(server, to):
    first = server.page("/a", ranged(DATA, cut=HALF), Answer(status=404))
    second = server.page("/b", ranged(DATA, etag='"other"'))
    assert bring([first, second], to) == second
    assert to.read_bytes() == DATA and server.ranges() == [None] + [f"bytes={HALF}-"] * 2
    assert "If-Range" not in server.asked[-1][1]


def test_without_a_hash_another_address_begins_anew(server, to):
    first = server.page("/a", ranged(DATA, cut=HALF), Answer(status=404))
    bring([first, server.page("/b", ranged(DATA))], to, hashes=())
    assert to.read_bytes() == DATA and server.ranges()[-1] is None


def test_without_a_validator_or_a_hash_it_begins_anew(server, to):
    url = server.page("/net", ranged(DATA, etag="", cut=HALF), ranged(DATA, etag=""))
    bring(url, to, hashes=())
    assert to.read_bytes() == DATA and server.ranges() == [None, None]


@pytest.mark.parametrize("headers, sent", [
    ({"ETag": 'W/"1"', "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"},
     "Sun, 06 Nov 1994 08:49:37 GMT"),
    ({"ETag": 'W/"1"'}, None)])
def test_a_weak_etag_is_no_validator(server, to, headers, sent):
    """RFC 9110, 13.1.5: If-Range takes a strong one, or a date."""
    url = server.page("/net", Answer(DATA, headers=headers, cut=HALF), Answer(DATA))
    bring(url, to)
    assert server.asked[1][1].get("If-Range") == sent and to.read_bytes() == DATA


def test_a_server_that_ignores_ranges_sends_the_whole(server, to):
    bring(server.page("/net", ranged(DATA, cut=HALF), Answer(DATA)), to)
    assert to.read_bytes() == DATA and server.ranges()[1] == f"bytes={HALF}-"


def test_a_file_that_changed_meanwhile_comes_from_its_beginning(server, to):
    old = bytes(len(DATA))
    bring(server.page("/net", ranged(old, '"old"', cut=HALF), ranged(DATA, '"new"')), to)
    assert to.read_bytes() == DATA
    assert server.asked[1][1]["If-Range"] == '"old"'


def test_a_file_that_changed_unseen_is_noticed_and_brought_anew(server, to):
    """A server that takes no notice of If-Range; the hash does."""
    old = bytes(len(DATA))
    url = server.page("/net", ranged(old, cut=HALF), ranged(DATA), ranged(DATA))
    bring(url, to)
    assert to.read_bytes() == DATA and server.ranges() == [None, f"bytes={HALF}-", None]


def test_another_piece_than_was_asked_for_is_not_used(server, to):
    wrong = Answer(DATA[:-HALF], 206, {"Content-Range": f"bytes 0-{len(DATA) - HALF}/9"})
    bring(server.page("/net", ranged(DATA, cut=HALF), wrong, ranged(DATA)), to, hashes=())
    assert to.read_bytes() == DATA and server.ranges()[2] is None


def test_a_part_that_is_longer_than_the_file_begins_anew(server, to):
    url = server.page("/net", ranged(DATA, cut=HALF))
    refused(url, to, attempts=1)
    (to.parent / "net.bin.part").write_bytes(DATA + b"and more")
    server.page("/net", ranged(DATA))
    bring(url, to)
    assert to.read_bytes() == DATA and server.ranges()[1:] == [f"bytes={len(DATA) + 8}-", None]


def test_a_part_that_is_whole_is_not_asked_for_again(server, to):
    """Killed after the last byte, before the name was given."""
    url = server.page("/net", ranged(DATA, cut=HALF))
    refused(url, to, attempts=1)
    (to.parent / "net.bin.part").write_bytes(DATA)
    bring(url, to)
    assert to.read_bytes() == DATA and len(server.asked) == 1


@pytest.mark.parametrize("state", ["", "[]", "{", '{"url": 3}'])
def test_a_part_without_a_readable_account_is_proved_by_its_hash(server, to, state):
    (to.parent / "net.bin.part").write_bytes(DATA[:HALF])
    (to.parent / "net.bin.part.json").write_text(state)
    bring(server.page("/net", ranged(DATA)), to)
    assert to.read_bytes() == DATA and server.ranges() == [f"bytes={HALF}-"]


def test_attempts_that_bring_much_do_not_count(server, to, monkeypatch):
    monkeypatch.setattr(module, "PROGRESS", 50_000)
    bring(server.page("/net", ranged(DATA, cut=60_000)), to, attempts=1 + 1)
    assert to.read_bytes() == DATA and len(server.asked) == 6


def test_attempts_that_bring_little_do(server, to):
    message = refused(server.page("/net", ranged(DATA, cut=1000)), to, attempts=4)
    assert "broke off after 4,000 of" in message and len(server.asked) == 4


def test_the_waits_double(server, to, monkeypatch):
    waits = []
    monkeypatch.setattr(module.time, "sleep", waits.append)
    refused(server.page("/net", Answer(status=503)), to, attempts=4, pause=0.5)
    assert waits == [0.5, 1, 2]


# ---- lies

def test_a_length_other_than_the_known_one_is_refused_at_once(server, to):
    for length in (len(DATA) - 1, len(DATA) + 1):
        message = refused(server.page("/net", Answer(DATA, length=length)), to)
        assert f"has a file of {length:,} bytes, not of {len(DATA):,}" in message
    assert len(server.asked) == 2 and files(to) == []


def test_a_length_too_large_is_a_break(server, to):
    """Of a file whose size is not known; the rest never comes."""
    url = server.page("/net", Answer(DATA, length=len(DATA) + 10))
    assert f"of {len(DATA) + 10:,} bytes" in refused(url, to, size=None, attempts=2)


def test_a_length_too_small_is_found_by_the_hash(server, to):
    url = server.page("/net", Answer(DATA, length=1000))
    assert "sends another file: its sha256 is" in refused(url, to, size=None)
    assert files(to) == []


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5", "sha256 prefix"])
def test_wrong_bytes_of_the_right_size(server, to, kind):
    digits = hashlib.new(kind.removesuffix(" prefix"), DATA).hexdigest()
    hashes = [(kind, digits[:8] if "prefix" in kind else digits)]
    message = refused(server.page("/net", Answer(bytes(len(DATA)))), to, hashes=hashes)
    assert f"its {kind} is " in message and f"not {hashes[0][1]}" in message
    assert len(server.asked) == 1 and files(to) == []


def test_every_hash_counts(server, to):
    hashes = [HASHES[0], ("md5", "0" * 32)]
    assert "its md5 is" in refused(server.page("/net", Answer(DATA)), to, hashes=hashes)


def test_endless_data_are_cut_off(server, to, monkeypatch):
    url = server.page("/net", Answer(endless=True, length=None))
    assert f"sends more than {len(DATA):,} bytes" in refused(url, to)
    monkeypatch.setattr(module, "MOST", 1 << 20)
    assert "sends more than 1,048,576 bytes" in refused(url, to, size=None)
    assert files(to) == []


def test_a_web_page_is_no_file(server, to):
    page = Answer(b"<html>moved</html>", headers={"Content-Type": "text/html; charset=utf-8"})
    assert "web page" in refused(server.page("/net", page), to, size=None, hashes=())
    assert "web page" in refused(server.page("/net", page), to)


def test_encoded_data_are_refused(server, to):
    url = server.page("/net", Answer(DATA, headers={"Content-Encoding": "gzip"}))
    assert "encoded" in refused(url, to)


# ---- statuses, redirects, silence

@pytest.mark.parametrize("status, asked", [(404, 1), (403, 1), (500, 3), (503, 3), (429, 3)])
def test_a_status_names_itself_and_the_next_address_is_tried(server, to, status, asked):
    bad, good = server.page("/bad", Answer(status=status)), server.page("/net", ranged(DATA))
    message = refused(bad, to)
    assert f": HTTP status {status} (" in message and message.endswith(f"\ntried {bad}")
    assert len(server.asked) == asked
    assert bring([bad, good], to) == good and to.read_bytes() == DATA


def test_a_failing_address_does_not_cost_what_has_arrived(server, to):
    first, second = server.page("/a", ranged(DATA, cut=HALF)), server.page("/b", Answer(status=404))
    refused([first, second], to, attempts=1)
    assert (to.parent / "net.bin.part").stat().st_size == HALF


def test_every_address_is_named_with_its_reason(server, to):
    urls = [server.page("/a", Answer(status=404)), server.page("/b", Answer(DATA[1:])),
            "http://127.0.0.1:9/c", "ftp://127.0.0.1/d"]
    message, *notes = refused(urls, to, attempts=1).split("\n")
    assert message.startswith("net.bin could not be downloaded: ") and "http:" not in message
    reasons = [note.removeprefix(f"tried {url}: ") for url, note in zip(urls, notes, strict=True)]
    assert "; ".join(reasons) == message.partition(": ")[2]
    assert "404" in message and "cannot be reached" in message and "only http and https" in message


def test_the_files_of_this_machine_are_no_addresses(to):
    (to.parent / "secret").write_bytes(DATA)
    for scheme in ("file://", "FILE://", "data:", ""):
        with pytest.raises(DownloadError, match="only http and https"):
            bring(f"{scheme}{to.parent}/secret", to)
    assert not to.exists()


@pytest.mark.parametrize("location", ["file://{0}", "ftp://127.0.0.1/x", "data:,x"])
def test_a_redirect_to_another_scheme_is_not_followed(server, to, location):
    url = server.page("/net", Answer(status=302, headers={"Location": location.format(__file__)}))
    assert "not allowed" in refused(url, to) or "not followed" in refused(url, to)


def test_a_redirect_from_https_to_http_is_not_followed():
    """By the hook itself: a server of https would need a certificate."""
    request = urllib.request.Request("https://a.example/net")
    hook = module._Redirects().redirect_request
    with pytest.raises(module._Failure, match="leads from https to http"):
        hook(request, None, 302, "", {}, "http://a.example/net")
    assert hook(request, None, 302, "", {}, "https://b.example/net").host == "b.example"


def test_redirects_in_a_circle_end(server, to):
    server.page("/b", Answer(status=301, headers={"Location": "/a"}))
    url = server.page("/a", Answer(status=301, headers={"Location": "/b"}))
    assert "HTTP status 301" in refused(url, to)
    assert len(server.asked) < 15


def test_silence_ends_and_what_came_is_kept(server, to):
    url = server.page("/net", ranged(DATA, cut=HALF, stall=2), ranged(DATA))
    bring(url, to, timeout=0.3)
    assert to.read_bytes() == DATA and server.ranges() == [None, f"bytes={HALF}-"]


def test_silence_is_named(server, to):
    url = server.page("/net", Answer(DATA, cut=0, stall=1))
    assert "no answer for 0.2 seconds" in refused(url, to, timeout=0.2, attempts=1)


def test_a_trickle_is_no_download(server, to):
    """Never silent for long, and never done: ten bytes every 20 ms."""
    url = server.page("/net", Answer(DATA[:2000], drip=0.02))
    message = refused(url, to, size=2000, hashes=(), timeout=0.3, attempts=1)
    assert "sends less than 1,024 bytes a second" in message
    assert 0 < (to.parent / "net.bin.part").stat().st_size < 1000


def test_slow_is_not_too_slow(server, to, monkeypatch):
    monkeypatch.setattr(module, "SLOWEST", 10)
    data = DATA[:300]
    url = server.page("/net", Answer(data, drip=0.02))
    download([url], to, len(data), timeout=0.2, attempts=1)
    assert to.read_bytes() == data


# ---- room, processes, Ctrl-C

def test_room_is_looked_for_first(server, to, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda place: type("", (), {"free": 1000}))
    url = server.page("/net", ranged(DATA))
    assert f"needs {len(DATA):,} bytes, and 1,000 are free" in refused(url, to)
    assert server.asked == [] and files(to) == []


PROGRAM = """
import signal
import sys
from minicnn.foreign.download import download
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job has it ignored
download([sys.argv[1]], sys.argv[2], pause=0, attempts=1)
"""


def start(url, to):
    return subprocess.Popen([sys.executable, "-c", PROGRAM, url, to], stderr=subprocess.PIPE,
                            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})


def wait_for(path, size):
    while not path.exists() or path.stat().st_size < size:
        time.sleep(0.01)


def test_a_second_process_is_told_to_wait(server, to):
    url = server.page("/net", ranged(DATA, cut=HALF, stall=20))
    first = start(url, to)
    try:
        wait_for(to.parent / "net.bin.part", HALF)
        with pytest.raises(PartError, match="net.bin is being downloaded by another process"):
            bring(url, to)
    finally:
        first.kill()
        first.communicate()
    server.page("/net", ranged(DATA))
    bring(url, to)  # the lock went with the process that was killed, what it had is used
    assert to.read_bytes() == DATA and server.ranges() == [None, f"bytes={HALF}-"]


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_keeps_what_has_arrived(server, to):
    url = server.page("/net", ranged(DATA, cut=HALF, stall=20))
    process = start(url, to)
    wait_for(to.parent / "net.bin.part", HALF)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert b"KeyboardInterrupt" in errors
    assert (to.parent / "net.bin.part").read_bytes() == DATA[:HALF]
    assert files(to) == ["net.bin.part", "net.bin.part.json"]


def test_faults_of_a_file(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(DATA)
    assert faults(path) is faults(path, len(DATA), HASHES) is None
    assert faults(path, 7) == f"it has {len(DATA):,} bytes, not 7"
    assert faults(path, None, [("sha256 prefix", HASHES[0][1][:9])]) is None
    assert "not 00000000" in faults(path, None, [("sha256 prefix", "0" * 8)])
