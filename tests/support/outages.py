"""How long a cluster of brokers takes no writes, or makes no topics, after one of its processes ended or
stood still, as a client sees it that tries all the time."""

import bisect
import struct
import threading
import time

from support import kafka_wire as kafka
from support import wait

ALL = -1
TRY = 0.005  # between two tries at a broker that is not the right one
CREATE_TOPICS = 19
TOPIC_ALREADY_EXISTS = 36


def create_topics(port, topics, timeout=60.0):
    """{name: error} of CreateTopics version 1; `topics` is {name: [replicas of each partition]}."""
    body = struct.pack(">i", len(topics))
    for name, assignment in topics.items():
        body += kafka.text(name) + struct.pack(">ihi", -1, -1, len(assignment))
        for number, replicas in enumerate(assignment):
            body += struct.pack(f">ii{len(replicas)}i", number, len(replicas), *replicas)
        body += struct.pack(">i", 0)
    body += struct.pack(">ib", int(timeout * 1000), 0)
    link = kafka.Link(port, timeout + 5)
    try:
        link.send(CREATE_TOPICS, 1, body)
        _, answer = link.receive()
    finally:
        link.close()
    count, = struct.unpack_from(">i", answer)
    at, out = 4, {}
    for _ in range(count):
        size, = struct.unpack_from(">h", answer, at)
        name = answer[at + 2:at + 2 + size].decode()
        error, message = struct.unpack_from(">hh", answer, at + 2 + size)
        at += 2 + size + 4 + max(message, 0)
        out[name] = error
    return out


class Writer(threading.Thread):
    """Writes single records with acks=all to one partition, at whichever of `brokers` leads it, and remembers
    when each was begun and acknowledged."""

    def __init__(self, brokers, topic, partition):
        super().__init__(daemon=True)
        self.ports = [broker.port for broker in brokers]
        self.topic, self.partition = topic, partition
        self.acknowledged = []
        self.over = threading.Event()
        self.data = kafka.batch(b"x" * 100)

    def __enter__(self):
        self.start()
        wait.until(lambda: self.acknowledged, 60, f"the first write to {self.topic}-{self.partition}")
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.over.set()
        self.join(60)

    def run(self):
        at = 0
        link = None
        while not self.over.is_set():
            try:
                link = link or kafka.Link(self.ports[at % len(self.ports)], 60)
                begun = time.monotonic()
                error, _ = link.produce(self.topic, self.partition, self.data, ALL)
                if error == 0:
                    self.acknowledged.append((begun, time.monotonic()))
                    wait.pause(TRY, "a steady load of small writes")
                    continue
            except OSError:
                pass
            if link:
                link.close()
            link = None
            at += 1
            wait.pause(TRY, "the next broker is tried soon")
        if link:
            link.close()

    def after(self, begin, seconds=90.0):
        """Seconds from `begin` to the next write that was begun and acknowledged behind it."""
        def found():
            first = bisect.bisect_right(self.acknowledged, begin, key=lambda times: times[0])
            return self.acknowledged[first][1] if first < len(self.acknowledged) else None
        return wait.until(found, seconds, f"a write to {self.topic}-{self.partition}", 0.005) - begin

    def longest_gap(self, begin):
        times = [begin] + [at for _, at in self.acknowledged if at > begin]
        return max(after - before for before, after in zip(times, times[1:]))


def median(values):
    return sorted(values)[len(values) // 2]
