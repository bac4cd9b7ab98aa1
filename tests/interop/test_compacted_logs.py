"""A log that Apache's leader has compacted comes to a broker of ours by reassignment: with gaps of offsets,
tombstones and batches that hold nothing but a producer's last sequence. It is the same byte for byte there,
is recovered after a kill, led and read."""

import json

import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from peers import peers
from support import servers, wait
from support.broker_rolling import JAVA
from support.clusters import Cluster

pytestmark = pytest.mark.full
APACHE, OURS = 0, 1
TOPIC, KEYS, ROUNDS = "t", 20, 40
COMPACTED = {"cleanup.policy": "compact", "segment.bytes": "4096", "min.cleanable.dirty.ratio": "0.01"}
CLEANER = {"log.cleaner.backoff.ms": 100, "log.cleaner.dedupe.buffer.size": 4 << 20}


def produce(bootstrap, rows):
    """Each list of (key, value) is a batch; a producer id of its own for each call."""
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5,
                         "message.timeout.ms": 30000})
    for batch in rows:
        for key, value in batch:
            producer.produce(TOPIC, value, key)
        assert producer.flush(30) == 0


def fill(cluster):
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    topic = NewTopic(TOPIC, 1, replica_assignment=[[APACHE]], config=COMPACTED)
    admin.create_topics([topic])[TOPIC].result(30)
    wait.until(lambda: cluster.in_sync(TOPIC), 30, "the topic")
    for producer in "abc":
        produce(cluster.bootstrap, [[(f"{key}", f"{producer}{n}-{key}" * 5) for key in range(KEYS)]
                                    for n in range(ROUNDS)])
    produce(cluster.bootstrap, [[(f"{key}", None)] for key in range(0, KEYS, 4)])
    produce(cluster.bootstrap, [[("last", f"{n}" * 100)] for n in range(100)])


def log_directory(cluster, number):
    return cluster.brokers[number].directory / "logs"


def log_bytes(cluster, number):
    paths = sorted((log_directory(cluster, number) / f"{TOPIC}-0").glob("*.log"))
    return b"".join(path.read_bytes() for path in paths)


def clean(cluster):
    """Whether Apache's cleaner has been through all but the segment that is written to."""
    directory = log_directory(cluster, APACHE)
    last = max(int(path.stem) for path in (directory / f"{TOPIC}-0").glob("*.log"))
    known = directory / "cleaner-offset-checkpoint"
    return known.exists() and f"{TOPIC} 0 {last}" in known.read_text().splitlines()


def read(bootstrap):
    """[(offset, time, key, value)] from the start to the end, and both ends as they are told."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.partition.eof": True})
    consumer.assign([TopicPartition(TOPIC, 0, 0)])
    rows = []

    def at_end():
        message = consumer.poll(0.5)
        if message is None:
            return False
        if message.error():
            return message.error().code() == KafkaError._PARTITION_EOF
        rows.append((message.offset(), message.timestamp(), message.key(), message.value()))
        return False

    wait.until(at_end, 60, f"the end of {TOPIC}", interval=0)
    ends = consumer.get_watermark_offsets(TopicPartition(TOPIC, 0), timeout=10)
    consumer.close()
    return rows, ends


def reassign(cluster, replicas):
    file = cluster.directory / "moves.json"
    file.write_text(json.dumps({"version": 1, "partitions": [
        {"topic": TOPIC, "partition": 0, "replicas": replicas}]}))
    peers.run(servers.tool("kafka-reassign-partitions.sh", "--bootstrap-server", cluster.bootstrap,
                           "--execute", "--reassignment-json-file", file))
    wait.until(lambda: cluster.isr(TOPIC, 0) == sorted(replicas), 30, "all replicas in sync")


def prefer_ours(cluster):
    peers.run(servers.tool("kafka-leader-election.sh", "--bootstrap-server", cluster.bootstrap,
                           "--election-type", "preferred", "--topic", TOPIC, "--partition", "0"))
    wait.until(lambda: cluster.leader(TOPIC, 0) == OURS, 30, "our turn to lead")


def test_what_apache_compacted_is_copied_recovered_led_and_read(tmp_path, new_coord):
    with Cluster(tmp_path, new_coord().connect, ["apache", "ours"], java=JAVA,
                 per_broker=lambda number: CLEANER if number == APACHE else {}) as cluster:
        fill(cluster)
        wait.until(lambda: clean(cluster), 60, "the cleaner's work")
        before, ends = read(cluster.bootstrap)
        assert ends[1] > 3 * ROUNDS * KEYS > 10 * len(before)
        assert any(value is None for _, _, _, value in before)
        reassign(cluster, [OURS, APACHE])
        assert log_bytes(cluster, OURS) == log_bytes(cluster, APACHE)
        cluster.brokers[OURS].kill()
        wait.until(lambda: cluster.isr(TOPIC, 0) == [APACHE], 30, "the set without ours")
        cluster.brokers[OURS].start()
        wait.until(cluster.in_sync, 60, "ours in sync again")
        prefer_ours(cluster)
        assert log_bytes(cluster, OURS) == log_bytes(cluster, APACHE)
        assert read(cluster.brokers[OURS].bootstrap) == (before, ends)
        produce(cluster.bootstrap, [[("new", "value")]])
        after, _ = read(cluster.bootstrap)
        assert after[:-1] == before and after[-1][0] == ends[1]
