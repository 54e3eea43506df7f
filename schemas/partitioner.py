"""Which partition a key belongs to: Kafka's own rule, so that every producer agrees.

Source: org.apache.kafka.common.utils.Utils.murmur2 (MurmurHash2, seed 0x9747b28c);
partition = (hash with the sign bit cleared) modulo partitions; librdkafka calls it `murmur2`.
"""

import struct

_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995
_SHIFT = 24
_WORD = 0xFFFFFFFF
_POSITIVE = 0x7FFFFFFF


def murmur2(key: bytes) -> int:
    """Return the 32-bit MurmurHash2 of a key, unsigned.

    >>> murmur2(b"kafka")
    3496464228
    """
    whole = len(key) & ~3
    state = _SEED ^ len(key)
    for (word,) in struct.iter_unpack("<I", key[:whole]):
        mixed = word * _MULTIPLIER & _WORD
        mixed = (mixed ^ mixed >> _SHIFT) * _MULTIPLIER & _WORD
        state = state * _MULTIPLIER & _WORD ^ mixed
    if whole < len(key):
        state = (state ^ int.from_bytes(key[whole:], "little")) * _MULTIPLIER & _WORD
    state = (state ^ state >> 13) * _MULTIPLIER & _WORD
    return state ^ state >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a key, 0 … partitions - 1.

    >>> partition_of(b"acme|contact/42", 4)
    3
    """
    return (murmur2(key) & _POSITIVE) % partitions
