"""What both Faust apps have in common."""

import faust

from streams.runtime.failstop import fail_stop


class Application(faust.App):
    """A Faust app that ends the process when any part of it fails."""

    def _crash(self, reason: BaseException) -> None:
        # Faust marks its services as crashed and goes on living: `start` even returns as if all
        # were well. Every crash of a service below passes here.
        if self.should_stop:
            super()._crash(reason)
        else:
            fail_stop("a service of Faust crashed", error=f"{type(reason).__name__}: {reason}")

    def _create_directories(self) -> None:
        """Make none: nothing is kept on disk."""
