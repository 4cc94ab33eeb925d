"""The machine below the instructions: what it takes from the bytes, its stacks, what it spends."""

import pytest

from minicnn.foreign.pickle_machine import Machine


def machine(data=b"", steps=10):
    return Machine(memoryview(data), 0, {}, None, steps)


def test_bytes_are_taken_in_their_order():
    found = machine(b"N\x01\x02\x03rest")
    assert (found.next_code(), found.number("<H"), found.number("<B")) == ("N", 0x0201, 3)
    assert found.take(4) == b"rest" and found.at == 8
    with pytest.raises(ValueError, match="its pickle has no end"):
        found.next_code()
    with pytest.raises(ValueError, match="damaged or cut short"):
        found.take(1)


def test_the_stack_and_the_stacks_below_its_marks():
    found = machine()
    found.push(1)
    found.below.append(found.stack)
    found.stack = [2, 3]
    assert found.top() == 3 and found.top(int) == 3 and found.pop_mark() == [2, 3]
    assert found.pop() == 1
    for wrong, message in ((found.pop, "a value is missing"),
                           (found.pop_mark, "a mark is missing")):
        with pytest.raises(ValueError, match=message):
            wrong()


def test_what_is_on_top_is_of_the_kind_asked_for():
    found = machine()
    found.push(True)
    with pytest.raises(ValueError, match="treats a bool as a int"):
        found.top(int)


def test_steps_are_counted():
    found = machine(steps=3)
    found.spend(3)
    with pytest.raises(ValueError, match="far longer or more entangled"):
        found.spend(1)
