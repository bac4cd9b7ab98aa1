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


def rot(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def test_a_leader_whose_log_rots_gives_way_and_gets_what_it_lost_from_the_next(tmp_path, coord):
    with Cluster.ours(tmp_path, coord.connect) as cluster:
        topic = cluster.create("t", assignment=[[1, 2, 3]])
        cluster.await_in_sync(topic)
        with Load(cluster, topic) as load:
            load.await_more(2000)
        first = cluster.brokers[1]
        segment = first.directory / "logs" / f"{topic}-0" / f"{0:020}.log"
        first.stop()
        rot(segment)
        first.start()
        cluster.await_in_sync(topic)
        prefer_first(cluster, topic)
        # A consumer comes to the rotten place, and gets there what was written.
        assert read_all(cluster, topic) == load.acknowledged
        assert cluster.state(topic)["leader"] != 1
        cluster.await_in_sync(topic)
        cluster.await_equal_logs(topic)
        assert segment.with_name(segment.name + ".damaged").exists()
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
