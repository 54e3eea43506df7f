"""What was published lately, by channel, and what of it a client missed.

An offset is that of the record in the channel's Kafka partition, plus one, since to clients 0 means
none: offsets grow and have gaps. A ring is complete above its `floor`: whatever was published in
the channel with a greater offset is in it. So missing nothing can be told from not knowing, and a
client is sent everything it missed or told to read anew.

Source: docs/realtime.md, "Recovery".
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.protocol.channels import Address
from gateway.protocol.codes import UNRECOVERABLE_POSITION
from schemas.partitioner import partition_of

OVERHEAD_BYTES = 256
"""What a publication takes beside its data: 173 bytes as measured, and some for its ring."""


@dataclass(frozen=True, slots=True)
class Publication:
    """Something published in a channel.

    Args:
        address: Tenant and channel.
        offset: Of its record in the partition, plus one.
        data: JSON text, as it came.
        at_ms: When it was published, UTC ms.
    """

    address: Address
    offset: int
    data: bytes
    at_ms: int


class Position(NamedTuple):
    """Up to where a client has a channel.

    Args:
        epoch: Names the log the offset is of.
        offset: Of the last publication it has, or of a record behind which it has none.
    """

    epoch: str
    offset: int


class Recovery(NamedTuple):
    """What a client that comes back gets.

    Args:
        recovered: False when something may be missing; then there are no publications.
        position: From here on it gets everything.
        publications: What it missed, oldest first.
    """

    recovered: bool
    position: Position
    publications: list[Publication]


class Page(NamedTuple):
    """A part of a channel's past.

    Args:
        position: Where the channel stands.
        publications: Oldest first, or newest first when asked in reverse.
    """

    position: Position
    publications: list[Publication]


@dataclass(frozen=True, slots=True)
class HistoryLimits:
    """What is kept.

    Args:
        publications: Per channel.
        age_ms: Of a publication, ms.
        total_bytes: Of all publications, each with its overhead. What is too much is taken from
            the channel that was quiet for longest.
        channels: Known by name; one more costs the one that was quiet for longest.
        recovery_bytes: Of data one recovery may send; above it the client reads anew, which is
            less than what it missed.
        ahead: How far, in offsets, a client may be ahead of this gateway because the one it was
            connected to had read more.
    """

    publications: int = 300
    age_ms: int = 600_000
    total_bytes: int = 256 * 1024 * 1024
    channels: int = 100_000
    recovery_bytes: int = 192 * 1024
    ahead: int = 100_000


class _Ring:
    """The latest publications of one channel, complete above `floor`."""

    __slots__ = ("floor", "items")

    def __init__(self, floor: int) -> None:
        self.floor = floor
        self.items: list[Publication] = []  # short, and a deque takes 700 bytes when empty


@dataclass(slots=True)
class _Partition:
    """How far a partition was read, and above which offset channels without a ring are empty."""

    read: int
    floor: int


class Histories:
    """The rings of all channels of a gateway.

    Feed it every record of the partitions, in order: `append` what is a publication, `advance` over
    everything else.

    Args:
        epoch: Of the log; another cluster, topic or partition count is another epoch.
        starts: Per partition, Kafka's offset of the first record that will be read.
        limits: Of this gateway.
    """

    def __init__(self, epoch: str, starts: Sequence[int], limits: HistoryLimits) -> None:
        self.epoch = epoch
        self.total_bytes = 0
        self._limits = limits
        self._partitions = [_Partition(start, start) for start in starts]
        self._rings: OrderedDict[Address, _Ring] = OrderedDict()
        self._floors: OrderedDict[Address, int] = OrderedDict()

    def append(self, publication: Publication) -> bool:
        """Keep a publication and evict what it displaces.

        Returns:
            False when it was read before: nothing is changed, and nobody is to get it again.
        """
        partition = self._partition(publication.address)
        if publication.offset <= partition.read:
            return False
        partition.read = publication.offset
        ring = self._ring(publication.address)
        ring.items.append(publication)
        self.total_bytes += _cost(publication)
        oldest_ms = publication.at_ms - self._limits.age_ms
        while len(ring.items) > self._limits.publications or ring.items[0].at_ms < oldest_ms:
            self._evict_oldest(ring)
        self.expire(publication.at_ms)
        return True

    def advance(self, partition: int, offset: int) -> None:
        """Note that a partition was read up to an offset (a record's, plus one)."""
        self._partitions[partition].read = max(self._partitions[partition].read, offset)

    def expire(self, now_ms: int) -> None:
        """Evict rings that hold nothing recent, and more of the quietest when memory is short.

        Args:
            now_ms: UTC ms.
        """
        oldest_ms = now_ms - self._limits.age_ms
        while self._rings:
            address, ring = next(iter(self._rings.items()))
            recent = ring.items[-1].at_ms >= oldest_ms
            if recent and self.total_bytes <= self._limits.total_bytes:
                break
            self._evict_oldest(ring)
            if not ring.items:
                self._empty(address, ring)
        while len(self._rings) + len(self._floors) > self._limits.channels:
            self._forget_quietest()

    def position(self, address: Address) -> Position:
        """Return where a new subscriber of a channel stands: behind everything read so far."""
        return Position(self.epoch, self._partition(address).read)

    def recover(self, address: Address, since: Position) -> Recovery:
        """Return what a client missed, all of it or nothing.

        Args:
            address: The channel.
            since: What the client has; an empty epoch is taken for ours.
        """
        here = self.position(address)
        missed = self._missed(address, since)
        if missed is None:
            return Recovery(recovered=False, position=here, publications=[])
        # A client from a gateway that had read more keeps its place: it has what comes up to there.
        return Recovery(True, Position(self.epoch, max(here.offset, since.offset)), missed)

    def page(
        self, address: Address, since: Position | None, limit: int, *, reverse: bool = False
    ) -> Page:
        """Return publications behind a position, or before it in reverse.

        Args:
            address: The channel.
            since: Exclusive; none is the oldest end of what is kept, or the newest in reverse.
            limit: Publications at most; -1 for all there are.
            reverse: True reads from newer to older.

        Raises:
            Refused: 112; the position is of another log, or what follows it is no longer all there.
        """
        ring = self._rings.get(address)
        items: list[Publication] = list(ring.items) if ring else []
        if since is not None:
            lost = not reverse and since.offset < self._floor(address)
            if lost or since.epoch not in ("", self.epoch):
                raise UNRECOVERABLE_POSITION.refusal()
            items = [
                each
                for each in items
                if (each.offset < since.offset if reverse else each.offset > since.offset)
            ]
        if reverse:
            items.reverse()
        return Page(self.position(address), items if limit < 0 else items[:limit])

    @property
    def size(self) -> int:
        """Return how many publications are kept."""
        return sum(len(ring.items) for ring in self._rings.values())

    def _partition(self, address: Address) -> _Partition:
        return self._partitions[partition_of(address.key, len(self._partitions))]

    def _floor(self, address: Address) -> int:
        ring = self._rings.get(address)
        if ring is not None:
            return ring.floor
        return self._floors.get(address, self._partition(address).floor)

    def _missed(self, address: Address, since: Position) -> list[Publication] | None:
        """Return what was published behind a position; None when that isn't known for sure."""
        if since.epoch not in ("", self.epoch) or since.offset < self._floor(address):
            return None
        if since.offset > self.position(address).offset + self._limits.ahead:
            return None
        ring = self._rings.get(address)
        missed = [each for each in ring.items if each.offset > since.offset] if ring else []
        if sum(len(each.data) for each in missed) > self._limits.recovery_bytes:
            return None
        return missed

    def _ring(self, address: Address) -> _Ring:
        """Return a channel's ring, now the one written to last."""
        ring = self._rings.get(address)
        if ring is None:
            ring = self._rings[address] = _Ring(self._floor(address))
            self._floors.pop(address, None)
        else:
            self._rings.move_to_end(address)
        return ring

    def _evict_oldest(self, ring: _Ring) -> None:
        oldest = ring.items.pop(0)
        ring.floor = oldest.offset
        self.total_bytes -= _cost(oldest)

    def _empty(self, address: Address, ring: _Ring) -> None:
        """Keep of an empty ring what a client needs to learn that it missed nothing."""
        del self._rings[address]
        self._floors[address] = ring.floor

    def _forget_quietest(self) -> None:
        """Forget a channel; its partition's floor answers for it from now on, never too low."""
        if not self._floors:
            address, ring = next(iter(self._rings.items()))
            while ring.items:
                self._evict_oldest(ring)
            self._empty(address, ring)
        address, floor = self._floors.popitem(last=False)
        partition = self._partition(address)
        partition.floor = max(partition.floor, floor)


def _cost(publication: Publication) -> int:
    return len(publication.data) + OVERHEAD_BYTES
