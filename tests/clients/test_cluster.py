"""Three tandem-brokers on one tandem-coord: replicas, in-sync sets, a killed leader that loses nothing, and
followers whose logs are, byte for byte, their leader's."""

import confluent_kafka
import pytest

from support import wait
from support.cluster import NUMBERS, Cluster, Load, read_all


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
