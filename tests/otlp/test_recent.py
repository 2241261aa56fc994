"""A cache that is bounded and keeps what recurs."""

from runmill.otlp.recent import MAX_KEY_BYTES, Recent


class Making:
    """Doubles a key, and remembers what it was asked for."""

    def __init__(self):
        self.asked = []

    def __call__(self, key):
        self.asked.append(key)
        return key * 2


def test_a_key_is_made_once():
    """The second time it is there."""
    make = Making()
    recent = Recent(make, capacity=10)
    assert [recent[b"a"], recent[b"a"], make.asked] == [b"aa", b"aa", [b"a"]]


def test_what_recurs_outlives_what_does_not():
    """Any number of keys that come once leave a key that comes again and again where it is."""
    make = Making()
    recent = Recent(make, capacity=10)
    for number in range(1000):
        assert recent["kept"] == "keptkept"
        assert recent[number] == number * 2
    assert make.asked.count("kept") == 1


def test_it_holds_twice_its_capacity_at_most():
    """A key is made again once enough others have come, and not before."""
    make = Making()
    recent = Recent(make, capacity=10)
    for number in range(100):
        recent[number]
    make.asked.clear()
    assert [recent[99], recent[80], make.asked] == [198, 160, []]
    assert [recent[79], make.asked] == [158, [79]]


def test_a_long_key_is_not_kept():
    """A few huge attributes must not hold memory for good."""
    recent = Recent(Making(), capacity=10)
    long = b"x" * (MAX_KEY_BYTES + 1)
    assert (recent[long], len(recent)) == (long * 2, 0)
