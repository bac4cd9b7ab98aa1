"""Acknowledgements that wait for the disk, between ours and Apache's: their leader skips the field in which
ours tells what it has synced, and their follower, which tells nothing of the kind, counts at ours as at
Kafka."""

import pytest

from peers import peers
from support import servers, wait
from support.cluster import SETTINGS, Cluster, Load, read_all

OURS, THEIRS = 2, (1, 3)

pytestmark = pytest.mark.full


@pytest.fixture
def cluster(tmp_path, new_coord):
    coord = new_coord(config={"tickTime": 500})
    settings = {**SETTINGS, "zookeeper.session.timeout.ms": 6000, "inter.broker.protocol.version": "3.9",
                "auto.leader.rebalance.enable": "false"}

    def make(number):
        if number == OURS:
            return servers.Broker(tmp_path / "ours", coord.connect, config={
                **settings, "broker.id": OURS, "tandem.log.flush.on.ack": "true"})
        return peers.ApacheKafka(tmp_path / f"theirs{number}", coord.connect,
                                 config={**settings, "broker.id": number})

    with Cluster(coord, make) as running:
        yield running


def test_their_leader_skips_our_field_and_their_follower_counts_with_what_it_has(cluster):
    followed = cluster.create("followed", assignment=[[1, OURS, 3]])
    led = cluster.create("led", assignment=[[OURS, 1, 3]])
    for topic in (followed, led):
        cluster.await_in_sync(topic, seconds=40)
    with Load(cluster, followed) as on_theirs, Load(cluster, led) as on_ours:
        # Longer than replica.lag.time.max.ms: who did not count would leave the set.
        wait.pause(SETTINGS["replica.lag.time.max.ms"] * 2 / 1000, "the lag limit")
        for load in (on_theirs, on_ours):
            load.await_more(300)
    for topic, load in ((followed, on_theirs), (led, on_ours)):
        assert load.failed == []
        assert cluster.in_sync(topic) == [1, OURS, 3]
        assert read_all(cluster, topic, f"reader-{topic}") == load.acknowledged
        cluster.await_equal_logs(topic)
    for number in THEIRS:
        complaints = [line for line in cluster.brokers[number].log().splitlines() if " ERROR " in line]
        assert not complaints, complaints[:5]
