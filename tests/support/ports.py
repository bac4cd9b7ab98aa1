"""Free loopback ports, and the two small questions that tell whether a server answers."""

import socket
import struct

HOST = "127.0.0.1"


def bind_probe(port):
    """Raises OSError when somebody has the port."""
    with socket.socket() as probe:
        probe.bind((HOST, port))


def free_port():
    """A port nobody listens on, below the ephemeral range so that no outgoing connection takes it."""
    import random
    for _ in range(200):
        port = random.SystemRandom().randrange(15000, 32000)
        try:
            bind_probe(port)
            return port
        except OSError:
            continue
    raise OSError("no free port on 127.0.0.1 in 200 tries")


def free_ports(count):
    """So many of them, no two alike."""
    found = []
    while len(found) < count:
        port = free_port()
        if port not in found:
            found.append(port)
    return found


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


def api_versions(port, host=HOST, timeout=5.0):
    """{api key: (min, max)} as a broker answers ApiVersions v0."""
    with socket.create_connection((host, port), timeout=timeout) as link:
        body = struct.pack(">hhih", 18, 0, 7, -1)
        link.sendall(struct.pack(">i", len(body)) + body)
        size = struct.unpack(">i", receive_exactly(link, 4))[0]
        answer = receive_exactly(link, size)
    correlation, error, count = struct.unpack_from(">ihi", answer)
    if correlation != 7 or error != 0:
        raise ConnectionError(f"ApiVersions answered correlation {correlation}, error {error}")
    rows = [struct.unpack_from(">hhh", answer, 10 + 6 * i) for i in range(count)]
    return {key: (low, high) for key, low, high in rows}
