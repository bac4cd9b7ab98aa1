"""Ours among Apache's at older inter-broker protocols: our leader between their brokers and under their
controller, and theirs between ours. In-sync sets shrink and grow by what the protocol has for it: below
2.7-IV2 leaders write them into the tree themselves."""

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from peers import peers
from support import wait
from support.broker_rolling import JAVA
from support.cluster import Load, read_all
from support.clusters import Cluster

pytestmark = pytest.mark.full
KAFKA = {"2.7-IV0": peers.KAFKA_OLD, "2.8": peers.KAFKA, "3.0": peers.KAFKA, "3.4": peers.KAFKA}
CONTROLLER, LEADER, FOLLOWER = range(3)
TOPIC = "t"
SETTINGS = {"zookeeper.session.timeout.ms": 9000, "replica.lag.time.max.ms": 3000}


def create(cluster):
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    topic = NewTopic(TOPIC, 1, replica_assignment=[[LEADER, FOLLOWER, CONTROLLER]])
    admin.create_topics([topic])[TOPIC].result(30)
    wait.until(cluster.in_sync, 30, "all replicas in sync")


def logs(cluster):
    directories = [broker.directory / "logs" / f"{TOPIC}-0" for broker in cluster.brokers]
    return [b"".join(path.read_bytes() for path in sorted(each.glob("*.log"))) for each in directories]


def notified(cluster):
    """How often leaders told the controller of a set that they had written."""
    return cluster.client.get("/isr_change_notification")[1].cversion


@pytest.mark.parametrize("others", ["apache", "ours"])
@pytest.mark.parametrize("protocol", KAFKA)
def test_sets_and_leaders_change_at_older_protocols(tmp_path, new_coord, protocol, others):
    apache = f"apache {KAFKA[protocol]}"
    kinds = [apache, "ours", apache] if others == "apache" else ["ours", apache, "ours"]
    config = {**SETTINGS, "inter.broker.protocol.version": protocol}
    with Cluster(tmp_path, new_coord().connect, kinds, config=config, java=JAVA) as cluster:
        assert cluster.controller() == CONTROLLER
        create(cluster)
        with Load(cluster, TOPIC) as load:
            load.await_more(100)
            cluster.freeze(FOLLOWER)
            wait.until(lambda: cluster.isr(TOPIC, 0) == [CONTROLLER, LEADER], 20, "the leader's word of it")
            cluster.thaw(FOLLOWER)
            load.await_more(100)
            wait.until(lambda: cluster.isr(TOPIC, 0) == [0, 1, 2], 30, "the follower's return")
            assert cluster.leader(TOPIC, 0) == LEADER
            if protocol == "2.7-IV0":
                wait.until(lambda: notified(cluster) > 0, 20, "the notification, which leaders put off")
            cluster.brokers[LEADER].kill()
            wait.until(lambda: cluster.leader(TOPIC, 0) == FOLLOWER, 30, "the next leader")
            load.await_more(100, 60)
            wait.until(lambda: LEADER not in cluster.ids(), 30, "the end of its session")
            cluster.brokers[LEADER].start()
            wait.until(cluster.in_sync, 60, "the old leader in sync")
            load.await_more(100)
        assert (notified(cluster) > 0) == (protocol == "2.7-IV0")
        assert load.failed == []
        assert read_all(cluster, TOPIC) == load.acknowledged
        wait.until(lambda: len(set(logs(cluster))) == 1, 20, "equal logs")
