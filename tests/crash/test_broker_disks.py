"""tandem-broker on disks that fail: what is refused, what goes on, what ends the process."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import cycles  # noqa: E402
from support import kafka_wire, servers, wait  # noqa: E402
from support.failing import Failing  # noqa: E402

STORAGE_ERROR = 56
SOON_BACK = (3, 5, 6, STORAGE_ERROR)  # no leader, or not here any more
VALUE = b"v" * 4000


def partitions_in(directory, topic):
    return sorted(int(path.name.rsplit("-", 1)[1]) for path in Path(directory).glob(f"{topic}-*"))


def ready(broker, topic, partitions):
    link = kafka_wire.Link(broker.port)
    wait.until(lambda: list(link.leaders(topic).values()) == [0] * partitions, 30, "leaders of the topic")
    return link


def test_a_full_directory_goes_offline_the_other_serves_and_a_restart_brings_all_back(tmp_path, new_coord):
    disk = cycles.Ext4Image(tmp_path)
    try:
        disk.format(mib=24)
    except (cycles.NoLoopMounts, OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"loop mounts are not allowed here ({error})")
    small, large = disk.mount_point / "logs", tmp_path / "logs"
    broker = servers.Broker(tmp_path / "broker", new_coord().connect,
                            config={"log.dirs": f"{small},{large}", "num.partitions": 4})
    filler = disk.mount_point / "filler"
    try:
        broker.start()
        link = ready(broker, "t", 4)
        doomed, safe = partitions_in(small, "t"), partitions_in(large, "t")
        assert len(doomed) == len(safe) == 2
        acked = {p: 0 for p in range(4)}
        cycles.fill(filler)
        error = 0
        while error == 0:
            for partition in range(4):
                answer, offset = link.produce("t", partition, kafka_wire.batch(VALUE))
                if answer == 0:
                    assert offset == acked[partition]
                    acked[partition] += 1
                else:
                    error = answer
                    assert partition in doomed and error == STORAGE_ERROR
            assert acked[safe[0]] < 10000, "the disk never became full"
        for partition in doomed:
            assert link.produce("t", partition, kafka_wire.batch(VALUE))[0] in SOON_BACK
        wait.until(lambda: all(link.leaders("t")[p] == 5 for p in doomed), 20,
                   "the controller's word that those partitions have no leader")
        for partition in safe:
            error, offset = link.produce("t", partition, kafka_wire.batch(VALUE))
            assert (error, offset) == (0, acked[partition])
            acked[partition] += 1
            assert len(link.read_all("t", partition)) == acked[partition]
        assert broker.running and f"Log directory {small} is offline" in broker.log()
        broker.stop()
        filler.unlink()
        broker.start()
        link = ready(broker, "t", 4)
        for partition in range(4):
            found = link.read_all("t", partition)
            assert sorted(found) == list(range(acked[partition]))
            assert link.produce("t", partition, kafka_wire.batch(VALUE)) == (0, acked[partition])
    finally:
        broker.kill()
        disk.unmount()


def test_nothing_is_acknowledged_from_a_file_whose_sync_failed(tmp_path, new_coord):
    dirs = [tmp_path / "one", tmp_path / "two"]
    config = {"log.dirs": f"{dirs[0]},{dirs[1]}", "num.partitions": 2, "log.flush.interval.messages": 1}
    with servers.Broker(tmp_path / "broker", new_coord().connect, config=config) as broker:
        link = ready(broker, "t", 2)
        sick, = partitions_in(dirs[0], "t")
        well, = partitions_in(dirs[1], "t")
        batch = kafka_wire.batch(b"first", producer_id=5, epoch=0, sequence=0)
        again = kafka_wire.batch(b"second", producer_id=5, epoch=0, sequence=1)
        assert link.produce("t", sick, batch) == (0, 0)
        with Failing(broker, (dirs[0] / f"t-{sick}").glob("*.log")):
            assert link.produce("t", sick, again)[0] == STORAGE_ERROR
        # The file would sync now, but what was not is perhaps gone: neither it nor its repetition counts.
        assert link.produce("t", sick, again)[0] in SOON_BACK
        assert link.produce("t", well, kafka_wire.batch(b"other")) == (0, 0)
        assert broker.running
        broker.stop()
        broker.start()
        link = ready(broker, "t", 2)
        assert link.read_all("t", sick)[0] == b"first"


def test_the_last_directory_that_fails_ends_the_process(tmp_path, new_coord):
    config = {"log.flush.interval.messages": 1, "log.dirs": tmp_path / "logs", "num.partitions": 1}
    with servers.Broker(tmp_path / "broker", new_coord().connect, config=config) as broker:
        link = ready(broker, "t", 1)
        assert link.produce("t", 0, kafka_wire.batch(b"first")) == (0, 0)
        with Failing(broker, (tmp_path / "logs" / "t-0").glob("*.log")):
            try:
                assert link.produce("t", 0, kafka_wire.batch(b"second"))[0] == STORAGE_ERROR
            except ConnectionError:
                pass
            assert broker.wait(30) == 1
        assert "was the last log directory" in broker.log()
        broker.start()
        assert ready(broker, "t", 1).read_all("t", 0)[0] == b"first"
