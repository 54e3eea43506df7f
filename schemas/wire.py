"""Avro's binary numbers, as the compiled readers and writers use them.

Source: Avro specification, "Binary encoding": a long is zig-zag, seven bits a byte, low first, the
high bit of a byte saying that another follows.
"""

TOO_LONG = "a number of more than 64 bits"

_MORE = 0x80
_SEVEN = 0x7F
_LONGEST_SHIFT = 63
_REMEMBERED = 8192


def write_long(number: int) -> bytes:
    """Encode a long.

    Raises:
        OverflowError: It needs more than 64 bits.

    >>> write_long(-65).hex()
    '8101'
    """
    zigzag = number << 1 if number >= 0 else (-number << 1) - 1
    if 1 << 35 <= zigzag < 1 << 42:  # a time of our days in ms, the common large number
        return bytes(
            (
                zigzag & 127 | 128,
                zigzag >> 7 & 127 | 128,
                zigzag >> 14 & 127 | 128,
                zigzag >> 21 & 127 | 128,
                zigzag >> 28 & 127 | 128,
                zigzag >> 35,
            )
        )
    if zigzag >> 64:
        raise OverflowError(TOO_LONG)
    out = bytearray()
    while zigzag > _SEVEN:
        out.append(zigzag & _SEVEN | _MORE)
        zigzag >>= 7
    out.append(zigzag)
    return bytes(out)


def read_long(raw: bytes, at: int) -> tuple[int, int]:  # noqa: PLR0911 - one per length, unrolled
    """Decode a long of two bytes or more; of one the compiled readers do themselves.

    Unrolled up to six bytes (a time in ms): each step adds a byte's seven bits and takes back the
    "another follows" of the byte before, which leaves less than the step's limit when none does.

    Returns:
        The number, and where the next value begins.

    Raises:
        IndexError: `raw` ends within it.
        ValueError: It is longer than 64 bits.
    """
    zigzag = raw[at]
    if zigzag < 1 << 7:
        return (zigzag >> 1) ^ -(zigzag & 1), at + 1
    zigzag += (raw[at + 1] << 7) - (1 << 7)
    if zigzag < 1 << 14:
        return (zigzag >> 1) ^ -(zigzag & 1), at + 2
    zigzag += (raw[at + 2] << 14) - (1 << 14)
    if zigzag < 1 << 21:
        return (zigzag >> 1) ^ -(zigzag & 1), at + 3
    zigzag += (raw[at + 3] << 21) - (1 << 21)
    if zigzag < 1 << 28:
        return (zigzag >> 1) ^ -(zigzag & 1), at + 4
    zigzag += (raw[at + 4] << 28) - (1 << 28)
    if zigzag < 1 << 35:
        return (zigzag >> 1) ^ -(zigzag & 1), at + 5
    zigzag += (raw[at + 5] << 35) - (1 << 35)
    if zigzag < 1 << 42:
        return (zigzag >> 1) ^ -(zigzag & 1), at + 6
    return _read_longer(raw, at)


def read_length(raw: bytes, at: int) -> tuple[int, int]:
    """Decode a length of bytes or text: a long that isn't negative."""
    length, at = read_long(raw, at)
    if length < 0:
        raise ValueError("a negative length")
    return length, at


def _read_longer(raw: bytes, at: int) -> tuple[int, int]:
    zigzag = shift = 0
    while raw[at] & _MORE:
        zigzag |= (raw[at] & _SEVEN) << shift
        shift += 7
        at += 1
        if shift > _LONGEST_SHIFT:
            raise ValueError(TOO_LONG)
    zigzag |= raw[at] << shift
    if zigzag >> 64:
        raise ValueError(TOO_LONG)
    return (zigzag >> 1) ^ -(zigzag & 1), at + 1


class RecentLongs(dict[int, bytes]):
    """Encoded longs met lately, after a prefix.

    One event's time and amount are written into dozens of rows, partials and effects, so the next
    number is usually one of the last few hundred: a look-up costs a tenth of an encoding.
    """

    def __init__(self, prefix: bytes = b"") -> None:
        """Start empty; `prefix` is what precedes each number (the branch of a union)."""
        super().__init__()
        self._prefix = prefix

    def __missing__(self, number: int) -> bytes:
        """Encode a number and remember it; forget all when there are too many."""
        if len(self) >= _REMEMBERED:
            self.clear()
        encoded = self[number] = self._prefix + write_long(number)
        return encoded
