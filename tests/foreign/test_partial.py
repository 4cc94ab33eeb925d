"""The part of a download: what it remembers, what it asks for, and that it is one process's."""

import email.message

import pytest

from minicnn.foreign import partial
from minicnn.foreign.partial import PartError, opened

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.fixture
def to(tmp_path):
    return tmp_path / "net.bin"


def described(**headers):
    message = email.message.Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return message


def begin(to, **headers):
    """Leave a part of three bytes."""
    with opened(to) as part:
        part.restart("http://a/net", described(**headers))
        part.append(b"abc")


@pytest.mark.parametrize("headers, url, provable, asked", [
    ({"ETag": '"1"'}, "http://a/net", False, {"Range": "bytes=3-", "If-Range": '"1"'}),
    ({"Last_Modified": DATE}, "http://a/net", False, {"Range": "bytes=3-", "If-Range": DATE}),
    ({"ETag": 'W/"1"'}, "http://a/net", False, {}),
    ({"ETag": 'W/"1"'}, "http://a/net", True, {"Range": "bytes=3-"}),
    ({"ETag": '"1"'}, "http://b/net", False, {}),
    ({"ETag": '"1"'}, "http://b/net", True, {"Range": "bytes=3-"}),
])
def test_what_is_asked_for(to, headers, url, provable, asked):
    begin(to, **headers)
    with opened(to) as part:
        assert part.length() == 3 and part.conditions(url, provable) == asked


def test_nothing_is_asked_for_where_there_is_nothing(to):
    with opened(to) as part:
        assert part.conditions("http://a/net", True) == {}


def test_it_gets_its_name_and_leaves_nothing(to):
    begin(to)
    with opened(to) as part:
        part.append(b"de")
        part.finish()
    assert to.read_bytes() == b"abcde" and list(to.parent.iterdir()) == [to]


def test_an_empty_part_is_removed(to):
    begin(to, ETag='"1"')
    with opened(to) as part:
        part.restart()
    assert list(to.parent.iterdir()) == []


def test_what_is_appended_is_on_the_disk_at_once(to):
    with opened(to) as part:
        part.append(b"abc")
        assert part.path.read_bytes() == b"abc"


def test_it_is_kept_through_an_exception(to):
    with pytest.raises(KeyboardInterrupt), opened(to) as part:
        part.append(b"abc")
        raise KeyboardInterrupt
    assert (to.parent / "net.bin.part").read_bytes() == b"abc"


def test_only_one_can_have_it(to):
    with opened(to), pytest.raises(PartError, match="net.bin is being downloaded by another"), (
            opened(to)):
        pass


def test_a_part_that_got_its_name_before_the_lock_was_had_is_left_alone(to, monkeypatch):
    """Opened as the .part, and renamed by its owner before the lock: the next one is another."""
    lock, waited = partial._lock, []

    def late(file):
        if not waited:
            waited.append(True)
            (to.parent / "net.bin.part").rename(to)
        return lock(file)

    (to.parent / "net.bin.part").write_bytes(b"whole")
    monkeypatch.setattr(partial, "_lock", late)
    with opened(to) as part:
        part.append(b"new")
        assert to.read_bytes() == b"whole" and part.path.read_bytes() == b"new"


def test_a_file_system_without_locks(to, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def missing(*arguments):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", missing)
    begin(to)
    with opened(to) as part:
        assert part.length() == 3


class Full:
    """A file on a full disk."""

    def seek(self, *place):
        return 0

    def write(self, block):
        raise OSError(28, "No space left on device")


def test_a_disk_that_takes_no_more_is_named(to, monkeypatch):
    with opened(to) as part:
        with monkeypatch.context() as patched:
            patched.setattr(part, "_file", Full())
            with pytest.raises(PartError, match="net.bin: cannot be written: No space left"):
                part.append(b"abc")
        assert part.length() == 0
