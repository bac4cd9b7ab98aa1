"""Three brokers on disks that rot and fail: what one of them loses the others have."""

import subprocess

import pytest

from support import servers, wait
from support.cluster import SETTINGS, Cluster, Load, Where, read_all
from support.failing import Failing


@pytest.fixture
def coord(new_coord):
    return new_coord(config={"tickTime": 500})


def prefer_first(cluster, topic):
    command = servers.tool("kafka-leader-election.sh", "--bootstrap-server", cluster.bootstrap,
                           "--election-type", "preferred", "--topic", topic, "--partition", 0)
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    wait.until(lambda: cluster.state(topic)["leader"] == 1, 20, "the preferred leader")


# Of a batch; a CRC covers the first only.
ROTTEN = {"a-record": 65, "leader-epoch": 15, "base-offset": 7}


def rot(path, at):
    """Another bit at this place of a batch in the middle: the last one's base offset nothing contradicts."""
    data = bytearray(path.read_bytes())
    batches = [0]
    while batches[-1] < len(data):
        batches.append(batches[-1] + 12 + int.from_bytes(data[batches[-1] + 8:batches[-1] + 12], "big"))
    count = len(batches) - 1
    assert count >= 3, f"{count} batches"
    data[batches[count // 2] + at] ^= 0x10
    path.write_bytes(data)


def test_a_leader_whose_log_rots_gives_way_and_gets_what_it_lost_from_the_next(tmp_path, coord):
    # Nobody else moves a leader back to the first broker.
    config = {"auto.leader.rebalance.enable": "false"}
    with Cluster.ours(tmp_path, coord.connect, config) as cluster:
        acknowledged = {}
        for topic in ROTTEN:
            cluster.create(topic, assignment=[[1, 2, 3]])
            cluster.await_in_sync(topic)
            with Load(cluster, topic) as load:
                load.await_more(1000)
            acknowledged[topic] = load.acknowledged
        first = cluster.brokers[1]
        segments = {topic: first.directory / "logs" / f"{topic}-0" / f"{0:020}.log" for topic in ROTTEN}
        first.stop()
        for topic, at in ROTTEN.items():
            rot(segments[topic], at)
        first.start()
        for topic in ROTTEN:
            cluster.await_in_sync(topic)
            damaged = segments[topic].with_name(segments[topic].name + ".damaged")
            # It may have read there while it followed: among a few large batches what it looks for is near.
            found_before = damaged.exists()
            prefer_first(cluster, topic)
            # A consumer comes to the rotten place, and gets there what was written.
            assert read_all(cluster, topic, f"reader-{topic}") == acknowledged[topic]
            assert found_before or cluster.state(topic)["leader"] != 1, topic
            cluster.await_in_sync(topic)
            cluster.await_equal_logs(topic)
            assert damaged.exists()
        assert "bytes are set aside" in first.log()


def test_a_directory_whose_sync_fails_goes_offline_and_the_rest_of_the_cluster_serves_on(tmp_path, coord):
    def make(number):
        directory = tmp_path / f"broker{number}"
        config = {**SETTINGS, "broker.id": number, "tandem.log.flush.on.ack": "true",
                  "log.dirs": f"{directory / 'one'},{directory / 'two'}"}
        return servers.Broker(directory, coord.connect, config=config)

    with Cluster(Where(coord.connect), make) as cluster:
        topics = [cluster.create(name, assignment=[[1, 2, 3]]) for name in ("a", "b")]
        for topic in topics:
            cluster.await_in_sync(topic)
        first = cluster.brokers[1]
        sick = next(topic for topic in topics if (first.directory / "one" / f"{topic}-0").exists())
        well = next(topic for topic in topics if topic != sick)
        assert (first.directory / "two" / f"{well}-0").exists()
        loads = {topic: Load(cluster, topic) for topic in topics}
        with loads[sick], loads[well]:
            for load in loads.values():
                load.await_more(200)
            with Failing(first, (first.directory / "one" / f"{sick}-0").glob("*.log")):
                wait.until(lambda: cluster.state(sick)["leader"] in (2, 3), 20, "a leader with a disk")
            for load in loads.values():
                load.await_more(200)
            assert cluster.in_sync(sick) == [2, 3]
            assert cluster.state(well)["leader"] == 1 and cluster.in_sync(well) == [1, 2, 3]
        assert "is offline" in first.log() and first.running
        first.stop()
        first.start()
        for topic, load in loads.items():
            cluster.await_in_sync(topic)
            assert load.failed == []
            assert read_all(cluster, topic, f"reader-{topic}") == load.acknowledged
