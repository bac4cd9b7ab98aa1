"""Three of our brokers on one tandem-coord: what the controller does when brokers come, go and move."""

import json
import subprocess

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from support import servers, wait
from support.clusters import Cluster


@pytest.fixture
def cluster(new_coord, tmp_path):
    coord = new_coord(config={"tickTime": 500})
    with Cluster(tmp_path, coord.connect, ["ours"] * 3) as brokers:
        yield brokers


def create(cluster, name, assignment):
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    topic = NewTopic(name, len(assignment), replica_assignment=assignment)
    for future in admin.create_topics([topic]).values():
        future.result(timeout=30)


def tool(*arguments):
    done = subprocess.run(servers.tool(*arguments), capture_output=True, text=True, timeout=90)
    return done.returncode, done.stdout + done.stderr


def topics(cluster, *arguments):
    code, output = tool("kafka-topics.sh", "--bootstrap-server", cluster.bootstrap, *arguments)
    assert code == 0, output
    return output


def test_replicas_are_spread_and_every_broker_knows(cluster):
    topics(cluster, "--create", "--topic", "mytest2", "--partitions", "3", "--replication-factor", "2")
    replicas = cluster.assignment("mytest2")["partitions"]
    held = [broker for partition in replicas.values() for broker in partition]
    assert sorted(held) == [0, 0, 1, 1, 2, 2]
    for partition in range(3):
        state = cluster.state("mytest2", partition)
        assert state["leader"] == replicas[str(partition)][0]
        assert sorted(state["isr"]) == sorted(replicas[str(partition)])
    for broker in cluster.brokers:
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})

        def knows(admin=admin):
            found = admin.list_topics(timeout=10).topics.get("mytest2")
            return found and {n: p.leader for n, p in found.partitions.items()} == {
                n: replicas[str(n)][0] for n in range(3)}
        wait.until(knows, 20, "the metadata of every broker")
    for number, broker in enumerate(cluster.brokers):
        held = {f"mytest2-{n}" for n, on in replicas.items() if number in on}
        logs = broker.directory / "logs"
        wait.until(lambda: {p.name for p in logs.glob("mytest2-*")} == held, 20, "the replicas' directories")


def test_a_killed_leader_is_replaced_and_a_lone_one_leaves_minus_one(cluster):
    create(cluster, "t", [[1, 2]])
    create(cluster, "lone", [[1]])
    wait.until(lambda: cluster.leader("t", 0) == 1, 20, "the first leader")
    cluster.brokers[1].kill()
    wait.until(lambda: cluster.leader("t", 0) == 2, 30, "the second replica leads")
    assert cluster.isr("t", 0) == [2]
    wait.until(lambda: cluster.leader("lone", 0) == -1, 10, "no leader for the only replica")
    assert cluster.isr("lone", 0) == [1]
    wait.until(lambda: "Topic: lone\tPartition: 0\tLeader: none" in topics(
        cluster, "--describe", "--unavailable-partitions"), 20, "the metadata")
    assert "Topic: t" not in topics(cluster, "--describe", "--unavailable-partitions")
    cluster.brokers[1].start()
    wait.until(lambda: cluster.leader("lone", 0) == 1, 30, "the only replica leads again")
    assert cluster.state("lone", 0)["leader_epoch"] == 2


def test_the_office_passes_on_and_a_frozen_controller_changes_nothing(cluster):
    create(cluster, "t", [[0, 1, 2]])
    assert cluster.controller() == 0
    epoch = cluster.epoch()
    cluster.freeze(0)
    wait.until(lambda: cluster.controller() not in (0, None), 30, "another controller")
    assert cluster.epoch() == epoch + 1
    wait.until(lambda: cluster.leader("t", 0) == 1, 20, "another leader")
    wait.pause(6, "the split-brain story: six seconds beyond the session")
    before = cluster.state("t", 0)
    cluster.thaw(0)
    wait.until(lambda: cluster.ids() == [0, 1, 2], 30, "the return of the old controller")
    assert cluster.controller() != 0
    assert cluster.epoch() == epoch + 1
    after = cluster.state("t", 0)
    assert (after["leader"], after["leader_epoch"], after["controller_epoch"]) == (
        before["leader"], before["leader_epoch"], epoch + 1)


def test_a_broker_that_shuts_down_hands_its_leaders_on_first(cluster):
    create(cluster, "t", [[2, 1], [1, 2]])
    create(cluster, "lone", [[2]])
    cluster.brokers[2].stop()
    assert "controlled shutdown succeeded" in cluster.brokers[2].log()
    state = cluster.state("t", 0)
    assert (state["leader"], state["isr"], state["leader_epoch"]) == (1, [1], 1)
    assert cluster.isr("t", 1) == [1]


def test_an_interrupted_deletion_is_resumed_when_the_broker_is_back(cluster):
    create(cluster, "gone", [[1, 2]])
    cluster.brokers[2].kill()
    wait.until(lambda: cluster.ids() == [0, 1], 30, "the end of the registration")
    topics(cluster, "--delete", "--topic", "gone")
    wait.stays(lambda: cluster.assignment("gone") is not None, 1, "the topic")
    cluster.brokers[2].start()
    wait.until(lambda: cluster.assignment("gone") is None, 30, "the end of the topic")
    for broker in cluster.brokers:
        assert not list((broker.directory / "logs").glob("gone-[0-9]"))


def test_topics_that_clients_use_are_made_by_the_controller_elsewhere(cluster):
    admin = AdminClient({"bootstrap.servers": cluster.brokers[2].bootstrap})
    assert cluster.controller() == 0
    wait.until(lambda: "made_by_use" in admin.list_topics("made_by_use", timeout=10).topics
               and cluster.state("made_by_use", 0), 30, "the topic")


def test_leaders_are_elected_by_hand(cluster):
    create(cluster, "t", [[1, 2]])
    election = ("kafka-leader-election.sh", "--bootstrap-server", cluster.brokers[0].bootstrap)
    one = (*election, "--topic", "t", "--partition", "0", "--election-type")
    assert tool(*one, "preferred") == (0, "Valid replica already elected for partitions t-0\n")
    assert tool(*election, "--election-type", "preferred", "--all-topic-partitions") == (0, "")
    code, output = tool(*election, "--election-type", "preferred", "--topic", "none", "--partition", "0")
    assert code == 1
    assert output.startswith("Error completing leader election (PREFERRED) for partition: none-0: "
                             "org.apache.kafka.common.errors.UnknownTopicOrPartitionException: ")
    cluster.brokers[1].kill()
    wait.until(lambda: cluster.leader("t", 0) == 2, 30, "the other leader")
    assert tool(*one, "preferred") == (1, (
        "Error completing leader election (PREFERRED) for partition: t-0: "
        "org.apache.kafka.common.errors.PreferredLeaderNotAvailableException: Failed to elect leader for "
        "partition t-0 under strategy PreferredReplicaPartitionLeaderElectionStrategy\n"
        "1 replica(s) could not be elected\n"))
    cluster.brokers[2].kill()
    wait.until(lambda: cluster.leader("t", 0) == -1, 30, "no leader")
    cluster.brokers[1].start()
    wait.until(lambda: cluster.ids() == [0, 1], 30, "a replica that is not in sync")
    assert cluster.leader("t", 0) == -1
    assert tool(*one, "unclean") == (
        0, "Successfully completed leader election (UNCLEAN) for partitions t-0\n")
    state = cluster.state("t", 0)
    assert (state["leader"], state["isr"], state["leader_recovery_state"]) == (1, [1], 1)


def test_a_partition_leaves_a_broker(cluster, tmp_path):
    create(cluster, "t", [[0, 1]])
    wait.until(lambda: (cluster.brokers[0].directory / "logs" / "t-0").exists(), 20, "the first replica")
    moves = tmp_path / "moves.json"
    goal = {"version": 1, "partitions": [{"topic": "t", "partition": 0, "replicas": [1]}]}
    moves.write_text(json.dumps(goal))
    reassign = ("kafka-reassign-partitions.sh", "--bootstrap-server", cluster.bootstrap)
    assert tool(*reassign, "--execute", "--reassignment-json-file", moves) == (0, (
        "Current partition replica assignment\n\n"
        '{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[0,1],'
        '"log_dirs":["any","any"]}]}\n\n'
        "Save this to use as the --reassignment-json-file option during rollback\n"
        "Successfully started partition reassignment for t-0\n"))
    wait.until(lambda: cluster.assignment("t")["partitions"]["0"] == [1], 30, "the end of the move")
    assert cluster.assignment("t")["removing_replicas"] == {}
    assert (cluster.leader("t", 0), cluster.isr("t", 0)) == (1, [1])
    code, output = tool(*reassign, "--verify", "--reassignment-json-file", moves, "--preserve-throttles")
    assert (code, output) == (
        0, "Status of partition reassignment:\nReassignment of partition t-0 is completed.\n\n")
    assert tool(*reassign, "--list") == (0, "No partition reassignments found.\n")
    assert tool(*reassign, "--cancel", "--reassignment-json-file", moves, "--preserve-throttles") == (0, (
        "None of the specified partition reassignments are active.\n"
        "None of the specified partition moves are active."))
    old = cluster.brokers[0].directory / "logs" / "t-0"
    wait.until(lambda: not old.exists(), 20, "the old replica's end")


def test_a_partition_moves_with_its_records(cluster, tmp_path):
    create(cluster, "t", [[0, 1]])
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "enable.idempotence": True})
    for number in range(1000):
        producer.produce("t", str(number))
    assert producer.flush(30) == 0
    moves = tmp_path / "moves.json"
    goal = {"version": 1, "partitions": [{"topic": "t", "partition": 0, "replicas": [2, 1]}]}
    moves.write_text(json.dumps(goal))
    reassign = ("kafka-reassign-partitions.sh", "--bootstrap-server", cluster.bootstrap)
    code, output = tool(*reassign, "--execute", "--reassignment-json-file", moves)
    assert (code, output) == (0, (
        "Current partition replica assignment\n\n"
        '{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[0,1],'
        '"log_dirs":["any","any"]}]}\n\n'
        "Save this to use as the --reassignment-json-file option during rollback\n"
        "Successfully started partition reassignment for t-0\n"))
    wait.until(lambda: cluster.assignment("t")["partitions"]["0"] == [2, 1], 60, "the end of the move")
    assert cluster.assignment("t")["adding_replicas"] == {}
    assert cluster.leader("t", 0) == 2
    wait.until(lambda: cluster.isr("t", 0) == [1, 2], 20, "the ISR after the move")
    code, output = tool(*reassign, "--verify", "--reassignment-json-file", moves)
    assert code == 0
    assert output.startswith(
        "Status of partition reassignment:\nReassignment of partition t-0 is completed.\n")
    assert tool(*reassign, "--list") == (0, "No partition reassignments found.\n")
    old = cluster.brokers[0].directory / "logs" / "t-0"
    wait.until(lambda: not old.exists(), 20, "the old replica's end")
    output = tool("kafka-get-offsets.sh", "--bootstrap-server", cluster.bootstrap, "--topic", "t")
    assert output == (0, "t:0:1000\n")


def test_the_preferred_leader_returns_when_asked_for(cluster):
    create(cluster, "t", [[1, 2]])
    cluster.brokers[1].restart()
    wait.until(lambda: cluster.leader("t", 0) == 2, 20, "the other leader")
    wait.until(lambda: cluster.isr("t", 0) == [1, 2], 60, "the return to the ISR")
    assert tool("kafka-leader-election.sh", "--bootstrap-server", cluster.bootstrap, "--election-type",
                "preferred", "--topic", "t", "--partition", "0") == (
        0, "Successfully completed leader election (PREFERRED) for partitions t-0\n")
    assert cluster.leader("t", 0) == 1


def test_the_preferred_leader_returns_by_itself(new_coord, tmp_path):
    config = {"auto.leader.rebalance.enable": "true", "leader.imbalance.check.interval.seconds": 1}
    connect = new_coord(config={"tickTime": 500}).connect
    with Cluster(tmp_path, connect, ["ours"] * 3, config=config) as cluster:
        create(cluster, "t", [[1, 2]])
        wait.until(lambda: cluster.leader("t", 0) == 1, 20, "the first leader")
        cluster.brokers[1].stop()
        assert (cluster.leader("t", 0), cluster.isr("t", 0)) == (2, [2])
        cluster.brokers[1].start()
        wait.until(lambda: cluster.leader("t", 0) == 1, 30, "the preferred leader again")
        assert (cluster.isr("t", 0), cluster.state("t", 0)["leader_epoch"]) == ([1, 2], 2)


def test_tools_look_into_directories_and_delete_records(cluster, tmp_path):
    create(cluster, "t", [[0, 1]])
    producer = Producer({"bootstrap.servers": cluster.bootstrap})
    for number in range(10):
        producer.produce("t", str(number))
    assert producer.flush(30) == 0
    code, output = tool("kafka-log-dirs.sh", "--bootstrap-server", cluster.bootstrap, "--describe",
                        "--topic-list", "t")
    assert code == 0
    first, second, found = output.splitlines()
    assert (first, second) == ("Querying brokers for log directories information",
                               "Received log directory information from brokers 0,1,2")
    held = {row["broker"]: [p["partition"] for d in row["logDirs"] for p in d["partitions"]]
            for row in json.loads(found)["brokers"]}
    assert held == {0: ["t-0"], 1: ["t-0"], 2: []}
    offsets = tmp_path / "offsets.json"
    offsets.write_text('{"version":1,"partitions":[{"topic":"t","partition":0,"offset":4}]}')

    def deleted():
        return tool("kafka-delete-records.sh", "--bootstrap-server", cluster.bootstrap,
                    "--offset-json-file", offsets)
    code, output = deleted()
    assert code == 0
    assert output.startswith("Executing records delete operation\nRecords delete operation completed:\n"
                             "partition: t-0\tlow_watermark: ")
    assert tool("kafka-get-offsets.sh", "--bootstrap-server", cluster.bootstrap, "--topic", "t",
                "--time", "earliest") == (0, "t:0:4\n")
