"""Our own Kafka tools on tandem-broker, as a user types them."""

import subprocess
import uuid

import pytest

from support import servers

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
