"""Log directories under two brokers in turn: what Apache Kafka 3.9.1 wrote, tandem-broker serves, and back.

The tree (tandem-coord) stays, the broker id too. After a clean stop neither side recovers or rebuilds
anything, Kafka's DumpLogSegments finds no fault, committed offsets are where they were, an idempotent
producer goes on with its sequence.
"""

import re
import time

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from peers import peers
from support import kafka_wire, ports, servers, wait

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
BATCH = 400
CONFIG = {"log.segment.bytes": 100000, "log.index.interval.bytes": 512, "num.partitions": 2}
# "Reloading from producer snapshot" is what Kafka says of every log that it loads, whole or not, the last one
# of a sequence that comes too early.
COMPLAINT = re.compile(r"\[(?!.*(?:Reloading from producer snapshot|Skipping recovery"
                       r"|append operation on partition sequence-0))"
                       r".*(?:[Rr]ecover(?:ing|y of)|[Rr]ebuil|[Cc]orrupt|unclean|ERROR|FATAL)")
FAULT = re.compile(r"isvalid: false|[Mm]ismatch|[Nn]on-consecutive|not found|[Ii]nvalid|corrupt")
QUIET = {"log_level": 0}


OUT_OF_ORDER = 45


class Idempotent:
    """A producer whose id, epoch and sequence outlive the broker that gave them."""

    def __init__(self):
        self.identity, self.sent = None, []

    def send(self, link, sequence):
        now = int(time.time() * 1000)
        data = kafka_wire.batch(b"%d" % sequence, now, *self.identity, sequence)
        return link.produce("sequence", 0, data)

    def go_on(self, port):
        """The next three batches; the last of them again and one too far ahead are recognized as such."""
        link = kafka_wire.Link(port)
        wait.until(lambda: link.leaders("sequence") == {0: 0}, 60, "the leader of the topic")
        self.identity = self.identity or link.init_producer_id()
        if self.sent:
            assert self.send(link, len(self.sent) - 1) == (0, self.sent[-1]), "a repetition after the swap"
        for sequence in range(len(self.sent), len(self.sent) + 3):
            error, offset = self.send(link, sequence)
            assert error == 0, f"sequence {sequence} gives error {error}"
            self.sent.append(offset)
        assert self.send(link, len(self.sent) - 1) == (0, self.sent[-1]), "a repetition"
        assert self.send(link, len(self.sent) + 5)[0] == OUT_OF_ORDER
        assert self.sent == list(range(len(self.sent)))
        link.close()


class Hosts:
    """The broker that has the directories at the moment."""

    def __init__(self, directory, coord):
        self.directory, self.coord, self.port, self.now = directory, coord, ports.free_port(), None

    def start(self, kind):
        make = peers.ApacheKafka if kind == "kafka" else servers.Broker
        self.now = make(self.directory, self.coord.connect, port=self.port, config=CONFIG).start()

    def stop(self):
        """Stops it; what it said about damage since its start."""
        self.now.stop(60)
        return [line for line in self.now.log().splitlines() if COMPLAINT.match(line)]


@pytest.fixture
def hosts(tmp_path, new_coord):
    made = Hosts(tmp_path / "broker", new_coord())
    yield made
    made.now.__exit__()


def produce(bootstrap, topic, begin):
    for number, codec in enumerate(CODECS):
        producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "compression.type": codec,
                                             "enable.idempotence": True, **QUIET})
        for i in range(BATCH):
            value = begin + number * BATCH + i
            text = f"{value} {'x' * (value % 90)}"
            producer.produce(topic, value=text, partition=value % 2, headers={"n": "v"})
        assert producer.flush(60) == 0


def consume(bootstrap, topic, group, count):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": group,
                                         "auto.offset.reset": "earliest", "enable.auto.commit": False,
                                         **QUIET})
    consumer.subscribe([topic])
    values = []

    def enough():
        message = consumer.poll(0.5)
        if message is not None:
            assert message.error() is None, message.error()
            values.append(int(message.value().split()[0]))
        return len(values) >= count

    wait.until(enough, 60, f"{count} records", interval=0)
    consumer.commit(asynchronous=False)
    consumer.close()
    return sorted(values)


def dump_faults(directory, topic):
    """What Kafka's DumpLogSegments finds wrong in segments and indexes."""
    files = [str(path) for suffix in ("log", "index", "timeindex")
             for path in sorted((directory / "logs").glob(f"{topic}-*/*.{suffix}"))]
    command = peers.kafka_tool(peers.KAFKA, "kafka-dump-log", "--files", ",".join(files), "--deep-iteration")
    out = peers.run(command)
    assert "baseOffset" in out
    return [line for line in out.splitlines() if FAULT.search(line)]


@pytest.mark.parametrize("first, second", [
    ("kafka", "ours"), pytest.param("ours", "kafka", marks=pytest.mark.full)])
def test_log_directories_go_there_and_back(hosts, first, second):
    hosts.start(first)
    admin = AdminClient({"bootstrap.servers": hosts.now.bootstrap, **QUIET})
    admin.create_topics([NewTopic("swap", num_partitions=2, replication_factor=1)])["swap"].result(60)
    admin.create_topics([NewTopic("sequence", num_partitions=1, replication_factor=1)])["sequence"].result(60)
    total = 0
    idempotent = Idempotent()
    for kind in (first, second, first):
        if total:
            hosts.start(kind)
            assert consume(hosts.now.bootstrap, "swap", f"all-{total}", total) == list(range(total))
        produce(hosts.now.bootstrap, "swap", total)
        batch = len(CODECS) * BATCH
        assert consume(hosts.now.bootstrap, "swap", "resuming", batch) == list(range(total, total + batch))
        total += batch
        idempotent.go_on(hosts.port)
        assert not hosts.stop()
        for topic in ("swap", "sequence"):
            assert not dump_faults(hosts.directory, topic)
        print(f"  {hosts.now.name}: {total} records of every codec, committed offsets, the producer's "
              f"sequence {len(idempotent.sent) - 1}; a clean stop, no complaint, no fault by DumpLogSegments",
              flush=True)


def test_a_living_producer_goes_on_over_the_swaps(hosts, count=300):
    """Records are under way whenever its broker is replaced by the other: each is there once, in order."""
    hosts.start("kafka")
    link = kafka_wire.Link(hosts.port)
    wait.until(lambda: list(link.leaders("live").values()) == [0, 0], 60, "leaders of the topic")
    link.close()
    producer = confluent_kafka.Producer({"bootstrap.servers": hosts.now.bootstrap, **QUIET,
                                         "enable.idempotence": True, "reconnect.backoff.max.ms": 500,
                                         "message.timeout.ms": 120000})
    failures, sent = [], 0

    def delivered(error, _):
        if error is not None:
            failures.append(str(error))

    for kind in ("ours", "kafka"):
        for answered in (True, False):
            for _ in range(count):
                producer.produce("live", value=str(sent), partition=sent % 2, on_delivery=delivered)
                sent += 1
            if answered:
                assert producer.flush(60) == 0
        producer.poll(0)
        hosts.stop()
        hosts.start(kind)
    assert producer.flush(60) == 0
    assert not failures, failures[:3]
    link = kafka_wire.Link(hosts.port)
    wait.until(lambda: list(link.leaders("live").values()) == [0, 0], 60, "leaders of the topic")
    for partition in range(2):
        values = [int(value) for _, value in sorted(link.read_all("live", partition).items())]
        assert values == list(range(partition, sent, 2))
    link.close()
