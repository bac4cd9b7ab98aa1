#!/usr/bin/env python3
# The walkthrough of topics and messages with one broker, typed as it stands: with our tools (the lines with
# --zookeeper too), with Apache's of 3.9.1, and with 2.7.2's where the line has --zookeeper. The servers are
# started, stopped and started again from the tutorials' files, keys of 0.8 included. Then what must hold on
# one broker: keys keep their partition, groups share and rewind, segments roll and go.
import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from peers import peers  # noqa: E402
from support import ports, servers, tutorials, wait, zk_wire  # noqa: E402

ZOOKEEPER_PROPERTIES = "dataDir={directory}/zookeeper\nclientPort={tree}\nmaxClientCnxns=0\n"
ONE_BROKER = "offsets.topic.replication.factor=1\nlog.retention.check.interval.ms=1000\n"
RETIRED = ("replica.lag.max.messages", "controller.message.queue.size")  # `port` and its like still act
LINES = "".join(f"message {i}\n" for i in range(20))
KEYED = "".join(f"key{i % 40}:value {i}\n" for i in range(200))
PARSING = ("--property", "parse.key=true", "--property", "key.separator=:")
PRINTING = ("--property", "print.key=true", "--property", "print.partition=true")
MIB = 1 << 20


def shortened(text):
    lines = text.splitlines(keepends=True)
    return text if len(lines) <= 45 else "".join([*lines[:5], f"... {len(lines) - 10} lines\n", *lines[-5:]])


class Show:
    def __init__(self):
        self.passed = self.failed = 0

    def type(self, who, tool, arguments, expected, stdin=None, code=0):
        """One line of the walkthrough: `who` is "tandem" or a version of Apache's tools."""
        words = [str(word) for word in arguments]
        if who == "tandem":
            command = servers.tool(f"{tool}.sh", *words)
        else:
            command = peers.kafka_tool(who, tool, *words)
        return self.run(f"[{who}]$ {tool}.sh {' '.join(words)}", command, expected, stdin, code)

    def run(self, title, command, expected, stdin=None, code=0, cwd=None):
        print(title, flush=True)
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=180, cwd=cwd)
        print(shortened(done.stdout), end="" if done.stdout.endswith("\n") else "\n", flush=True)
        missing = [text for text in expected if text not in done.stdout + done.stderr]
        if missing or done.returncode != code:
            self.failed += 1
            print(f"NOT AS EXPECTED: exit {done.returncode}, missing {missing}\n{done.stderr}")
        else:
            self.passed += 1
        return done.stdout

    def check(self, what, good):
        print(f"{what}: {'yes' if good else 'NOT AS EXPECTED'}", flush=True)
        self.passed += bool(good)
        self.failed += not good


class Site:
    """An installation of its own, so that its stop commands end its servers only."""

    def __init__(self, show, directory):
        self.show, self.directory = show, Path(directory)
        self.tree, self.port = ports.free_ports(2)
        self.foreground = []
        tutorials.install(self.directory)
        config = self.directory / "config"
        (config / "zookeeper.properties").write_text(
            ZOOKEEPER_PROPERTIES.format(directory=directory, tree=self.tree))
        for name, old in (("server", False), ("server0", True)):
            (config / f"{name}.properties").write_text(ONE_BROKER + tutorials.broker_properties(
                0, self.port, self.directory / "logs", self.connect, old))

    @property
    def connect(self):
        return f"{ports.HOST}:{self.tree}"

    @property
    def bootstrap(self):
        return f"{ports.HOST}:{self.port}"

    def type(self, line, expected=()):
        self.show.run(f"$ {line}", line.split(), list(expected), cwd=self.directory)

    def background(self, line, log):
        """A line that ends with `&`."""
        print(f"$ {line} &", flush=True)
        with open(self.directory / log, "wb") as output:
            self.foreground.append(subprocess.Popen(line.split(), cwd=self.directory, stdout=output,
                                                    stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL))

    def log(self, name):
        path = self.directory / name
        return path.read_text(errors="replace") if path.exists() else ""

    def await_broker(self, log):
        wait.until(lambda: "started (kafka.server.KafkaServer)" in self.log(log), 60, "the broker")

    def pids(self, program):
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{entry}/exe") == str(self.directory / "bin" / program):
                    found.append(int(entry))
            except OSError:
                continue
        return found

    def stop(self):
        self.type("bin/kafka-server-stop.sh")
        wait.until(lambda: not self.pids("tandem-broker"), 60, "the broker's end")

    def end(self):
        for line in ("bin/kafka-server-stop.sh", "bin/zookeeper-server-stop.sh"):
            subprocess.run(line, cwd=self.directory, capture_output=True, timeout=60)
        codes = [child.wait(60) for child in self.foreground]
        self.show.check(f"servers in the foreground ended with {codes} after SIGTERM", not any(codes))


def topics(show, who, where, name):
    topic = ["--topic", name]
    show.type(who, "kafka-topics", ["--create", *where, "--replication-factor", 1, "--partitions", 3, *topic],
              [f"Created topic {name}."])
    show.type(who, "kafka-topics", ["--list", *where], [name])
    show.type(who, "kafka-topics", ["--describe", *where, *topic], ["PartitionCount: 3", "Leader: 0"])
    show.type(who, "kafka-topics", ["--alter", *where, *topic, "--partitions", 6], [])
    show.type(who, "kafka-topics", ["--alter", *where, *topic, "--partitions", 2],
              ["Error while executing topic command", "currently has 6 partitions"], code=1)
    show.type(who, "kafka-topics", ["--describe", *where, *topic], ["PartitionCount: 6"])


def messages(show, who, bootstrap, name, producer_at):
    group = f"group-{name}"
    at = ["--bootstrap-server", bootstrap]
    show.type(who, "kafka-console-producer", [producer_at, bootstrap, "--topic", name], [], stdin=LINES)
    show.type(who, "kafka-console-consumer", [*at, "--topic", name, "--from-beginning", "--group", group,
                                              "--max-messages", 20, "--timeout-ms", 30000],
              ["message 0", "message 19", "Processed a total of 20 messages"])
    show.type(who, "kafka-consumer-groups", [*at, "--describe", "--group", group], [group, "LOG-END-OFFSET"])


def what_is_kept(show, site, name):
    """Partitions' folders and files, and the znodes beside what describe says."""
    folders = sorted(path.name for path in (site.directory / "logs").glob(f"{name}-*"))
    show.check(f"log.dirs holds {folders}", folders == [f"{name}-{i}" for i in range(6)])
    files = sorted(path.name for path in (site.directory / "logs" / f"{name}-0").glob("0*"))
    show.check(f"a partition's folder holds {files}",
               {"0" * 20 + ".log", "0" * 20 + ".index"} <= set(files))
    session = zk_wire.Session(site.tree)
    state = session.get(f"/brokers/topics/{name}/partitions/0/state")
    show.check(f"the znode says {state}", b'"leader":0' in state and b'"isr":[0]' in state)
    session.close()


def refusals(show, where, name):
    show.type("tandem", "kafka-topics", ["--alter", *where, "--topic", name, "--replica-assignment", "0,0"],
              ["kafka-reassign-partitions.sh"], code=1)


def started_again(show, site):
    """From a file with the keys of 0.8; what was written is still there."""
    site.stop()
    site.background("bin/kafka-server-start.sh config/server0.properties", "second.out")
    site.await_broker("second.out")
    warnings = [line for line in site.log("second.out").splitlines() if "WARN" in line]
    for key in RETIRED:
        count = sum(f" {key} " in f" {line.replace(':', ' ')} " for line in warnings)
        show.check(f"{key} is named in one line of warning ({count})", count == 1)
    show.type("tandem", "kafka-console-consumer", ["--bootstrap-server", site.bootstrap, "--topic", "kept",
                                                   "--from-beginning", "--max-messages", 20, "--timeout-ms",
                                                   30000], ["message 0", "message 19"])


def keys_keep_their_partition(show, at):
    """The same partition whoever writes, the same order within it whoever reads."""
    read = {}
    for who, reader, name in (("tandem", peers.KAFKA, "keyed-ours"), (peers.KAFKA, "tandem", "keyed-java")):
        topic = ["--topic", name]
        show.type(who, "kafka-topics", [*at, "--create", "--partitions", 3, *topic], [])
        show.type(who, "kafka-console-producer", [*at, *topic, *PARSING], [], stdin=KEYED)
        text = show.type(reader, "kafka-console-consumer", [*at, *topic, "--from-beginning", "--max-messages",
                                                            200, "--timeout-ms", 30000, *PRINTING], [])
        read[name] = sorted(text.splitlines(), key=lambda line: line.split("\t")[:2])  # stable within a key
    show.check("200 keyed records lie alike and in order whoever writes and reads",
               len(read["keyed-ours"]) == 200 and read["keyed-ours"] == read["keyed-java"])


def a_group_shares(show, site, at):
    """Our consumer and Java's in one group: one part of the partitions each; then it is rewound."""
    arguments = [*at, "--topic", "keyed-ours", "--group", "shared"]
    commands = [servers.tool("kafka-console-consumer.sh", *arguments),
                peers.kafka_tool(peers.KAFKA, "kafka-console-consumer", *arguments)]
    members = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                stdin=subprocess.DEVNULL) for command in commands]
    described = [*at, "--describe", "--group", "shared", "--members"]

    def shares():
        command = servers.tool("kafka-consumer-groups.sh", *described)
        text = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
        rows = [line.split() for line in text.splitlines() if line.startswith("shared ")]
        return sorted(int(row[-1]) for row in rows)

    try:
        wait.until(lambda: shares() == [1, 2], 90, "three partitions shared by two members", interval=1)
        show.type("tandem", "kafka-consumer-groups", described, ["shared"])
        show.check("a partition has one member of the group", shares() == [1, 2])
    finally:
        for member in members:
            member.terminate()
            member.wait(60)
    wait.until(lambda: shares() == [], 60, "an empty group")
    rewind = [*at, "--reset-offsets", "--to-earliest", "--execute", "--group", "shared", *arguments[2:4]]
    show.type("tandem", "kafka-consumer-groups", rewind, ["keyed-ours"])
    show.type("tandem", "kafka-console-consumer", [*arguments, "--max-messages", 200, "--timeout-ms", 30000],
              ["Processed a total of 200 messages"])
    kept = sorted((site.directory / "logs").glob("__consumer_offsets-*"))
    show.check(f"offsets live in __consumer_offsets, {len(kept)} partitions", len(kept) == 50)


def segments(site, name):
    """Base offset -> first offset held, of each segment."""
    found = {}
    for path in sorted((site.directory / "logs" / f"{name}-0").glob("*.log")):
        with open(path, "rb") as log:
            head = log.read(8)
        found[int(path.stem)] = struct.unpack(">q", head)[0] if len(head) == 8 else None
    return found


def segments_roll_and_go(show, site, at):
    topic = ["--topic", "rolled"]

    def earliest():
        command = servers.tool("kafka-get-offsets.sh", *at, *topic, "--time", "earliest")
        return int(subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.split(":")[2])

    def setting(value):
        show.type("tandem", "kafka-configs", [*at, "--alter", *topic, "--add-config", value], ["Completed"])

    def send(count):
        show.type("tandem", "kafka-producer-perf-test",
                  [*topic, "--num-records", count, "--record-size", 1000, "--throughput", -1,
                   "--producer-props", f"bootstrap.servers={site.bootstrap}"], [f"{count} records sent"])

    show.type("tandem", "kafka-topics", [*at, "--create", "--partitions", 1, *topic, "--config",
                                         f"segment.bytes={MIB}", "--config", "file.delete.delay.ms=1000"], [])
    send(5000)
    found = segments(site, "rolled")
    show.check(f"by size: segments {sorted(found)}, each named after the first offset it holds",
               len(found) >= 4 and all(first in (base, None) for base, first in found.items()))
    before = len(found)
    setting("segment.ms=100")
    send(1)
    wait.pause(0.2, "more than segment.ms")
    send(1)
    show.check("by time: more of them", len(segments(site, "rolled")) > before)
    offsets = site.directory / "offsets.json"
    offsets.write_text(json.dumps({"partitions": [{"topic": "rolled", "partition": 0, "offset": 100}]}))
    show.type("tandem", "kafka-delete-records", [*at, "--offset-json-file", offsets], [])
    show.check("by start offset: the first is 100", earliest() == 100)
    setting(f"retention.bytes={2 * MIB}")
    wait.until(lambda: earliest() > 1000, 90, "the deletion by size", interval=1)
    show.check(f"deleted by size: the first is {earliest()}", min(segments(site, "rolled")) > 1000)
    setting("retention.ms=1000")
    wait.until(lambda: earliest() == 5002, 90, "the deletion by time", interval=1)
    show.check("deleted by time: nothing is left before 5002", min(segments(site, "rolled")) == 5002)


def walk(show, site):
    site.background("bin/zookeeper-server-start.sh config/zookeeper.properties", "zookeeper.out")
    wait.until(lambda: "Mode:" in ports.four_letter_word(site.tree, "srvr"), 30, "the coordination server")
    site.type("bin/kafka-server-start.sh -daemon config/server.properties")
    site.await_broker("logs/kafkaServer.out")
    tree, at = ["--zookeeper", site.connect], ["--bootstrap-server", site.bootstrap]
    by_list, by_server = "--broker-list", "--bootstrap-server"
    turns = [("tandem", tree, "ours-by-tree", by_list), ("tandem", at, "ours-by-broker", by_server),
             (peers.KAFKA_OLD, tree, "old-by-tree", by_list), (peers.KAFKA, at, "new-by-broker", by_server)]
    for who, where, name, producer_at in turns:
        topics(show, who, where, name)
        messages(show, who, site.bootstrap, name, producer_at)
        what_is_kept(show, site, name)
        refusals(show, where, name)
        show.type(who, "kafka-topics", ["--delete", *where, "--topic", name], [])
    show.type("tandem", "kafka-console-producer", ["--broker-list", site.bootstrap, "--topic", "kept"], [],
              stdin=LINES)
    started_again(show, site)
    keys_keep_their_partition(show, at)
    a_group_shares(show, site, at)
    segments_roll_and_go(show, site, at)


def main():
    show = Show()
    with tempfile.TemporaryDirectory(prefix="tandem-walk-") as directory:
        site = Site(show, directory)
        try:
            walk(show, site)
        finally:
            site.end()
    print(f"walkthrough-broker: {show.passed} lines as expected, {show.failed} not")
    return 1 if show.failed else 0


if __name__ == "__main__":
    sys.exit(main())
