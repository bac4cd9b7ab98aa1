"""Replies made comparable: times are blanked, session ids become numbers, sets are sorted; nothing else.

What does not parse as the reply of its operation stays as it is, byte by byte.
"""

import struct

from support import zk_wire as zk


class Walk:
    """Copies a reply field by field into `out`."""

    def __init__(self, data, sessions):
        self.data, self.at, self.out, self.sessions = data, 0, bytearray(), sessions

    def take(self, count):
        if self.at + count > len(self.data):
            raise ValueError("short")
        part = self.data[self.at:self.at + count]
        self.at += count
        return part

    def keep(self, count):
        self.out += self.take(count)

    def int32(self):
        part = self.take(4)
        self.out += part
        return struct.unpack(">i", part)[0]

    def buffer(self):
        size = self.int32()
        if size > 0:
            self.keep(size)

    def stat(self):
        self.keep(16)  # czxid, mzxid
        self.take(16)
        self.out += b"t" * 16  # ctime, mtime
        self.keep(12)
        owner = struct.unpack(">q", self.take(8))[0]
        self.out += struct.pack(">q", self.sessions.get(owner, owner))
        self.keep(16)

    def string_set(self):
        count = self.int32()
        strings = []
        for _ in range(max(count, 0)):
            size = struct.unpack(">i", self.take(4))[0]
            strings.append(self.take(max(size, 0)))
        self.out += b"".join(struct.pack(">i", len(s)) + s for s in sorted(strings))

    def acls(self):
        for _ in range(max(self.int32(), 0)):
            self.keep(4)
            self.buffer()
            self.buffer()

    def multi(self):
        while True:
            kind = self.int32()
            done = self.take(1)
            self.out += done
            self.keep(4)
            if done != b"\0":
                return
            if kind == -1:
                self.keep(4)
            else:
                self.body(zk.NAMES.get(kind, ""))

    def body(self, name):
        for part in BODIES.get(name, ()):
            getattr(self, part)()


BODIES = {
    "create": ("buffer",), "create2": ("buffer", "stat"), "createContainer": ("buffer", "stat"),
    "createTTL": ("buffer", "stat"), "exists": ("stat",), "getData": ("buffer", "stat"), "setData": ("stat",),
    "getACL": ("acls", "stat"), "setACL": ("stat",), "getChildren": ("string_set",),
    "getChildren2": ("string_set", "stat"), "multi": ("multi",), "multiRead": ("multi",),
    "getEphemerals": ("string_set",),
}


def masked(name, frame, sessions):
    """The frame of a reply without what may differ between two servers."""
    failed = struct.unpack_from(">i", frame, 12)[0] != 0
    if failed and name != "multiRead":  # which carries what it had read before it failed
        return frame
    walk = Walk(frame[16:], sessions)
    try:
        walk.body(name)
    except ValueError:
        return frame
    return frame[:16] + bytes(walk.out) + walk.data[walk.at:]
