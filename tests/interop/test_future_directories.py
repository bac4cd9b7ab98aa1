"""A broker stopped in the middle of a move between its log directories: the other maker's program takes the
half-grown copy (the directory *-future) over, brings the move to its end, and loses nothing. Of the rate that
holds moves back both say the same."""

import json

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from peers import peers
from support import kafka_wire, servers, wait
from support.broker_rolling import COMPLAINT, JAVA
from support.clusters import Cluster

pytestmark = pytest.mark.full
TOPIC, RECORDS = "moving", 400
RATE = "replica.alter.log.dirs.io.max.bytes.per.second"


def limit(broker, rate):
    """Throttles moves; what DescribeConfigs then says of the rate, but for its value."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for future in admin.alter_configs([ConfigResource("broker", "0", set_config={RATE: str(rate)})]).values():
        future.result(30)

    def shown():
        (described,) = admin.describe_configs([ConfigResource("broker", "0")]).values()
        entry = described.result(30).get(RATE)
        return entry if entry and entry.value == str(rate) else None

    entry = wait.until(shown, 20, "the rate among the broker's settings")
    return entry.source, entry.is_read_only, entry.is_sensitive, entry.is_default, list(entry.synonyms)


def fill(broker):
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic(TOPIC, 1, 1, config={"segment.bytes": "500000"})])[TOPIC].result(30)
    # No batch is larger than a segment.
    producer = Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": True,
                         "batch.size": 100000})
    failed = []
    for number in range(RECORDS):
        producer.produce(TOPIC, b"%d " % number + b"x" * 10000, partition=0,
                         on_delivery=lambda error, _: failed.append(error) if error else None)
    assert producer.flush(60) == 0
    assert failed == []


def homes(broker, what):
    """The log directories that hold one that is called so."""
    return {path.parent.name for path in broker.directory.glob(f"d?/{what}")}


@pytest.mark.parametrize("before,after", [("apache", "ours"), ("ours", "apache")])
def test_a_move_goes_on_under_the_other_program(tmp_path, new_coord, before, after):
    coord = new_coord(config={"tickTime": 500})
    dirs = ",".join(str(tmp_path / "broker0" / name) for name in ("d1", "d2"))
    with Cluster(tmp_path, coord.connect, [before], config={"log.dirs": dirs}, java=JAVA) as cluster:
        broker = cluster.brokers[0]
        fill(broker)
        shown = limit(broker, 50000)
        (here,) = homes(broker, f"{TOPIC}-0")
        (there,) = {"d1", "d2"} - {here}
        moves = tmp_path / "moves.json"
        moves.write_text(json.dumps({"version": 1, "partitions": [
            {"topic": TOPIC, "partition": 0, "replicas": [0],
             "log_dirs": [str(broker.directory / there)]}]}))
        at = ("kafka-reassign-partitions.sh", "--bootstrap-server", broker.bootstrap,
              "--reassignment-json-file", moves)
        peers.run(servers.tool(*at, "--execute"))
        wait.until(lambda: sum(path.stat().st_size for path in broker.directory.glob(
            f"{there}/{TOPIC}-0.*-future/*.log")) > 0, 60, "a copy that has begun to grow")
        broker.stop(60)
        assert (homes(broker, f"{TOPIC}-0"), homes(broker, f"{TOPIC}-0.*-future")) == ({here}, {there})
        broker = cluster.become(0, after)
        said = len(broker.log())
        broker.start()
        assert limit(broker, 100_000_000) == shown
        wait.until(lambda: homes(broker, f"{TOPIC}-0") == {there}
                   and not homes(broker, f"{TOPIC}-0.*-future"), 60, "the end of the move")
        assert "completed successfully" in peers.run(servers.tool(*at, "--verify"))
        link = kafka_wire.Link(broker.port)
        records = link.read_all(TOPIC, 0)
        link.close()
        assert [int(value.split()[0]) for _, value in sorted(records.items())] == list(range(RECORDS))
        assert [line for line in broker.log()[said:].splitlines() if COMPLAINT.match(line)] == []
