"""Transaction logs as files: for tests that need one to end otherwise than a server left it."""

import struct
import zlib
from pathlib import Path

HEADER = 16
ERROR, NO_NODE = -1, -101


def logs(directory):
    """The log files of a server's directory, oldest first."""
    found = (Path(directory) / "data" / "version-2").glob("log.*")
    return sorted(found, key=lambda path: int(path.suffix[1:], 16))


def end_of(content):
    """(offset behind the last entry, its zxid or None)"""
    at, zxid = HEADER, None
    while at + 12 <= len(content):
        size = struct.unpack_from(">qi", content, at)[1]
        if size <= 0 or at + 12 + size + 1 > len(content):
            break
        zxid = struct.unpack_from(">q", content, at + 12 + 12)[0]
        at += 12 + size + 1
    return at, zxid


def append_lost_transactions(directory, count=1):
    """Transactions at the end of the log that nobody else has, as a leader leaves them that died."""
    for log in reversed(logs(directory)):
        content = log.read_bytes()
        at, zxid = end_of(content)
        if zxid is not None:
            break
    entries = b""
    for number in range(1, count + 1):
        header = struct.pack(">qiqqi", 7, number, zxid + number, 1700000000000, ERROR)
        payload = header + struct.pack(">i", NO_NODE)
        entries += struct.pack(">qi", zlib.adler32(payload), len(payload)) + payload + b"B"
    log.write_bytes(content[:at] + entries + content[at + len(entries):])
    return zxid
