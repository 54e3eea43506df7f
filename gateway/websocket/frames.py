"""Text frames by hand: one frame is built per publication and written to every subscriber.

Source: RFC 6455, section 5.2: FIN and opcode 1, the length in 7, 16 or 64 bits, no mask.
"""

_FINAL_TEXT = 0x81
_SHORT, _MEDIUM = 125, 0xFFFF


def text_frame(payload: bytes) -> bytes:
    r"""Return a whole message as a server's frame.

    >>> text_frame(b"{}")
    b'\x81\x02{}'
    """
    size = len(payload)
    if size <= _SHORT:
        head = bytes((_FINAL_TEXT, size))
    elif size <= _MEDIUM:
        head = bytes((_FINAL_TEXT, 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((_FINAL_TEXT, 127)) + size.to_bytes(8, "big")
    return head + payload
