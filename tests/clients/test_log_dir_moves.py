"""Replicas that move between the log directories of one broker (AlterReplicaLogDirs): under load, throttled,
interrupted by a kill, taken back; and the throttles of replication between brokers."""

import json
import time

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from peers import peers
from support import kafka_wire, servers, wait
from support.broker_load import QUIET, Load

TOPIC = "moving"


def log_dirs(broker):
    """{directory: {partition: row}} as kafka-log-dirs.sh shows it."""
    out = peers.run(servers.tool("kafka-log-dirs.sh", "--bootstrap-server", broker.bootstrap, "--describe"))
    found = json.loads(out.splitlines()[-1])["brokers"][0]["logDirs"]
    return {each["logDir"].rpartition("/")[2]: {row["partition"]: row for row in each["partitions"]}
            for each in found}


def move(broker, partition, directory):
    """By kafka-reassign-partitions.sh, without waiting for the end."""
    moves = {"version": 1, "partitions": [{"topic": TOPIC, "partition": partition, "replicas": [0],
                                           "log_dirs": [str(broker.directory / directory)]}]}
    file = broker.directory / "moves.json"
    file.write_text(json.dumps(moves))
    arguments = ["--bootstrap-server", broker.bootstrap, "--reassignment-json-file", str(file)]
    return file, peers.run(servers.tool("kafka-reassign-partitions.sh", *arguments, "--execute"))


def set_rate(broker, rate):
    key = "replica.alter.log.dirs.io.max.bytes.per.second"
    resource = ConfigResource("broker", "0", set_config={key: rate})
    admin = AdminClient({**QUIET, "bootstrap.servers": broker.bootstrap})
    for future in admin.alter_configs([resource]).values():
        future.result(20)


@pytest.fixture
def coord_of(new_coord):
    return new_coord(config={"tickTime": 500})


@pytest.fixture
def moving(tmp_path, coord_of):
    directory = tmp_path / "broker"
    broker = servers.Broker(directory, coord_of.connect, config={
        "log.dirs": f"{directory}/d1,{directory}/d2", "log.segment.bytes": 50000,
        "log.segment.delete.delay.ms": 500, "zookeeper.session.timeout.ms": 2000})
    with broker:
        admin = AdminClient({**QUIET, "bootstrap.servers": broker.bootstrap})
        admin.create_topics([NewTopic(TOPIC, 2, 1)])[TOPIC].result(20)
        yield broker


def where(broker):
    dirs = log_dirs(broker)
    return {row: name for name, rows in dirs.items() for row, value in rows.items() if not value["isFuture"]}


def other(name):
    return "d2" if name == "d1" else "d1"


def test_a_replica_moves_under_load_and_nothing_is_lost(moving):
    with Load(moving.bootstrap, TOPIC, 2, pause=0.001) as load:
        load.more(500)
        before = where(moving)
        for partition in (0, 1):
            name = f"{TOPIC}-{partition}"
            file, said = move(moving, partition, other(before[name]))
            assert f"for replica {name} with broker 0" in said, said
            wait.until(lambda: where(moving)[name] != before[name], 20, f"the move of {name}", interval=0.2)
            load.more(200)
        verified = peers.run(servers.tool(
            "kafka-reassign-partitions.sh", "--bootstrap-server", moving.bootstrap,
            "--reassignment-json-file", str(file), "--verify"))
        assert f"Reassignment of replica {TOPIC}-1-0 completed successfully" in verified, verified
    assert load.failed == []
    assert load.faults(lambda _: moving.port) == {"lost": 0, "duplicated": 0, "reordered": 0}
    wait.until(lambda: not list(moving.directory.glob("d?/*-delete")), 20, "the end of the old directories")
    moving.restart()
    link = kafka_wire.Link(moving.port)
    wait.until(lambda: link.leaders(TOPIC) == {0: 0, 1: 0}, 20, "the leaders")
    link.close()
    assert load.faults(lambda _: moving.port) == {"lost": 0, "duplicated": 0, "reordered": 0}
    assert not any("Recovered" in line for line in moving.log().splitlines())


def test_a_throttled_move_is_seen_survives_a_kill_and_can_be_taken_back(moving, coord_of, connect):
    name = f"{TOPIC}-0"
    with Load(moving.bootstrap, TOPIC, 2, pause=0) as load:
        load.more(8000)
    before = where(moving)[name]
    set_rate(moving, "2000")
    move(moving, 0, other(before))
    row = wait.until(lambda: log_dirs(moving)[other(before)].get(name), 10, "the copy")
    assert row["isFuture"] and row["offsetLag"] > 0
    moving.kill()
    tree = connect(coord_of.connect)
    wait.until(lambda: not tree.exists("/brokers/ids/0"), 20, "the end of the old session")
    moving.start()
    wait.until(lambda: log_dirs(moving)[other(before)].get(name, {}).get("isFuture"), 20,
               "the copy after the kill")
    assert where(moving)[name] == before
    move(moving, 0, before)
    wait.until(lambda: name not in log_dirs(moving)[other(before)], 10, "the end of the copy")
    move(moving, 0, other(before))
    set_rate(moving, "100000000")
    wait.until(lambda: where(moving)[name] != before, 20, "the move")
    assert load.faults(lambda _: moving.port) == {"lost": 0, "duplicated": 0, "reordered": 0}


def test_replication_throttles_hold_a_new_follower_back(tmp_path, coord_of):
    made = [servers.Broker(tmp_path / f"b{n}", coord_of.connect,
                           config={"broker.id": n, "zookeeper.session.timeout.ms": 3000,
                                   "replica.fetch.max.bytes": 20000}) for n in (0, 1)]
    with made[0], made[1]:
        at = ["--bootstrap-server", made[0].bootstrap]
        admin = AdminClient({**QUIET, "bootstrap.servers": made[0].bootstrap})
        admin.create_topics([NewTopic(TOPIC, 1, replica_assignment=[[0]])])[TOPIC].result(20)
        producer = confluent_kafka.Producer({**QUIET, "bootstrap.servers": made[0].bootstrap, "acks": "all",
                                             "batch.size": 10000})
        for _ in range(600):
            producer.produce(TOPIC, b"x" * 1000)
        assert producer.flush(30) == 0
        # 600 KB at 30 KB/s.
        for kind, name, values in (
                ("topics", TOPIC, "leader.replication.throttled.replicas=0:0"),
                ("brokers", "0", "leader.replication.throttled.rate=30000")):
            peers.run(servers.tool("kafka-configs.sh", *at, "--alter", "--entity-type", kind, "--entity-name",
                                   name, "--add-config", values))
        wait.until(lambda: "Settings of brokers 0 are in force" in made[0].log(), 20, "the rate in force")
        moves = {"version": 1, "partitions": [{"topic": TOPIC, "partition": 0, "replicas": [0, 1]}]}
        file = tmp_path / "moves.json"
        file.write_text(json.dumps(moves))
        tool = ["kafka-reassign-partitions.sh", *at, "--reassignment-json-file", str(file)]
        begun = time.monotonic()
        peers.run(servers.tool(*tool, "--execute"))

        def done():
            return "is completed" in peers.run(servers.tool(*tool, "--verify", "--preserve-throttles"))

        wait.until(done, 60, "the reassignment", interval=0.3)
        assert time.monotonic() - begun > 5
        said = peers.run(servers.tool(*tool, "--verify"))
        assert "Clearing broker-level throttles on brokers 0,1" in said, said
        told = peers.run(servers.tool("kafka-configs.sh", *at, "--describe", "--entity-type", "brokers",
                                      "--entity-name", "0"))
        assert "throttled" not in told, told
