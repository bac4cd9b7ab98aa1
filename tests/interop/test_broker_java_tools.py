"""Apache's tools of 3.9.1 and 2.7.2 on tandem-broker, ours beside them: same keys, partitions and text."""

import subprocess
import uuid

import pytest

from peers import peers
from support import servers

LINES = "".join(f"key{i}:value {i}\n" for i in range(200))
PRINTING = ("--property", "print.key=true", "--property", "print.partition=true")


def ours(tool, *arguments, stdin=None):
    command = servers.tool(tool, *arguments)
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done
    return done.stdout


def theirs(version, tool, *arguments, stdin=None):
    return peers.run(peers.kafka_tool(version, tool, *arguments), stdin=stdin)


@pytest.fixture
def topic(broker):
    name = f"t-{uuid.uuid4().hex[:8]}"
    at = ("--bootstrap-server", broker.bootstrap)
    ours("kafka-topics.sh", *at, "--create", "--topic", name, "--partitions", 7)
    return name


def consume(run, broker, topic):
    return sorted(run("--bootstrap-server", broker.bootstrap, "--topic", topic, "--from-beginning",
                      "--max-messages", "200", "--timeout-ms", "30000", *PRINTING).splitlines())


def test_keys_land_where_java_puts_them(broker, topic):
    other = f"{topic}-java"
    at = ("--bootstrap-server", broker.bootstrap)
    ours("kafka-topics.sh", *at, "--create", "--topic", other, "--partitions", 7)
    keyed = ("--property", "parse.key=true", "--property", "key.separator=:")
    ours("kafka-console-producer.sh", *at, "--topic", topic, *keyed, stdin=LINES)
    theirs(peers.KAFKA, "kafka-console-producer", *at, "--topic", other, *keyed, stdin=LINES)
    by_us = consume(lambda *a: ours("kafka-console-consumer.sh", *a), broker, topic)
    by_java = consume(lambda *a: ours("kafka-console-consumer.sh", *a), broker, other)
    assert len(by_us) == 200 and by_us == by_java


@pytest.mark.parametrize("version", [peers.KAFKA, peers.KAFKA_OLD])
def test_java_console_tools_round_trip_and_print_as_ours(broker, topic, version):
    at = ("--bootstrap-server", broker.bootstrap)
    theirs(version, "kafka-console-producer", *at, "--topic", topic, "--property", "parse.key=true",
           "--property", "key.separator=:", stdin=LINES)
    read = theirs(version, "kafka-console-consumer", *at, "--topic", topic, "--group", f"g-{topic}",
                  "--from-beginning", "--max-messages", "200", "--timeout-ms", "30000")
    assert sorted(read.splitlines()) == sorted(line.split(":")[1] for line in LINES.splitlines())
    offsets = theirs(version, "kafka-get-offsets", "--broker-list", broker.bootstrap, "--topic", topic,
                     *(() if version == peers.KAFKA else ("--time", "-1")))
    mine = ours("kafka-get-offsets.sh", *at, "--topic", topic)
    assert sorted(offsets.splitlines()) == sorted(mine.splitlines())
    # The five seconds that the tool gives itself are not enough for Java on a busy machine.
    described = (*at, "--describe", "--group", f"g-{topic}", "--timeout", 60000)
    groups = theirs(version, "kafka-consumer-groups", *described)
    mine = ours("kafka-consumer-groups.sh", *described)
    assert sorted(groups.splitlines()) == sorted(mine.splitlines())


def test_java_and_our_dump_of_the_group_log_are_the_same(broker, topic):
    """Commits, generations, a static member, and the tombstones of a group that was deleted."""
    at = ("--bootstrap-server", broker.bootstrap)
    ours("kafka-console-producer.sh", *at, "--topic", topic, stdin=LINES)
    static = ("--consumer-property", "group.instance.id=i1")
    for group, more in ((f"g-{topic}", ()), (f"Ü\"-{topic}", static)):
        ours("kafka-console-consumer.sh", *at, "--topic", topic, "--group", group, *more, "--from-beginning",
             "--max-messages", "200", "--timeout-ms", "30000")
    theirs(peers.KAFKA, "kafka-console-consumer", *at, "--topic", topic, "--group", f"j-{topic}",
           "--from-beginning", "--max-messages", "200", "--timeout-ms", "30000")
    ours("kafka-consumer-groups.sh", *at, "--delete", "--group", f"j-{topic}")
    logs = sorted((broker.directory / "logs").glob("__consumer_offsets-*/*.log"))
    assert logs
    arguments = ("--files", ",".join(map(str, logs)), "--offsets-decoder")
    mine = ours("kafka-dump-log.sh", *arguments)
    assert theirs(peers.KAFKA, "kafka-dump-log", *arguments) == mine
    assert '"protocolType":"consumer"' in mine and "<DELETE>" in mine and topic in mine


def test_java_and_our_topic_tools_describe_the_same(broker, topic):
    at = ("--bootstrap-server", broker.bootstrap)
    one = ("--describe", "--topic", topic)
    for arguments in (one, ("--list",), (*one, "--at-min-isr-partitions")):
        mine = ours("kafka-topics.sh", *at, *arguments)
        assert theirs(peers.KAFKA, "kafka-topics", *at, *arguments) == mine
    for arguments in (one, ("--describe", "--broker", "0")):
        mine = ours("kafka-configs.sh", *at, *arguments)
        assert theirs(peers.KAFKA, "kafka-configs", *at, *arguments) == mine
