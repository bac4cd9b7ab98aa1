"""What clients of an ensemble saw, and whether an ensemble may show them that.

Every reply of the protocol carries a zxid, the order that the system itself claims, so each rule is checked
in one pass: the writes in the order of their zxids must be in the order of real time, and every read must
show the last write at or before the zxid it was answered at. A write without an answer may or may not have
happened; a read that shows its value tells when it did.
"""

import bisect
from dataclasses import dataclass, field


@dataclass
class Write:
    """A setData with a value that no other write has. `zxid` None: never answered."""

    key: str
    value: bytes
    invoked: float
    completed: float | None = None
    zxid: int | None = None
    version: int | None = None


@dataclass
class Read:
    """A getData; `synced`: when the sync before it was sent, None when there was none."""

    session: int
    key: str
    value: bytes
    mzxid: int
    zxid: int  # of the reply's header
    invoked: float
    completed: float
    synced: float | None = None


@dataclass
class Told:
    """An entry of a session's own story, in the order its client saw it: a reply with this zxid, a watch that
    was left on `key` when its last change was `zxid`, or the event that ends the watch."""

    kind: str  # "reply", "watch", "event"
    zxid: int = 0
    key: str = ""


@dataclass
class History:
    writes: list = field(default_factory=list)
    reads: list = field(default_factory=list)
    stories: dict = field(default_factory=dict)  # session -> [Told]

    def known(self):
        """Writes that happened, with their zxids: those acknowledged, and those that a read showed."""
        shown = {(read.key, read.value): read.mzxid for read in self.reads}
        for write in self.writes:
            zxid = write.zxid or shown.get((write.key, write.value))
            if zxid:
                yield zxid, write

    def by_key(self):
        """key -> sorted zxids of the writes that happened."""
        found = {}
        for zxid, write in self.known():
            found.setdefault(write.key, []).append(zxid)
        return {key: sorted(zxids) for key, zxids in found.items()}

    def violations(self):
        rules = (self.writes_in_real_time, self.versions_count, self.reads_show_what_was_written,
                 self.synced_reads_are_fresh, self.sessions_go_forward, self.no_watch_is_lost)
        return [f"{rule.__name__}: {found}" for rule in rules for found in rule()]

    def writes_in_real_time(self):
        """A write that was acknowledged before another was sent has the smaller zxid, and no two the same."""
        known = sorted(self.known(), key=lambda row: row[0])
        for (zxid, _), (after, write) in zip(known, known[1:]):
            if zxid == after:
                yield f"two writes at {zxid:#x}, one of {write.value}"
        latest = 0.0  # when the last of those with smaller zxids was sent
        for zxid, write in known:
            if write.completed is not None and write.completed < latest:
                yield f"{write.value} at {zxid:#x} was acknowledged before one of a smaller zxid was sent"
            latest = max(latest, write.invoked)

    def versions_count(self):
        """The versions of a key's acknowledged writes grow with the zxids, by one for each at least."""
        last = {}
        for zxid, write in sorted(self.known(), key=lambda row: row[0]):
            if write.version is None:
                last[write.key] = last.get(write.key, 0) + 1
            elif write.version <= last.get(write.key, 0) and write.key in last:
                yield f"{write.value} at {zxid:#x} has version {write.version} after {last[write.key]}"
            else:
                last[write.key] = write.version

    def reads_show_what_was_written(self):
        """The value is of the write at its mzxid, and no write of the key lies between it and the reply."""
        values = {(write.key, zxid): write.value for zxid, write in self.known()}
        sent = {(write.key, write.value): write.invoked for write in self.writes}
        zxids = self.by_key()
        for read in self.reads:
            of_key = zxids.get(read.key, [])
            if values.get((read.key, read.mzxid), read.value) != read.value:
                yield f"{read.value} read at {read.mzxid:#x}, where another was written"
            if sent.get((read.key, read.value), read.completed) > read.completed:
                yield f"{read.value} read before it was written"
            at = bisect.bisect_right(of_key, read.mzxid)
            if at < len(of_key) and of_key[at] <= read.zxid:
                yield f"{read.value} of {read.mzxid:#x} read at {read.zxid:#x}, after {of_key[at]:#x}"

    def synced_reads_are_fresh(self):
        """A read after a sync shows every write and every such read that had ended when the sync was sent."""
        ended = {}
        for zxid, write in self.known():
            if write.completed is not None:
                ended.setdefault(write.key, []).append((write.completed, zxid))
        for read in self.reads:
            if read.synced is not None:
                ended.setdefault(read.key, []).append((read.completed, read.mzxid))
        newest = {key: running_maximum(rows) for key, rows in ended.items()}
        for read in self.reads:
            if read.synced is None or read.key not in newest:
                continue
            times, largest = newest[read.key]
            at = bisect.bisect_left(times, read.synced)
            if at and largest[at - 1] > read.mzxid:
                yield f"{read.value} of {read.mzxid:#x} read after a sync, seen before: {largest[at - 1]:#x}"

    def sessions_go_forward(self):
        for session, story in self.stories.items():
            last = 0
            for told in story:
                if told.kind == "reply" and told.zxid < last:
                    yield f"session {session:#x} was at {last:#x} and then at {told.zxid:#x}"
                last = max(last, told.zxid if told.kind == "reply" else 0)

    def no_watch_is_lost(self):
        """The event of a change comes before any reply that is as new as the change."""
        zxids = self.by_key()
        for session, story in self.stories.items():
            left = {}
            for told in story:
                if told.kind == "watch":
                    left.setdefault(told.key, told.zxid)
                elif told.kind == "event":
                    left.pop(told.key, None)
                for key, since in list(left.items()) if told.kind == "reply" else ():
                    of_key = zxids.get(key, [])
                    at = bisect.bisect_right(of_key, since)
                    if at < len(of_key) and of_key[at] <= told.zxid:
                        yield f"session {session:#x} saw {told.zxid:#x}, no event of {key} at {of_key[at]:#x}"
                        del left[key]


def running_maximum(rows):
    """(times, the largest zxid up to each)"""
    times, largest = [], []
    for when, zxid in sorted(rows):
        times.append(when)
        largest.append(max(zxid, largest[-1] if largest else 0))
    return times, largest
