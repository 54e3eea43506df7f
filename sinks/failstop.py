"""Ends the process when going on would lose or double something."""

import os
import sys
from typing import NoReturn

FAIL_STOP = 70


def end_now(code: int = FAIL_STOP) -> NoReturn:
    """Exit at once; after a fail-stop a supervisor starts the process again.

    Not by returning: a consumer that is in the middle of a rebalance can hold up the end of the
    interpreter for ever (seen with librdkafka 2.16 after a session was lost), and closing it in
    order would call back into lanes that must not write any more.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
