"""The tree after the same life of a broker, ours and Apache Kafka's: equal but for times and ids.

Both run on Apache ZooKeeper. Every node is compared, its bytes and its version; what may differ is replaced
by its kind: timestamps, random ids, ports.
"""

import json
import re

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions,
                                   NewTopic)
from kazoo.client import KazooClient

from peers import peers
from support import servers, wait
from support.clusters import Cluster

VARIABLE = [
    (re.compile(rb'("timestamp":)"\d+"'), rb'\1"T"'),
    (re.compile(rb'("topic_id":)"[\w-]{22}"'), rb'\1"I"'),
    (re.compile(rb'("version":"1","id":)"[\w-]{22}"'), rb'\1"I"'),
    (re.compile(rb'127\.0\.0\.1:\d+'), b'HOST'),
    (re.compile(rb'("port":)\d+'), rb'\1P'),
    (re.compile(rb'("brokerid":)\d+'), rb'\1B'),  # who comes to be controller first
]


def plain(data):
    for pattern, replacement in VARIABLE:
        data = pattern.sub(replacement, data)
    return data.decode()


def dump(connect):
    """path -> (data, version, is ephemeral)"""
    client = KazooClient(hosts=connect)
    client.start(timeout=20)
    rows = {}

    def walk(path):
        data, stat = client.get(path or "/")
        if path:
            rows[path] = (plain(data or b""), stat.version, stat.ephemeralOwner != 0)
        for child in client.get_children(path or "/"):
            if path or child != "zookeeper":
                walk(f"{path}/{child}")

    walk("")
    client.stop()
    client.close()
    return rows


def done(futures):
    for future in futures.values():
        future.result(timeout=30)


def live(bootstrap, connect):
    """What a cluster sees in its first minutes."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    done(admin.create_topics([NewTopic("alpha", 30, 1)]))
    settings = {"cleanup.policy": "delete", "retention.ms": "600000", "segment.bytes": "100000"}
    done(admin.create_topics([NewTopic("beta.x", 3, 1, config=settings)]))
    done(admin.create_topics([NewTopic("placed", 2, replica_assignment=[[0], [0]])]))
    done(admin.create_partitions([NewPartitions("beta.x", 5)]))
    done(admin.create_topics([NewTopic("gone", 2, 1)]))
    done(admin.delete_topics(["gone"]))
    gone = KazooClient(hosts=connect)
    gone.start(timeout=20)
    wait.until(lambda: gone.exists("/brokers/topics/gone") is None, 20, "the topic is still there")
    gone.stop()
    gone.close()
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    for number in range(10):
        producer.produce("by_use", str(number))
    assert producer.flush(30) == 0
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "g", "auto.offset.reset": "earliest"})
    consumer.subscribe(["by_use"])
    wait.until(lambda: consumer.poll(0.5) is not None, 60, "nothing was consumed")
    consumer.close()


def configure(bootstrap):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for kind, name, key, value in [("topic", "alpha", "max.message.bytes", "2000"),
                                   ("broker", "0", "log.cleaner.threads", "2")]:
        entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(kind, name, incremental_configs=[entry])
        done(admin.incremental_alter_configs([resource]))
    # Those of all brokers: librdkafka knows no name for them.
    for change in (["--add-config", "log.retention.ms=7000000,message.max.bytes=900000"],
                   ["--delete-config", "message.max.bytes"]):
        peers.run(peers.kafka_tool(peers.KAFKA, "kafka-configs", "--bootstrap-server", bootstrap, "--alter",
                                   "--entity-type", "brokers", "--entity-default", *change))


def tree_of(tmp_path, make, steps):
    with peers.ApacheZooKeeper(tmp_path / "zookeeper") as zookeeper:
        connect = f"127.0.0.1:{zookeeper.port}"
        with make(tmp_path / "broker", connect) as broker:
            for step in steps:
                step(broker.bootstrap, connect)
            return dump(connect)


def compare(tmp_path, steps):
    theirs = tree_of(tmp_path / "apache", peers.ApacheKafka, steps)
    ours = tree_of(tmp_path / "ours", servers.Broker, steps)
    differences = [f"{path}: Kafka {theirs.get(path)}, ours {ours.get(path)}"
                   for path in sorted(theirs.keys() | ours.keys()) if theirs.get(path) != ours.get(path)]
    assert not differences, f"of {len(theirs)} nodes differ:\n" + "\n".join(differences)
    assert len(theirs) > 100


def test_a_life_leaves_the_same_tree(tmp_path):
    compare(tmp_path, [live])


def test_settings_leave_the_same_tree(tmp_path):
    compare(tmp_path, [live, lambda bootstrap, _: configure(bootstrap)])


def cluster_life(cluster):
    """What a controller of three brokers writes: placement, growth, moves, a broker that leaves."""
    bootstrap = cluster.brokers[0].bootstrap
    admin = AdminClient({"bootstrap.servers": bootstrap})
    done(admin.create_topics(
        [NewTopic("spread", 3, replica_assignment=[[0, 1, 2], [1, 2, 0], [2, 0, 1]])]))
    done(admin.create_topics([NewTopic("pairs", 2, replica_assignment=[[1, 2], [2, 1]])]))
    done(admin.create_topics([NewTopic("moved", 2, replica_assignment=[[0, 1], [1, 0]])]))
    done(admin.create_topics([NewTopic("gone", 1, replica_assignment=[[0, 1, 2]])]))
    done(admin.create_partitions([NewPartitions("pairs", 3, replica_assignment=[[1, 0]])]))
    done(admin.delete_topics(["gone"]))
    wait.until(lambda: cluster.assignment("gone") is None, 30, "the topic is still there")
    goal = cluster.directory / "goal.json"
    goal.write_text(json.dumps({"version": 1, "partitions": [
        {"topic": "moved", "partition": 0, "replicas": [1]},
        {"topic": "moved", "partition": 1, "replicas": [0, 1]}]}))
    peers.run(servers.tool("kafka-reassign-partitions.sh", "--bootstrap-server", bootstrap, "--execute",
                           "--reassignment-json-file", goal))
    wait.until(lambda: cluster.assignment("moved")["partitions"] == {"0": [1], "1": [0, 1]}, 30, "moves")
    cluster.brokers[2].stop()
    wait.until(lambda: cluster.ids() == [0, 1], 30, "the end of the registration")
    wait.until(lambda: cluster.leader("spread", 2) == 0, 30, "the leader after the shutdown")
    peers.run(servers.tool("kafka-leader-election.sh", "--bootstrap-server", bootstrap, "--election-type",
                           "preferred", "--topic", "moved", "--partition", "1"))
    wait.until(lambda: cluster.leader("moved", 1) == 0, 30, "the preferred leader")


def crash(cluster, victim):
    """Ends by -9, is missed, comes back and catches up."""
    cluster.brokers[victim].kill()
    wait.until(lambda: victim not in cluster.ids(), 30, "the end of its session")
    wait.until(lambda: all(victim not in isr or isr == [victim] for isr in cluster.in_sync_sets()), 30,
               "in-sync sets without it")
    cluster.brokers[victim].start()
    wait.until(cluster.in_sync, 60, "all in sync")


def crashes(cluster):
    """What controllers write about brokers that die: one that follows and leads, then the controller."""
    cluster.brokers[2].start()
    wait.until(cluster.in_sync, 60, "all in sync")
    crash(cluster, 1)
    assert (cluster.controller(), cluster.epoch()) == (0, 1)
    crash(cluster, 0)
    assert (cluster.controller() in (1, 2), cluster.epoch()) == (True, 2)
    peers.run(servers.tool("kafka-leader-election.sh", "--bootstrap-server", cluster.bootstrap,
                           "--election-type", "preferred", "--all-topic-partitions"))
    wait.until(lambda: [cluster.leader("spread", n) for n in range(3)] == [0, 1, 2], 30, "preferred leaders")


def trees_of_three(tmp_path, kind):
    """After each part of a life."""
    with peers.ApacheZooKeeper(tmp_path / "zookeeper") as zookeeper:
        connect = f"127.0.0.1:{zookeeper.port}"
        with Cluster(tmp_path, connect, [kind] * 3) as cluster:
            for part in (cluster_life, crashes):
                part(cluster)
                yield dump(connect)


@pytest.mark.full
def test_a_life_of_three_brokers_leaves_the_same_tree(tmp_path):
    for theirs, ours in zip(list(trees_of_three(tmp_path / "apache", "apache")),
                            list(trees_of_three(tmp_path / "ours", "ours"))):
        differences = [f"{path}: Kafka {theirs.get(path)}, ours {ours.get(path)}"
                       for path in sorted(theirs.keys() | ours.keys()) if theirs.get(path) != ours.get(path)]
        assert not differences, f"of {len(theirs)} nodes differ:\n" + "\n".join(differences)
