"""Three tandem-brokers on one tandem-coord: replicas, in-sync sets, a killed leader that loses nothing, and
followers whose logs are, byte for byte, their leader's."""

import signal

import confluent_kafka
import pytest

from support import kafka_wire, wait
from support.cluster import NUMBERS, Cluster, Load, read_all

REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS = 7, 19


@pytest.fixture
def cluster(tmp_path, new_coord):
    with Cluster.ours(tmp_path, new_coord(config={"tickTime": 500}).connect) as running:
        yield running


def test_a_killed_leader_loses_nothing_and_comes_back(cluster):
    topic = cluster.create("t")
    cluster.await_in_sync(topic)
    with Load(cluster, topic) as load:
        load.await_more(500)
        leader = cluster.state(topic)["leader"]
        cluster.brokers[leader].kill()
        wait.until(lambda: cluster.state(topic)["leader"] not in (leader, -1), 20, "another leader")
        load.await_more(500)
        cluster.brokers[leader].start()
        cluster.await_in_sync(topic)
        load.await_more(100)
    assert load.failed == []
    values = read_all(cluster, topic)
    assert len(values) == len(set(values)), "something is there twice"
    assert values == load.acknowledged
    cluster.await_equal_logs(topic)


def test_acks_all_needs_min_insync_replicas_and_groups_move_with_their_leader(cluster):
    topic = cluster.create("m")
    cluster.await_in_sync(topic)
    with Load(cluster, topic) as load:
        load.await_more(100)
    expected = list(load.acknowledged)
    assert read_all(cluster, topic, "moving") == expected
    leader = cluster.state(topic)["leader"]
    others = [number for number in NUMBERS if number != leader]
    coordinators = {cluster.state("__consumer_offsets", partition)["leader"] for partition in range(4)}
    assert coordinators <= set(NUMBERS)
    cluster.brokers[others[0]].kill()
    wait.until(lambda: others[0] not in cluster.in_sync(topic), 20, "the first follower out of sync")
    consumer = confluent_kafka.Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "moving"})
    committed = consumer.committed([confluent_kafka.TopicPartition(topic, 0)], timeout=30)[0]
    assert committed.offset == len(expected), "the group's offsets did not move with its coordinator"
    consumer.close()
    cluster.brokers[others[1]].kill()
    cluster.await_in_sync(topic, [leader])
    refused = []
    producer = confluent_kafka.Producer({"bootstrap.servers": cluster.brokers[leader].bootstrap,
                                         "acks": "all", "retries": 0, "message.timeout.ms": 5000})
    producer.produce(topic, b"alone", on_delivery=lambda error, _: refused.append(error))
    producer.flush(20)
    assert refused and refused[0] is not None
    for number in others:
        cluster.brokers[number].start()
    cluster.await_in_sync(topic)
    cluster.await_equal_logs(topic)


def test_no_watermark_rises_below_min_insync_replicas(cluster):
    """What was appended before the others left is committed when they are back, as Kafka has it since 3.7."""
    topic = cluster.create("too-few")
    cluster.await_in_sync(topic)
    leader = cluster.state(topic)["leader"]
    followers = [cluster.brokers[number] for number in NUMBERS if number != leader]
    link = kafka_wire.Link(cluster.brokers[leader].port, 40)
    assert link.produce(topic, 0, kafka_wire.batch(b"0"), acks=-1) == (0, 0)
    for broker in followers:
        broker.signal(signal.SIGSTOP)
    try:
        assert link.produce(topic, 0, kafka_wire.batch(b"1"), acks=-1)[0] == REQUEST_TIMED_OUT
        cluster.await_in_sync(topic, [leader])
        assert link.read_all(topic, 0) == {0: b"0"}
        assert link.produce(topic, 0, kafka_wire.batch(b"2"), acks=-1)[0] == NOT_ENOUGH_REPLICAS
    finally:
        for broker in followers:
            broker.signal(signal.SIGCONT)
    cluster.await_in_sync(topic)
    wait.until(lambda: link.read_all(topic, 0) == {0: b"0", 1: b"1"}, 10, "the second record")
    link.close()
    cluster.await_equal_logs(topic)


@pytest.fixture
def unsuspicious(tmp_path, new_coord):
    """All that is faster than Kafka by suspicion is off, and sessions and the lag rule take long."""
    off = {"tandem.suspect.brokers": "false", "tandem.suspect.controller": "false",
           "tandem.registration.takeover": "false", "tandem.replica.suspect.ms": 0,
           "replica.lag.time.max.ms": 15000, "zookeeper.session.timeout.ms": 6000}
    with Cluster.ours(tmp_path, new_coord(config={"tickTime": 500}).connect, off) as running:
        yield running


def test_without_suspicion_a_follower_and_a_dead_leader_are_waited_for(unsuspicious):
    cluster = unsuspicious
    topic = cluster.create("patient", assignment=[[1, 2, 3]])
    cluster.await_in_sync(topic)
    cluster.brokers[3].signal(signal.SIGSTOP)
    try:
        wait.stays(lambda: 3 in cluster.in_sync(topic), 4, "the stopped follower in sync")
    finally:
        cluster.brokers[3].signal(signal.SIGCONT)
    cluster.await_in_sync(topic)
    cluster.brokers[1].kill()

    def first():
        moved = cluster.state(topic)["leader"] != 1
        if cluster.tree.exists("/brokers/ids/1") is None:
            return "the session"
        return "the leader" if moved else None

    assert wait.until(first, 30, "the end of the session") == "the session"
    wait.until(lambda: cluster.state(topic)["leader"] == 2, 20, "another leader")
