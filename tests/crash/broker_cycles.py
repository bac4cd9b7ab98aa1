"""Cycles of a crash and a recovery of tandem-broker under load.

A cycle starts a broker, lets several producers append records with acks=1 as fast as they are acknowledged,
and cuts: kill -9, or the power below its log directory. Then the broker must start again by itself, and every
acknowledged record must be at the offset it was acknowledged with. kill -9 loses nothing with Kafka's default
flush policy, since the page cache survives; a power cut loses nothing where flush.messages=1 is set. The
coordination server beside it lives on. What was sent but not answered is unknown.
"""

import random
import shutil
import threading
import time
from pathlib import Path

from coord_cycles import ACKED_PER_SECOND_MIN, Ext4Image, Tally
from support import kafka_wire, servers, wait, zk_wire

PARTITIONS = 4
DEPTH = 16
TOPIC = "crash"


class Producer(threading.Thread):
    """One connection that keeps DEPTH records in flight to its partition until it ends."""

    def __init__(self, port, partition, prefix):
        super().__init__(daemon=True)
        self.port = port
        self.partition = partition
        self.prefix = prefix
        self.sent = 0
        self.acked = {}  # offset -> value
        self.refused = []
        self.stopping = False

    def run(self):
        try:
            self.write(kafka_wire.Link(self.port))
        except OSError:
            pass

    def write(self, link):
        waiting = []
        while not self.stopping:
            while len(waiting) < DEPTH:
                value = f"{self.prefix}-{self.sent}".encode()
                self.sent += 1
                waiting.append(value)
                link.send_produce(TOPIC, self.partition, kafka_wire.batch(value))
            error, offset = link.receive_produce()
            value = waiting.pop(0)
            if error == 0:
                self.acked[offset] = value
            else:
                self.refused.append(error)
                return


class Cycles:
    """`power` False: kill -9 on a plain directory."""

    def __init__(self, directory, seed, power, progress=False):
        self.directory = Path(directory)
        self.random = random.Random(seed)
        self.progress = progress
        self.tally = Tally()
        self.disk = Ext4Image(directory) if power else None
        self.expected = {}  # (partition, offset) -> value
        self.age = None
        self.number = 0
        self.coord = None

    def run(self, count):
        """Until `count` cycles counted; half of them within the first five seconds of a directory's life."""
        try:
            while self.tally.cycles < count and self.tally.void <= count and not self.tally.complaints:
                self.cycle(young=self.tally.cycles % 2 == 0)
                if self.progress and self.tally.cycles % 10 == 0:
                    print(self.tally.line(), flush=True)
        finally:
            if self.coord:
                self.coord.stop()
            if self.disk:
                self.disk.unmount()
        if self.tally.cycles < count and not self.tally.complaints:
            self.tally.complaints.append(
                f"{self.tally.void} cycles had fewer than {ACKED_PER_SECOND_MIN} acknowledged "
                "records a second: the machine is too busy to say anything")
        return self.tally

    def data(self):
        return (self.disk.mount_point if self.disk else self.directory) / "broker-data"

    def fresh_directory(self):
        # A new cluster: the tree and the logs are of one age.
        self.expected = {}
        self.age = 0.0
        if self.coord:
            self.coord.stop()
        shutil.rmtree(self.directory / "coord", ignore_errors=True)
        self.coord = servers.Coord(self.directory / "coord", config={"tickTime": 100})
        self.coord.start()
        if self.disk:
            self.disk.format()
        else:
            shutil.rmtree(self.data(), ignore_errors=True)

    def broker(self):
        # Small segments, so that cuts hit rolls as well.
        config = {"log.dirs": self.data(), "num.partitions": PARTITIONS,
                  "log.segment.bytes": self.random.choice([20000, 300000, 1 << 30]),
                  "log.index.interval.bytes": 200, "log.flush.offset.checkpoint.interval.ms": 500,
                  "zookeeper.session.timeout.ms": 400}
        if self.disk:
            config["log.flush.interval.messages"] = 1
        return servers.Broker(self.directory / "server", self.coord.connect, config=config)

    def await_expiry(self):
        """A broker whose id a dead one still holds ends, as Kafka's does: that session has to expire."""
        session = zk_wire.Session(self.coord.port)
        wait.until(lambda: session.get("/brokers/ids/0") is None, 20, "the end of the old broker's session")
        session.close()

    def await_leaders(self, port):
        link = kafka_wire.Link(port)
        wait.until(lambda: list(link.leaders(TOPIC).values()) == [0] * PARTITIONS, 30, "leaders of the topic")
        link.close()

    def cycle(self, young):
        self.number += 1
        if young or self.age is None:
            self.fresh_directory()
            cut_after = self.random.uniform(0.5, 4.5)
        else:
            cut_after = max(5.2 - self.age, 0) + self.random.uniform(0.3, 2.0)
        broker = self.broker()
        launched = time.monotonic()
        broker.start()
        self.await_leaders(broker.port)
        producers = [Producer(broker.port, p, f"c{self.number}-{p}") for p in range(PARTITIONS)]
        begun = time.monotonic()
        for producer in producers:
            producer.start()
        wait.pause(max(cut_after - (time.monotonic() - launched), 0.3), "the life before the cut")
        self.cut(broker)
        wrote = time.monotonic() - begun
        for producer in producers:
            producer.stopping = True
            producer.join(20)
        self.age += time.monotonic() - launched
        self.judge(broker, producers, wrote)

    def cut(self, broker):
        if self.disk:
            self.disk.cut_power()
            wait.pause(0.03, "acknowledgements after the cut")
        broker.kill()
        if self.disk:
            self.disk.unmount()
            self.disk.mount()

    def judge(self, broker, producers, wrote):
        tally = self.tally
        acked = sum(len(producer.acked) for producer in producers)
        for producer in producers:
            # On a disk that is gone appends are refused, and nothing but that is right.
            if producer.refused and not self.disk:
                tally.complaints.append(f"cycle {self.number}: records refused: {producer.refused}")
            for offset, value in producer.acked.items():
                self.expected[producer.partition, offset] = value
        if self.random.random() < 0.5:
            self.await_expiry()
            broker.launch()
            wait.pause(self.random.uniform(0, 0.15), "the recovery before the second cut")
            self.cut(broker)
        self.await_expiry()
        begun = time.monotonic()
        try:
            broker.start()
            self.await_leaders(broker.port)
        except (RuntimeError, wait.Timeout) as error:
            tally.complaints.append(
                f"cycle {self.number}: no start after the cut: {error}\n{broker.log()[-2000:]}")
            return
        tally.slowest_recovery = max(tally.slowest_recovery, time.monotonic() - begun)
        lost = self.missing(broker.port)
        broker.kill() if self.random.random() < 0.5 else broker.stop()
        self.await_expiry()
        if lost:
            tally.lost += len(lost)
            tally.complaints.append(f"cycle {self.number}: lost {len(lost)} acknowledged records, such as "
                                    f"{lost[:3]}; log of the broker:\n{broker.log()[-2000:]}")
        if acked < ACKED_PER_SECOND_MIN * wrote:
            tally.void += 1
            return
        sent = sum(producer.sent for producer in producers)
        tally.cycles += 1
        tally.attempted += sent
        tally.acknowledged += acked
        tally.unknown += sent - acked

    def missing(self, port):
        link = kafka_wire.Link(port)
        found = {p: link.read_all(TOPIC, p) for p in range(PARTITIONS)}
        link.close()
        return [where for where, value in self.expected.items() if found[where[0]].get(where[1]) != value]
