#!/usr/bin/env python3
# The walkthrough's cluster: three brokers over an ensemble of three, from the tutorials' files, keys of 0.8
# included. Six replicas, two to a broker; describe, znodes and directories agree; groups share and rewind;
# consumers see what the in-sync replicas hold; a killed leader loses nothing; a killed controller has a
# successor; one that sleeps past its session changes nothing when it wakes; of three replicas two may die;
# no replica left is leader -1, and that ends. The lines with --zookeeper by our tools and by Kafka 2.7.2's,
# those with --bootstrap-server by ours and by 3.9.1's, which must say the same.
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from kazoo.exceptions import NoNodeError  # noqa: E402
from peers import peers  # noqa: E402
from support import kafka_wire, servers, tutorials, wait  # noqa: E402
from support.cluster import NUMBERS, Cluster, Load, Where, read_all  # noqa: E402
from support.ensembles import Ensemble  # noqa: E402

TOPIC, PARTITIONS = "mytest2", 3
OFFSET_COMMIT = 8
OURS, OLD, NEW = "ours", "kafka 2.7.2", "kafka 3.9.1"
VERSIONS = {OLD: peers.KAFKA_OLD, NEW: peers.KAFKA}
OLD_CLASSES = {"kafka-preferred-replica-election": "kafka.admin.PreferredReplicaLeaderElectionCommand"}
OF_THE_OLD = 3  # the broker whose file is of 0.8


class Installation:
    """bin and config of one machine with three brokers."""

    def __init__(self, directory, tree):
        self.directory, self.tree = directory, tree
        tutorials.install(directory)

    def broker(self, number):
        return Broker(self, number)


class Broker(servers.Broker):
    """`bin/kafka-server-start.sh config/serverN.properties &`"""

    def __init__(self, installation, number):
        super().__init__(installation.directory / f"broker{number}", installation.tree)
        self.installation = installation
        self.line = f"bin/kafka-server-start.sh config/server{number}.properties"
        self.config = installation.directory / "config" / f"server{number}.properties"
        self.config.write_text(tutorials.broker_properties(
            number, self.port, self.directory / "logs", installation.tree, old=number == OF_THE_OLD))

    def command(self):
        return [str(self.installation.directory / word) for word in self.line.split()]

    def launch(self):
        print(f"$ {self.line} &", flush=True)
        return super().launch()


def step(sentence):
    print(f"-- {sentence}", flush=True)


def by(who, tool, *arguments, stdin=None):
    """Exit code and output of our tool, or of 2.7.2's or 3.9.1's."""
    print(f"[{who}] $ {tool}.sh {' '.join(map(str, arguments))}", flush=True)
    if who == OURS:
        command = servers.tool(f"{tool}.sh", *arguments)
    elif who == OLD and tool in OLD_CLASSES:
        command = peers.java("kafka", peers.KAFKA_OLD, OLD_CLASSES[tool], *arguments, options=("-Xmx256m",))
    else:
        command = peers.kafka_tool(VERSIONS[who], tool, *arguments, options=("-Xmx256m",))
    done = subprocess.run(command, input=stdin or "", capture_output=True, text=True, timeout=120)
    said = done.stdout + (done.stderr if done.returncode else "")
    print(said, end="" if said.endswith("\n") or not said else "\n", flush=True)
    return done.returncode, said


def typed(who, tool, *arguments, stdin=None):
    code, said = by(who, tool, *arguments, stdin=stdin)
    assert code == 0, f"exit {code}: {said}"
    return said


def described_as_in_tree(cluster, name, described):
    """Of every partition the leader, the replicas and those in sync."""
    for partition, replicas in assigned(cluster, name).items():
        state = cluster.state(name, partition)
        row = (f"Partition: {partition}\tLeader: {state['leader']}\t"
               f"Replicas: {','.join(map(str, replicas))}\tIsr: {','.join(map(str, state['isr']))}")
        assert row in described, f"describe does not say: {row}"


def held_as_in_tree(cluster, name):
    """{broker: folders of its replicas}, each with its first segment."""
    held = {number: list((broker.directory / "logs").glob(f"{name}-*"))
            for number, broker in cluster.brokers.items()}
    for number, folders in held.items():
        meant = sorted(p for p, replicas in assigned(cluster, name).items() if number in replicas)
        there = sorted(path.name.rpartition("-")[2] for path in folders)
        assert meant == there, f"broker {number} holds {there}, the tree says {meant}"
        for folder in folders:
            assert {"0" * 20 + ".log", "0" * 20 + ".index"} <= {path.name for path in folder.iterdir()}
    return held


def assigned(cluster, name):
    return json.loads(cluster.tree.get(f"/brokers/topics/{name}")[0])["partitions"]


def spread(cluster, tree, who, name):
    """Six replicas of a topic that `who` made with --zookeeper."""
    typed(who, "kafka-topics", "--create", "--zookeeper", tree, "--replication-factor", 2, "--partitions",
          PARTITIONS, "--topic", name)
    # The server asked here may be behind the one that the tool asked.
    wait.until(lambda: cluster.tree.exists(f"/brokers/topics/{name}"), 10, "the topic's node")
    for partition, replicas in assigned(cluster, name).items():
        cluster.await_in_sync(name, replicas, partition=int(partition))
    for asked in ((who, "--zookeeper", tree), (OURS, "--bootstrap-server", cluster.bootstrap)):
        described_as_in_tree(cluster, name, typed(asked[0], "kafka-topics", "--describe", *asked[1:],
                                                  "--topic", name))
    held = held_as_in_tree(cluster, name)
    assert {len(folders) for folders in held.values()} == {2}, held
    step(f"{name}: six replicas, two to a broker; describe, znodes and directories agree")


def messages(cluster, who, name):
    lines, group = "".join(f"message {i}\n" for i in range(30)), f"group-{name}"
    typed(who, "kafka-console-producer", "--broker-list", cluster.bootstrap, "--topic", name, stdin=lines)
    read = typed(who, "kafka-console-consumer", "--bootstrap-server", cluster.bootstrap, "--topic", name,
                 "--from-beginning", "--group", group, "--max-messages", 30, "--timeout-ms", 30000)
    assert sorted(read.split("\n")) == sorted(lines.split("\n"))
    described = typed(who, "kafka-consumer-groups", "--bootstrap-server", cluster.bootstrap, "--describe",
                      "--group", group, "--timeout", 60000)
    rows = [line.split() for line in described.splitlines() if line.startswith(group)]
    assert 0 < len(rows) <= PARTITIONS and sum(int(row[3]) for row in rows) == 30, rows


def shared(cluster, name):
    """Two consumers of ours and one of 2.7.2 in one group, beside a group that has read all; rewound."""
    at = ("--bootstrap-server", cluster.bootstrap)
    arguments = [*at, "--topic", name, "--group", "shared", "--from-beginning"]
    commands = [servers.tool("kafka-console-consumer.sh", *arguments)] * 2
    commands.append(peers.kafka_tool(peers.KAFKA_OLD, "kafka-console-consumer", *arguments,
                                     options=("-Xmx256m",)))
    members = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                stderr=subprocess.DEVNULL) for command in commands]

    def shares():
        text = subprocess.run(servers.tool("kafka-consumer-groups.sh", *at, "--describe", "--group", "shared",
                                           "--members"), capture_output=True, text=True, timeout=60).stdout
        return [line.split()[-1] for line in text.splitlines() if line.startswith("shared ")]

    try:
        wait.until(lambda: shares() == ["1"] * 3, 90, "a partition for each of three members", interval=1)
        lines = "".join(f"shared {i}\n" for i in range(60))
        typed(OURS, "kafka-console-producer", "--broker-list", cluster.bootstrap, "--topic", name,
              stdin=lines)
        wait.until(lambda: read_to(cluster, "shared", name) == 90, 60, "the group's offsets", interval=1)
    finally:
        for member in members:
            member.terminate()
    read = [line for member in members for line in member.communicate(timeout=60)[0].split("\n")]
    assert set(lines.split("\n")) <= set(read), "not all was read"
    assert read_to(cluster, f"group-{name}", name) == 30, "another group's offsets moved"
    typed(OURS, "kafka-consumer-groups", *at, "--reset-offsets", "--to-earliest", "--execute", "--group",
          "shared", "--topic", name)
    typed(OURS, "kafka-console-consumer", *arguments[:-1], "--max-messages", 90, "--timeout-ms", 30000)
    step("three members, one of them 2.7.2's, had a partition each; another group was not disturbed; "
         "rewound, the group read all again")


def read_to(cluster, group, topic):
    """The sum of the group's offsets of the topic."""
    text = subprocess.run(servers.tool("kafka-consumer-groups.sh", "--bootstrap-server", cluster.bootstrap,
                                       "--describe", "--group", group),
                          capture_output=True, text=True, timeout=60).stdout
    rows = [line.split() for line in text.splitlines() if line.startswith(f"{group} ")]
    return sum(int(row[3]) for row in rows if row[1] == topic and row[3] != "-")


def of_old_clients(cluster):
    """acks=0, and offsets kept under /consumers (OffsetCommit version 0)."""
    topic = cluster.create("unasked", assignment=[[1, 2, 3]])
    cluster.await_in_sync(topic)
    link = kafka_wire.Link(cluster.brokers[cluster.state(topic)["leader"]].port)
    for number in range(10):
        link.send_produce(topic, 0, kafka_wire.batch(b"%d" % number), acks=0)
    assert link.produce(topic, 0, kafka_wire.batch(b"10"), acks=-1) == (0, 10)
    assert link.read_all(topic, 0) == {number: b"%d" % number for number in range(11)}
    body = kafka_wire.text("of-old") + struct.pack(">i", 1) + kafka_wire.text(topic)
    link.send(OFFSET_COMMIT, 0, body + struct.pack(">iiq", 1, 0, 7) + kafka_wire.text(""))
    link.receive()
    link.close()
    assert cluster.tree.get(f"/consumers/of-old/offsets/{topic}/0")[0] == b"7"
    step("acks=0 is not answered and kept; the oldest clients' offsets are under /consumers")


def refusals(cluster, tree):
    for where in (("--zookeeper", tree), ("--bootstrap-server", cluster.bootstrap)):
        at = ("kafka-topics", "--alter", *where, "--topic", TOPIC)
        before = cluster.tree.get(f"/brokers/topics/{TOPIC}")
        code, said = by(OURS, *at, "--replica-assignment", "1:2:3,1:2:3,1:2:3")
        assert code == 1 and "kafka-reassign-partitions.sh" in said, said
        code, said = by(OURS, *at, "--partitions", 2)
        assert code == 1 and "currently has 3 partitions" in said, said
        assert cluster.tree.get(f"/brokers/topics/{TOPIC}") == before
    step("fewer partitions are refused with the reason, an assignment with the tool that does it")


def without_trace(said):
    """Theirs logs a refusal behind it, with the stack of the error."""
    return re.split(r"^\[\d{4}-\d\d-\d\d [^]]*\] ERROR ", said, maxsplit=1, flags=re.MULTILINE)[0]


def same(theirs, ours):
    assert theirs[0] == ours[0], (theirs, ours)
    assert without_trace(theirs[1]).splitlines() == ours[1].splitlines(), (theirs, ours)


def old_lines(cluster, tree):
    """The walkthrough's topic lines as Kafka 2.7 and older have them; what either prints."""
    said = {}
    for who, name in ((OLD, "theirs"), (OURS, "owntop")):
        at = ("kafka-topics", "--zookeeper", tree, "--topic", name)
        said[who] = [by(who, *at, "--create", "--replica-assignment", "1:2,2:3,3:1")]
        for partition, replicas in enumerate(([1, 2], [2, 3], [3, 1])):
            cluster.await_in_sync(name, replicas, partition=partition)
        said[who].append(by(who, *at, "--describe"))
        said[who].append(by(who, *at, "--alter", "--partitions", 6))
        wait.until(lambda: len(cluster.in_sync(name, 5)) == 2, 30, "the added partitions")
        said[who].append(by(who, *at, "--alter", "--partitions", 2))
        listed = by(who, "kafka-topics", "--zookeeper", tree, "--list")
        assert {name, TOPIC} <= set(listed[1].split()), listed
        said[who].append(by(who, *at, "--delete"))
        wait.until(lambda: not cluster.tree.exists(f"/brokers/topics/{name}"), 30, "the end of the topic")
        said[who] = [(code, text.replace(name, "NAME")) for code, text in said[who]]
    for theirs, ours in zip(said[OLD], said[OURS]):
        same(theirs, ours)
    step("create, describe, alter, list and delete with --zookeeper: 2.7.2's tools and ours say the same")


def new_lines(cluster):
    """The walkthrough's topic lines as Kafka has them today; what either prints."""
    said = {}
    for who, name in ((NEW, "theirs3"), (OURS, "owntop3")):
        brokers = ("--bootstrap-server", cluster.bootstrap)
        at = ("kafka-topics", *brokers, "--topic", name)
        said[who] = [by(who, *at, "--create", "--replica-assignment", "1:2,2:3,3:1")]
        said[who].append(by(who, *at, "--alter", "--partitions", 6))
        wait.until(lambda: all(len(cluster.in_sync(name, n)) == 2 for n in range(6)), 30, "six partitions")
        typed(who, "kafka-console-producer", *brokers, "--topic", name,
              "--property", "parse.key=true", stdin="".join(f"{n}\tmessage {n}\n" for n in range(60)))
        ends = by(who, "kafka-get-offsets", *brokers, "--topic", name)  # of a key: one partition with both
        assert sum(int(line.split(":")[2]) for line in ends[1].split()) == 60, ends
        said[who].append(ends)
        for asked in (OURS, NEW):
            described_as_in_tree(cluster, name, typed(asked, *at, "--describe"))
        held_as_in_tree(cluster, name)
        assert {name, TOPIC} <= set(typed(who, "kafka-topics", *brokers, "--list").split())
        said[who].append(by(who, *at, "--delete"))
        wait.until(lambda: not cluster.tree.exists(f"/brokers/topics/{name}"), 30, "the end of the topic")
        wait.until(lambda: not [path for broker in cluster.brokers.values()
                                for path in (broker.directory / "logs").glob(f"{name}-[0-9]")], 30,
                   "the end of its directories")
        said[who] = [(code, text.replace(name, "NAME")) for code, text in said[who]]
    for theirs, ours in zip(said[NEW], said[OURS]):
        same(theirs, ours)
    step("create, alter, offsets by key, list and delete with --bootstrap-server: 3.9.1's tools and ours say "
         "the same; describe of both, znodes and directories agree")


def old_moves(cluster, tree, directory):
    """2.7.2's own tools move a partition and its leader by the znodes of old."""
    cluster.create("moved", assignment=[[1, 2]])
    cluster.await_in_sync("moved", [1, 2])
    moves = directory / "moves.json"
    moves.write_text(json.dumps({"version": 1, "partitions": [
        {"topic": "moved", "partition": 0, "replicas": [3, 1]}]}))
    at = ("kafka-reassign-partitions", "--zookeeper", tree, "--reassignment-json-file", moves)
    assert by(OLD, *at, "--execute")[0] == 0
    cluster.await_in_sync("moved", [1, 3])
    wait.until(lambda: "is complete" in by(OLD, *at, "--verify")[1], 60, "the end of the move", interval=1)
    assert json.loads(cluster.tree.get("/brokers/topics/moved")[0])["partitions"] == {"0": [3, 1]}
    assert by(OLD, "kafka-preferred-replica-election", "--zookeeper", tree)[0] == 0
    wait.until(lambda: cluster.state("moved")["leader"] == 3, 30, "the preferred leader")
    step("2.7.2's tools moved a partition and elected its preferred leader by the tree")


def below_the_watermark(cluster):
    """A follower that sleeps: what only the others have is not shown as long as it counts."""
    topic = cluster.create("watched", assignment=[[1, 2, 3]])
    cluster.await_in_sync(topic)
    leader, chief = cluster.state(topic)["leader"], controller(cluster)
    sleeper = next(n for n in NUMBERS if n not in (leader, chief))
    link = kafka_wire.Link(cluster.brokers[leader].port)
    assert link.produce(topic, 0, kafka_wire.batch(b"0"), acks=-1) == (0, 0)
    cluster.brokers[sleeper].signal(signal.SIGSTOP)
    try:
        assert link.produce(topic, 0, kafka_wire.batch(b"1"), acks=1) == (0, 1)
        seen = link.read_all(topic, 0)
        if sleeper in cluster.in_sync(topic):
            assert seen == {0: b"0"}, seen
        cluster.await_in_sync(topic, [n for n in NUMBERS if n != sleeper], seconds=40)
        wait.until(lambda: link.read_all(topic, 0) == {0: b"0", 1: b"1"}, 10, "the second record")
        assert link.produce(topic, 0, kafka_wire.batch(b"2"), acks=-1) == (0, 2)
    finally:
        cluster.brokers[sleeper].signal(signal.SIGCONT)
        link.close()
    cluster.await_in_sync(topic, seconds=40)
    cluster.await_equal_logs(topic)
    step(f"follower {sleeper} slept: what it had not was hidden until it left the in-sync set; it came back")


def killed_leader(cluster):
    topic = cluster.create("kept")
    cluster.await_in_sync(topic)
    with Load(cluster, topic) as load:
        load.await_more(1000)
        leader = cluster.state(topic)["leader"]
        cluster.brokers[leader].kill()
        wait.until(lambda: cluster.state(topic)["leader"] not in (leader, -1), 30, "another leader")
        load.await_more(1000)
        cluster.brokers[leader].start()
        cluster.await_in_sync(topic)
    assert load.failed == [] and read_all(cluster, topic) == load.acknowledged
    cluster.await_equal_logs(topic)
    step(f"leader {leader} killed by -9: {len(load.acknowledged)} acknowledged, 0 lost, 0 twice, in order; "
         "three equal logs")


def controller(cluster):
    try:
        return json.loads(cluster.tree.get("/controller")[0])["brokerid"]
    except NoNodeError:
        return None


def killed_controller(cluster):
    before = controller(cluster)
    cluster.brokers[before].kill()
    wait.until(lambda: controller(cluster) not in (None, before), 30, "another controller")
    cluster.brokers[before].start()
    cluster.await_in_sync(cluster.create("after-the-kill"), seconds=40)
    step(f"controller {before} killed by -9: {controller(cluster)} took over, topics are made")


def states(cluster):
    """What the tree says of every partition."""
    found = {}
    for topic in cluster.tree.get_children("/brokers/topics"):
        for partition in json.loads(cluster.tree.get(f"/brokers/topics/{topic}")[0])["partitions"]:
            found[topic, partition] = cluster.state(topic, partition)
    return found


def split_brain(cluster):
    """The six seconds of the tutorials are those of the session."""
    before = controller(cluster)
    epoch = int(cluster.tree.get("/controller_epoch")[0])
    cluster.brokers[before].signal(signal.SIGSTOP)
    try:
        wait.until(lambda: controller(cluster) not in (None, before), 30, "another controller")
        wait.until(lambda: all(state["leader"] != before for (topic, _), state in states(cluster).items()
                               if topic == TOPIC), 30, "leaders that are awake")
        cluster.create("meanwhile", assignment=[[n for n in NUMBERS if n != before]])
        wait.pause(6, "the pause of the tutorials, beyond the session")
        slept, office = states(cluster), cluster.tree.get("/controller")
    finally:
        cluster.brokers[before].signal(signal.SIGCONT)
    wait.until(lambda: all(before in state["isr"] for (topic, partition), state in states(cluster).items()
                           if before in replicas(cluster, topic, partition)), 60, "its return everywhere")
    assert int(cluster.tree.get("/controller_epoch")[0]) == epoch + 1
    assert cluster.tree.get("/controller") == office
    now = states(cluster)
    changed = [key for key in slept if now.get(key) != slept[key]]
    assert now.keys() == slept.keys() and all(now[key]["controller_epoch"] == epoch + 1 for key in changed)
    step(f"controller {before} slept past its session: epoch {epoch} became {epoch + 1} once, and what it "
         f"woke up with changed nothing: {len(changed)} of {len(now)} partitions changed, by its successor")


def replicas(cluster, topic, partition):
    return json.loads(cluster.tree.get(f"/brokers/topics/{topic}")[0])["partitions"][partition]


def filtered(cluster, tree):
    """While two of three brokers are gone."""
    wait.until(lambda: all(state["leader"] in (3, -1) for state in states(cluster).values()), 30,
               "leaders that live")
    for word in ("under-replicated", "unavailable"):  # what 2.7.2 has with --zookeeper
        line = ("kafka-topics", "--zookeeper", tree, "--describe", f"--{word}-partitions")
        same(by(OLD, *line), by(OURS, *line))


def two_of_three(cluster, tree):
    topic = cluster.create("triple", assignment=[[1, 2, 3]])
    cluster.await_in_sync(topic)
    with Load(cluster, topic) as load:
        load.await_more(500)
        for number, successor in ((1, 2), (2, 3)):
            cluster.brokers[number].kill()
            wait.until(lambda: cluster.state(topic)["leader"] == successor, 30, "the next leader")
            load.await_more(500, 60)
        filtered(cluster, tree)
        for number in (1, 2):
            cluster.brokers[number].start()
        cluster.await_in_sync(topic, seconds=60)
    assert load.failed == [] and read_all(cluster, topic, "reader-3") == load.acknowledged
    cluster.await_equal_logs(topic)
    step(f"two of three replicas killed one after the other: {len(load.acknowledged)} acknowledged, 0 lost, "
         "0 twice, in order")


def nobody_left(cluster, topic, unclean):
    cluster.create(topic, assignment=[[1, 2]])
    cluster.await_in_sync(topic, [1, 2])
    if unclean:
        typed(OURS, "kafka-configs", "--bootstrap-server", cluster.bootstrap, "--alter", "--topic", topic,
              "--add-config", "unclean.leader.election.enable=true")
    cluster.brokers[1].kill()
    wait.until(lambda: cluster.state(topic)["leader"] == 2, 30, "the second replica as leader")
    cluster.brokers[2].kill()
    wait.until(lambda: cluster.state(topic)["leader"] == -1, 30, "leader -1")
    cluster.brokers[1].start()
    if unclean:
        wait.until(lambda: cluster.state(topic)["leader"] == 1, 40, "a leader from outside the in-sync set")
        cluster.brokers[2].start()
    else:
        wait.stays(lambda: cluster.state(topic)["leader"] == -1, 3, "no leader from outside the in-sync set")
        cluster.brokers[2].start()
        wait.until(lambda: cluster.state(topic)["leader"] == 2, 40, "the last of the in-sync set as leader")
    cluster.await_in_sync(topic, [1, 2], seconds=60)
    step("no replica left: leader -1 until " + (
        "any came back, as unclean.leader.election.enable=true wants it" if unclean
        else "the last of the in-sync set came back"))


def stopped(cluster):
    line = cluster.brokers[NUMBERS[0]].installation.directory / "bin" / "kafka-server-stop.sh"
    print("$ bin/kafka-server-stop.sh", flush=True)
    subprocess.run([str(line)], check=True, timeout=60)
    codes = [broker.wait(60) for broker in cluster.brokers.values()]
    assert codes == [0] * len(codes), codes
    step("kafka-server-stop.sh ended all three, exit 0")


def main():
    with tempfile.TemporaryDirectory(prefix="tandem-cluster-") as directory:
        directory = Path(directory)
        with Ensemble(directory / "ensemble", [OURS] * 3) as ensemble:
            tree = ensemble.hosts()
            with Cluster(Where(tree), Installation(directory, tree).broker) as cluster:
                for who, name in ((OURS, TOPIC), (OLD, "mytest3")):
                    spread(cluster, tree, who, name)
                    messages(cluster, who, name)
                shared(cluster, TOPIC)
                of_old_clients(cluster)
                refusals(cluster, tree)
                old_lines(cluster, tree)
                new_lines(cluster)
                old_moves(cluster, tree, directory)
                below_the_watermark(cluster)
                killed_leader(cluster)
                killed_controller(cluster)
                split_brain(cluster)
                two_of_three(cluster, tree)
                nobody_left(cluster, "pair", unclean=False)
                nobody_left(cluster, "any", unclean=True)
                stopped(cluster)
    print("cluster: everything held")
    return 0


if __name__ == "__main__":
    sys.exit(main())
