#!/usr/bin/env python3
"""Records the frames of a Kafka client and its broker into a file of golden frames.

    record.py LISTEN_PORT BROKER_PORT FRAMES LABEL COMMAND...

Runs COMMAND while a proxy on LISTEN_PORT passes everything to BROKER_PORT; the broker must advertise
LISTEN_PORT, so that the client stays with the proxy. Adds to FRAMES at most two frames of each label,
direction, API key and version, one a line: `LABEL request|response KEY VERSION HEX`, the int32 size left out.
README.md beside this file lists the commands that made frames.txt.
"""

import asyncio
import struct
import sys
from collections import Counter, deque
from pathlib import Path

FRAME_BYTES_MAX = 1500
EACH_MAX = 2
API_VERSIONS = 18


class Recorder:
    def __init__(self, path, label):
        self.path = Path(path)
        self.label = label
        self.lines = self.path.read_text().splitlines() if self.path.exists() else []
        self.counts = Counter(" ".join(line.split()[:4]) for line in self.lines)

    def add(self, direction, key, version, frame):
        head = f"{self.label} {direction} {key} {version}"
        line = f"{head} {frame.hex()}"
        if len(frame) > FRAME_BYTES_MAX or self.counts[head] >= EACH_MAX or line in self.lines:
            return
        self.counts[head] += 1
        self.lines.append(line)

    def save(self):
        self.path.write_text("\n".join(sorted(self.lines)) + "\n")


async def frames(reader):
    while True:
        try:
            size = await reader.readexactly(4)
            yield await reader.readexactly(struct.unpack(">i", size)[0])
        except (asyncio.IncompleteReadError, ConnectionError):
            return


async def relay(recorder, broker_port, client_reader, client_writer):
    broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", broker_port)
    waiting = deque()

    async def requests():
        async for frame in frames(client_reader):
            key, version = struct.unpack_from(">hh", frame)
            recorder.add("request", key, version, frame)
            if not (key == 0 and produce_is_silent(frame, version)):
                waiting.append((key, version))
            broker_writer.write(struct.pack(">i", len(frame)) + frame)
        broker_writer.close()

    async def responses():
        async for frame in frames(broker_reader):
            recorder.add("response", *waiting.popleft(), frame)
            client_writer.write(struct.pack(">i", len(frame)) + frame)
        client_writer.close()

    await asyncio.gather(requests(), responses())


def produce_is_silent(frame, version):
    """acks=0 has no response; acks stand after the header and, since version 3, the transactional id."""
    at = 8 + 2 + max(struct.unpack_from(">h", frame, 8)[0], 0)
    if version >= 9:
        at += 1
        at += 1 + max(frame[at] - 1, 0)
    elif version >= 3:
        at += 2 + max(struct.unpack_from(">h", frame, at)[0], 0)
    return struct.unpack_from(">h", frame, at)[0] == 0


async def main():
    listen_port, broker_port, path, label, *command = sys.argv[1:]
    recorder = Recorder(path, label)

    async def accept(reader, writer):
        try:
            await relay(recorder, int(broker_port), reader, writer)
        except (ConnectionError, IndexError) as error:
            print(f"record: {error!r}", file=sys.stderr)

    server = await asyncio.start_server(accept, "127.0.0.1", int(listen_port), limit=1 << 20)
    process = await asyncio.create_subprocess_exec(*command)
    status = await process.wait()
    server.close()
    recorder.save()
    print(f"record: {label} exit {status}, {len(recorder.lines)} frames in all", file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main())
