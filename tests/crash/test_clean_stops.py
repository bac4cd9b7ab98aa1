"""Brokers that are stopped in good order, one by one, under a load with acks=all: it hardly waits."""

import pytest

from support.cluster import NUMBERS, Cluster, Load

# Seconds. An election takes a few hundredths, a client a retry or two, replica.lag.time.max.ms 30.
GAP_MAX = 3.0


@pytest.mark.parametrize("protocol", ["3.9", "2.7"])
def test_acknowledgements_go_on_while_each_broker_is_stopped_and_started(tmp_path, new_coord, protocol):
    config = {"inter.broker.protocol.version": protocol, "replica.lag.time.max.ms": 30000}
    with Cluster.ours(tmp_path, new_coord(config={"tickTime": 500}).connect, config) as cluster:
        topic = cluster.create("t", assignment=[[1, 2, 3]])
        cluster.await_in_sync(topic)
        gaps = {}
        with Load(cluster, topic) as load:
            load.await_more(500)
            for number in NUMBERS:
                gaps["stop", number] = load.gap_during(cluster.brokers[number].stop)
                gaps["start", number] = load.gap_during(cluster.brokers[number].start)
                cluster.await_in_sync(topic)
        assert load.failed == []
        assert max(gaps.values()) < GAP_MAX, gaps
        print(gaps)
