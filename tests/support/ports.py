"""Free loopback ports, and the two small questions that tell whether a server answers."""

import random
import socket
import struct

HOST = "127.0.0.1"


def bind_probe(port):
    """Raises OSError when somebody has the port."""
    with socket.socket() as probe:
        probe.bind((HOST, port))


class Blocks:
    """Ports below the ephemeral range, so that no outgoing connection takes one, and none given twice: blocks
    are this process's own on this machine until it ends (by names in the abstract namespace)."""

    FIRST, LAST, SIZE = 15000, 32000, 100

    def __init__(self):
        self.names = []  # held as long as the process lives
        self.left = iter(())

    def claim(self):
        blocks = list(range(self.FIRST, self.LAST, self.SIZE))
        random.SystemRandom().shuffle(blocks)
        for first in blocks:
            name = socket.socket(socket.AF_UNIX)
            try:
                name.bind(f"\0tandem-ports-{first}")
            except OSError:
                name.close()
                continue
            self.names.append(name)
            self.left = iter(range(first, first + self.SIZE))
            return
        raise OSError("all blocks of ports are taken on this machine")

    def next(self):
        while True:
            for port in self.left:
                try:
                    bind_probe(port)
                    return port
                except OSError:
                    continue
            self.claim()


blocks = Blocks()


def free_port():
    """A port nobody listens on, and that nobody else is given."""
    return blocks.next()


def free_ports(count):
    """So many of them, no two alike."""
    return [free_port() for _ in range(count)]


def receive_exactly(link, count):
    parts = bytearray()
    while len(parts) < count:
        part = link.recv(count - len(parts))
        if not part:
            raise ConnectionError("closed by the peer")
        parts += part
    return bytes(parts)


def four_letter_word(port, word, host=HOST, timeout=5.0):
    """The whole answer of a coordination server to a four-letter word, as text."""
    with socket.create_connection((host, port), timeout=timeout) as link:
        link.sendall(word.encode())
        parts = []
        while True:
            part = link.recv(65536)
            if not part:
                return b"".join(parts).decode(errors="replace")
            parts.append(part)


def ask_broker(port, key, version, body=b"", host=HOST, timeout=5.0):
    """The body of a broker's answer to one request with the oldest header."""
    with socket.create_connection((host, port), timeout=timeout) as link:
        frame = struct.pack(">hhih", key, version, 7, -1) + body
        link.sendall(struct.pack(">i", len(frame)) + frame)
        size = struct.unpack(">i", receive_exactly(link, 4))[0]
        answer = receive_exactly(link, size)
    correlation = struct.unpack_from(">i", answer)[0]
    if correlation != 7:
        raise ConnectionError(f"correlation {correlation} was answered, 7 was asked")
    return answer[4:]


def api_versions(port, host=HOST, timeout=5.0):
    """{api key: (min, max)} as a broker answers ApiVersions v0."""
    answer = ask_broker(port, 18, 0, host=host, timeout=timeout)
    error, count = struct.unpack_from(">hi", answer)
    if error != 0:
        raise ConnectionError(f"ApiVersions answered error {error}")
    rows = [struct.unpack_from(">hhh", answer, 6 + 6 * i) for i in range(count)]
    return {key: (low, high) for key, low, high in rows}


def knows_controller(port, host=HOST):
    """Whether a broker's Metadata v1 names a controller. librdkafka's admin client, once told that there is
    none, asks twice within 0.1 s and then not again before its request has run out of time."""
    answer = ask_broker(port, 3, 1, struct.pack(">i", 0), host)
    count, at = struct.unpack_from(">i", answer)[0], 4
    for _ in range(count):
        at += 4
        at += 2 + struct.unpack_from(">h", answer, at)[0] + 4  # host, port
        at += 2 + max(struct.unpack_from(">h", answer, at)[0], 0)  # rack
    return count > 0 and struct.unpack_from(">i", answer, at)[0] >= 0
