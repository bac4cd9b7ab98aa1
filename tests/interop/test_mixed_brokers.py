"""Tandem's broker among Apache's: as follower of theirs, as leader of theirs, killed and back, with a load
that loses nothing and logs that are equal byte for byte."""

import pytest

from peers import peers
from support import servers, wait
from support.cluster import NUMBERS, SETTINGS, Cluster, Load, read_all

OURS = 2

pytestmark = pytest.mark.full


@pytest.fixture
def cluster(tmp_path, new_coord):
    coord = new_coord(config={"tickTime": 500})
    settings = {**SETTINGS, "zookeeper.session.timeout.ms": 6000, "inter.broker.protocol.version": "3.9",
                "auto.leader.rebalance.enable": "false"}

    def make(number):
        kind = servers.Broker if number == OURS else peers.ApacheKafka
        return kind(tmp_path / f"broker{number}", coord.connect, config={**settings, "broker.id": number})

    with Cluster(coord, make) as running:
        yield running


def test_ours_follows_and_leads_theirs_and_nothing_is_lost(cluster):
    topics = [cluster.create(f"t{i}", assignment=[NUMBERS[i:] + NUMBERS[:i]]) for i in range(3)]
    for topic in topics:
        cluster.await_in_sync(topic, seconds=40)
    led_by_ours = next(topic for topic in topics if cluster.state(topic)["leader"] == OURS)
    led_by_theirs = next(topic for topic in topics if cluster.state(topic)["leader"] != OURS)
    with Load(cluster, led_by_ours) as on_ours, Load(cluster, led_by_theirs) as on_theirs:
        on_ours.await_more(300)
        on_theirs.await_more(300)
        cluster.brokers[OURS].kill()
        wait.until(lambda: cluster.state(led_by_ours)["leader"] not in (OURS, -1), 40, "a leader of theirs")
        on_ours.await_more(300, 60)
        cluster.brokers[OURS].start()
        cluster.await_in_sync(led_by_ours, seconds=60)
        leader = cluster.state(led_by_theirs)["leader"]
        cluster.brokers[leader].kill()
        wait.until(lambda: cluster.state(led_by_theirs)["leader"] not in (leader, -1), 40, "another leader")
        on_theirs.await_more(300, 60)
        # Until then Kafka does not start.
        wait.until(lambda: not cluster.tree.exists(f"/brokers/ids/{leader}"), 30, "the end of its session")
        cluster.brokers[leader].start()
        cluster.await_in_sync(led_by_theirs, seconds=60)
    for load in (on_ours, on_theirs):
        assert load.failed == []
        assert read_all(cluster, load.topic, f"reader-{load.topic}") == load.acknowledged
        cluster.await_equal_logs(load.topic)
