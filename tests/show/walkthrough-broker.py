#!/usr/bin/env python3
# The walkthrough of topics and messages with one broker, typed as it stands: with our tools (the lines with
# --zookeeper too), with Apache's of 3.9.1, and with 2.7.2's where the line has --zookeeper.
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from peers import peers  # noqa: E402
from support import servers  # noqa: E402

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
        print(f"[{who}]$ {tool}.sh {' '.join(words)}", flush=True)
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120)
        print(done.stdout, end="" if done.stdout.endswith("\n") else "\n")
        missing = [text for text in expected if text not in done.stdout + done.stderr]
        if missing or done.returncode != code:
            self.failed += 1
            print(f"NOT AS EXPECTED: exit {done.returncode}, missing {missing}\n{done.stderr}")
        else:
            self.passed += 1


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


def messages(show, who, bootstrap, name):
    group = f"group-{name}"
    at = ["--bootstrap-server", bootstrap]
    show.type(who, "kafka-console-producer", ["--broker-list", bootstrap, "--topic", name], [], stdin=LINES)
    show.type(who, "kafka-console-consumer", [*at, "--topic", name, "--from-beginning", "--group", group,
                                              "--max-messages", 20, "--timeout-ms", 30000],
              ["message 0", "message 19", "Processed a total of 20 messages"])
    show.type(who, "kafka-consumer-groups", [*at, "--describe", "--group", group], [group, "LOG-END-OFFSET"])


def main():
    show = Show()
    with tempfile.TemporaryDirectory(prefix="tandem-walk-") as directory:
        with servers.Coord(Path(directory) / "coord") as coord:
            with servers.Broker(Path(directory) / "broker", coord.connect) as broker:
                tree, at = ["--zookeeper", coord.connect], ["--bootstrap-server", broker.bootstrap]
                turns = [("tandem", tree, "ours-by-tree"), ("tandem", at, "ours-by-broker"),
                         (peers.KAFKA_OLD, tree, "old-by-tree"), (peers.KAFKA, at, "new-by-broker")]
                for who, where, name in turns:
                    topics(show, who, where, name)
                    messages(show, who, broker.bootstrap, name)
                    show.type(who, "kafka-topics", ["--delete", *where, "--topic", name], [])
    print(f"walkthrough-broker: {show.passed} lines as expected, {show.failed} not")
    return 1 if show.failed else 0


if __name__ == "__main__":
    sys.exit(main())
