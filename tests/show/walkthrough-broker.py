#!/usr/bin/env python3
# The walkthrough of topics and messages with one broker, typed as it stands: with our tools (the lines with
# --zookeeper too), with Apache's of 3.9.1, and with 2.7.2's where the line has --zookeeper. The servers are
# started, stopped and started again from the tutorials' files, keys of 0.8 included.
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from peers import peers  # noqa: E402
from support import ports, servers, wait, zk_wire  # noqa: E402

BIN = Path(__file__).resolve().parents[2] / "dist" / "bin"
ZOOKEEPER_PROPERTIES = "dataDir={directory}/zookeeper\nclientPort={tree}\nmaxClientCnxns=0\n"
SERVER_PROPERTIES = """broker.id=0
listeners=PLAINTEXT://127.0.0.1:{port}
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
log.dirs={directory}/logs
num.partitions=1
num.recovery.threads.per.data.dir=1
log.retention.hours=168
log.segment.bytes=1073741824
zookeeper.connect=127.0.0.1:{tree}
offsets.topic.replication.factor=1
"""
OLD_PROPERTIES = """broker.id=0
port={port}
host.name=127.0.0.1
advertised.host.name=127.0.0.1
log.dirs={directory}/logs
zookeeper.connect=127.0.0.1:{tree}
offsets.topic.replication.factor=1
default.replication.factor=1
auto.create.topics.enable=true
message.max.bytes=1000012
log.delete.delay.ms=60000
log.cleaner.enable=true
log.cleaner.threads=1
log.flush.interval.messages=10000
log.flush.interval.ms=1000
log.roll.hours=168
log.index.interval.bytes=4096
log.index.size.max.bytes=10485760
replica.lag.time.max.ms=10000
replica.lag.max.messages=4000
replica.socket.timeout.ms=30000
replica.fetch.max.bytes=1048576
num.replica.fetchers=1
controlled.shutdown.enable=true
controlled.shutdown.max.retries=3
controller.socket.timeout.ms=30000
controller.message.queue.size=10
zookeeper.connection.timeout.ms=6000
zookeeper.session.timeout.ms=6000
zookeeper.sync.time.ms=2000
"""
RETIRED = ("replica.lag.max.messages", "controller.message.queue.size")  # `port` and its like still act
LINES = "".join(f"message {i}\n" for i in range(20))


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
        self.run(f"[{who}]$ {tool}.sh {' '.join(words)}", command, expected, stdin, code)

    def run(self, title, command, expected, stdin=None, code=0, cwd=None):
        print(title, flush=True)
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, cwd=cwd)
        print(done.stdout, end="" if done.stdout.endswith("\n") else "\n")
        missing = [text for text in expected if text not in done.stdout + done.stderr]
        if missing or done.returncode != code:
            self.failed += 1
            print(f"NOT AS EXPECTED: exit {done.returncode}, missing {missing}\n{done.stderr}")
        else:
            self.passed += 1

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
        (self.directory / "bin").mkdir()
        (self.directory / "config").mkdir()
        for program in ("tandem", "tandem-coord", "tandem-broker"):
            shutil.copy(BIN / program, self.directory / "bin" / program)
        for name in ("zookeeper-server-start", "zookeeper-server-stop", "kafka-server-start",
                     "kafka-server-stop"):
            (self.directory / "bin" / f"{name}.sh").symlink_to("tandem")
        for name, text in (("zookeeper", ZOOKEEPER_PROPERTIES), ("server", SERVER_PROPERTIES),
                           ("server0", OLD_PROPERTIES)):
            values = {"directory": directory, "tree": self.tree, "port": self.port}
            (self.directory / "config" / f"{name}.properties").write_text(text.format(**values))

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
              ["Error while executing topic command"], code=1)
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
