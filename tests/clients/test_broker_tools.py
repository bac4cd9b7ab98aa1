"""Our own Kafka tools on tandem-broker, as a user types them."""

import json
import subprocess
import uuid

import pytest

from support import servers, wait, zk_wire

SECONDS = 60


def run(command, stdin=None):
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def topic(broker):
    name = f"t-{uuid.uuid4().hex[:8]}"
    at = ("--bootstrap-server", broker.bootstrap)
    run(servers.tool("kafka-topics.sh", *at, "--create", "--topic", name, "--partitions", 3))
    return name


def test_our_tools_show_move_and_delete_what_a_group_holds(broker, topic):
    at = ("--bootstrap-server", broker.bootstrap)
    group = f"g-{topic}"
    lines = "".join(f"k{i}:v{i}\n" for i in range(50))
    run(servers.tool("kafka-console-producer.sh", *at, "--topic", topic, "--property", "parse.key=true",
                     "--property", "key.separator=:"), stdin=lines)
    out = run(servers.tool("kafka-console-consumer.sh", *at, "--topic", topic, "--group", group,
                           "--from-beginning", "--max-messages", 50, "--timeout-ms", 20000,
                           "--property", "print.key=true", "--property", "key.separator=:"))
    assert sorted(out.splitlines()) == sorted(lines.splitlines())
    groups = servers.tool("kafka-consumer-groups.sh", *at)
    rows = [line.split() for line in run([*groups, "--describe", "--group", group]).splitlines()[2:]]
    assert sum(int(row[3]) for row in rows) == 50 and all(row[5] == "0" for row in rows)
    run([*groups, "--reset-offsets", "--group", group, "--topic", topic, "--to-earliest", "--execute"])
    rows = [line.split() for line in run([*groups, "--describe", "--group", group]).splitlines()[2:]]
    assert sum(int(row[5]) for row in rows) == 50
    assert "was successful" in run([*groups, "--delete", "--group", group])
    configs = servers.tool("kafka-configs.sh", *at)
    run([*configs, "--alter", "--topic", topic, "--add-config", "retention.ms=3600000"])
    described = run([*configs, "--describe", "--topic", topic])
    assert "retention.ms=3600000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=" in described
    run(servers.tool("kafka-topics.sh", *at, "--alter", "--topic", topic, "--partitions", 5))
    assert "PartitionCount: 5" in run(servers.tool("kafka-topics.sh", *at, "--describe", "--topic", topic))
    assert len(run(servers.tool("kafka-get-offsets.sh", *at, "--topic", topic)).splitlines()) == 5
    run(servers.tool("kafka-topics.sh", *at, "--delete", "--topic", topic))


def test_wrong_usage_is_one_sentence_the_usage_and_exit_code_one(broker):
    for tool, arguments in (("kafka-topics.sh", ["--bootstrap-server", broker.bootstrap]),
                            ("kafka-consumer-groups.sh", ["--list", "--describe"]),
                            ("kafka-configs.sh", ["--nonsense"]), ("kafka-get-offsets.sh", []),
                            ("kafka-console-consumer.sh", ["--topic", "t"])):
        command = servers.tool(tool, *arguments)
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 1 and "Usage: kafka-" in done.stderr, (tool, done)


def test_what_is_not_there_yet_is_refused_by_name():
    nobody = "127.0.0.1:1"
    configs, dump = ("kafka-configs.sh",), ("kafka-dump-log.sh", "--files", "a.log")
    at = (*configs, "--bootstrap-server", nobody)
    for command, words in (
            ((*at, "--describe", "--entity-type", "users"), "Quotas and SCRAM credentials"),
            ((*at, "--alter", "--user", "u", "--add-config", "a=1"), "SCRAM credentials"),
            ((*configs, "--zookeeper", nobody, "--describe", "--broker", "0"), "--zookeeper"),
            ((*dump, "--transaction-log-decoder"), "--transaction-log-decoder"),
            ((*dump, "--value-decoder-class", "x.Y"), "classes cannot")):
        done = subprocess.run(servers.tool(*command), capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 1 and words in done.stderr.splitlines()[0], (command, done)


def test_options_that_exclude_each_other_are_refused_not_ignored(broker, topic):
    """The sentences are those of Apache's tools of 3.9.1."""
    at = ("--bootstrap-server", broker.bootstrap)
    topics, groups = ("kafka-topics.sh", *at), ("kafka-consumer-groups.sh", *at)
    consume = ("kafka-console-consumer.sh", *at, "--topic", topic)
    produce = ("kafka-console-producer.sh", "--topic", topic)
    for command, words in (
            ((*topics, "--create", "--topic", "x", "--replica-assignment", "0,0", "--partitions", 2),
             'Option "[replica-assignment]" can\'t be used with option "[partitions]"'),
            ((*topics, "--list", "--under-replicated-partitions"),
             'Option "[under-replicated-partitions]" can\'t be used with option "[list]"'),
            ((*topics, "--describe", "--unavailable-partitions", "--topics-with-overrides"),
             'Option "[unavailable-partitions]" can\'t be used with option "[topics-with-overrides]"'),
            ((*groups, "--list", "--group", "g"), 'Option "[group]" can\'t be used with option "[list]"'),
            ((*consume, "--group", "a", "--consumer-property", "group.id=b"),
             "do not match. Detected group ids: 'a', 'b'"),
            ((*consume, "--from-beginning", "--consumer-property", "auto.offset.reset=latest"),
             "Can't simultaneously specify --from-beginning and 'auto.offset.reset=latest'"),
            ((*produce, *at, "--request-required-acks", 7), "Invalid value 7 for configuration acks"),
            ((*produce, "--broker-list", "nowhere"), "Please provide valid host:port")):
        done = subprocess.run(servers.tool(*command), capture_output=True, text=True, timeout=SECONDS,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == 1 and words in done.stderr.splitlines()[0], (command, done)
    for command, words in (
            ((*topics, "--alter", "--topic", topic, "--partitions", 6, "--replica-assignment", "0,0"),
             "Increasing the number of partitions by 3 but 0 assignments provided."),
            ((*topics, "--describe", "--topic-id", "!!"), "!! is not the id of a topic")):
        done = subprocess.run(servers.tool(*command), capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 1 and words in done.stdout, (command, done)


def test_advertised_listeners_change_while_the_broker_runs(new_broker, new_coord):
    coord = new_coord()
    broker = new_broker(zookeeper=coord.connect)
    at = ("--bootstrap-server", broker.bootstrap)
    client = zk_wire.Session(coord.port)

    def told():
        return json.loads(client.get("/brokers/ids/0"))["endpoints"]

    def alter(*arguments, code=0):
        command = servers.tool("kafka-configs.sh", *at, "--alter", "--broker", 0, *arguments)
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == code, done
        return done.stderr

    first = told()
    other = f"PLAINTEXT://localhost:{broker.port}"
    alter("--add-config", f"advertised.listeners={other}")
    wait.until(lambda: told() == [other], 20, "the new address in the tree")
    api = servers.tool("kafka-broker-api-versions.sh", *at)
    wait.until(lambda: f"localhost:{broker.port}" in run(api), 20, "the new address in the metadata")
    refusal = alter("--add-config", "listeners=PLAINTEXT://:1", code=1)
    assert "Listeners are opened when the broker starts" in refusal
    broker.stop()
    broker.start()
    assert told() == [other], "the address in the tree is that of the file again"
    alter("--delete-config", "advertised.listeners")
    wait.until(lambda: told() == first, 20, "the address of the file")
    client.close()
