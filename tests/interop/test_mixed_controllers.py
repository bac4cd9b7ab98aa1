"""Our broker and Apache's in one cluster: either is the controller of the other."""

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from peers import peers
from support import wait
from support.clusters import Cluster


@pytest.fixture
def zookeeper(tmp_path):
    with peers.ApacheZooKeeper(tmp_path / "zookeeper") as server:
        yield f"127.0.0.1:{server.port}"


def create(cluster, name, replicas):
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    for future in admin.create_topics([NewTopic(name, 1, replica_assignment=[replicas])]).values():
        future.result(timeout=30)


def produce(cluster, topic, count=10):
    """Acknowledged by all in-sync replicas, with ids that the controller gives out."""
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "enable.idempotence": True,
                         "message.timeout.ms": 30000})
    for number in range(count):
        producer.produce(topic, str(number))
    assert producer.flush(40) == 0


def test_ours_is_the_controller_of_apaches_brokers(zookeeper, tmp_path):
    with Cluster(tmp_path, zookeeper, ["ours", "apache", "apache"]) as cluster:
        assert cluster.controller() == 0
        create(cluster, "t", [1, 2])
        produce(cluster, "t")
        cluster.brokers[2].kill()
        wait.until(lambda: cluster.isr("t", 0) == [1], 30, "the ISR without the dead broker")
        # Until then Kafka does not start.
        wait.until(lambda: 2 not in cluster.ids(), 30, "the end of its session")
        cluster.brokers[2].start()
        wait.until(lambda: cluster.isr("t", 0) == [1, 2], 60, "the ISR, by AlterPartition to our controller")
        cluster.brokers[1].stop()  # a controlled shutdown, asked of our controller
        state = cluster.state("t", 0)
        assert (state["leader"], state["isr"]) == (2, [2])
        produce(cluster, "t")
        assert "ERROR" not in [word for line in cluster.brokers[2].log().splitlines()
                               if "state.change" in line for word in line.split()]


@pytest.mark.full
def test_apaches_is_the_controller_of_our_broker(zookeeper, tmp_path):
    with Cluster(tmp_path, zookeeper, ["apache", "ours"]) as cluster:
        assert cluster.controller() == 0
        create(cluster, "t", [1])
        assert cluster.leader("t", 0) == 1
        produce(cluster, "t")
        cluster.brokers[1].stop()
        assert "controlled shutdown succeeded" in cluster.brokers[1].log()
        cluster.brokers[1].start()
        wait.until(lambda: cluster.leader("t", 0) == 1, 30, "the leader's return")
        cluster.brokers[0].kill()
        wait.until(lambda: cluster.controller() == 1, 30, "our turn")
        assert cluster.epoch() == 2
        create(cluster, "u", [1])
        produce(cluster, "u")
