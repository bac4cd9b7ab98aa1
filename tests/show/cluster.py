#!/usr/bin/env python3
# The walkthrough's cluster: three brokers over an ensemble of three. Six replicas, two to a broker; describe,
# znodes and directories agree; a killed leader loses nothing; a killed controller has a successor; one that
# sleeps past its session changes nothing when it wakes; no replica left is leader -1, and that ends. The
# lines with --zookeeper by our tools and by Kafka 2.7.2's, which must say the same.
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from peers import peers  # noqa: E402
from support import servers, wait  # noqa: E402
from support.cluster import NUMBERS, Cluster, Load, read_all  # noqa: E402
from support.ensembles import Ensemble  # noqa: E402

TOPIC, PARTITIONS = "mytest2", 3


def typed(tool, *arguments, stdin=None):
    print(f"$ {tool} {' '.join(map(str, arguments))}", flush=True)
    done = subprocess.run(servers.tool(tool, *arguments), input=stdin, capture_output=True, text=True,
                          timeout=120)
    print(done.stdout, end="" if done.stdout.endswith("\n") or not done.stdout else "\n")
    assert done.returncode == 0, f"exit {done.returncode}: {done.stderr}"
    return done.stdout


def step(sentence):
    print(f"-- {sentence}", flush=True)


def spread(cluster, tree):
    typed("kafka-topics.sh", "--create", "--zookeeper", tree, "--replication-factor", 2,
          "--partitions", PARTITIONS, "--topic", TOPIC)
    # The server asked here may be behind the one that the tool asked.
    wait.until(lambda: cluster.tree.exists(f"/brokers/topics/{TOPIC}"), 10, "the topic's node")
    assignment = json.loads(cluster.tree.get(f"/brokers/topics/{TOPIC}")[0])["partitions"]
    for partition, replicas in assignment.items():
        cluster.await_in_sync(TOPIC, replicas, partition=int(partition))
    described = typed("kafka-topics.sh", "--describe", "--bootstrap-server", cluster.bootstrap,
                      "--topic", TOPIC)
    for partition, replicas in assignment.items():
        state = cluster.state(TOPIC, partition)
        row = (f"Partition: {partition}\tLeader: {state['leader']}\t"
               f"Replicas: {','.join(map(str, replicas))}\tIsr: {','.join(map(str, state['isr']))}")
        assert row in described, f"describe does not say: {row}"
    for number in NUMBERS:
        held = sorted(p for p, replicas in assignment.items() if number in replicas)
        there = sorted(path.name.rpartition("-")[2]
                       for path in (cluster.brokers[number].directory / "logs").glob(f"{TOPIC}-*"))
        assert held == there and len(held) == 2, f"broker {number} holds {there}, the tree says {held}"
    step("six replicas, two to a broker; describe, znodes and directories agree")


def messages(cluster):
    lines = "".join(f"message {i}\n" for i in range(30))
    typed("kafka-console-producer.sh", "--broker-list", cluster.bootstrap, "--topic", TOPIC, stdin=lines)
    read = typed("kafka-console-consumer.sh", "--bootstrap-server", cluster.bootstrap, "--topic", TOPIC,
                 "--from-beginning", "--group", "group1", "--max-messages", 30, "--timeout-ms", 30000)
    assert sorted(read.split("\n")) == sorted(lines.split("\n"))
    typed("kafka-consumer-groups.sh", "--bootstrap-server", cluster.bootstrap, "--describe",
          "--group", "group1")


OLD = "kafka 2.7.2"
OLD_CLASSES = {"kafka-preferred-replica-election": "kafka.admin.PreferredReplicaLeaderElectionCommand"}


def by(who, tool, *arguments):
    """Exit code and output of our tool, or of 2.7.2's."""
    print(f"[{who}] $ {tool}.sh {' '.join(map(str, arguments))}", flush=True)
    if who != OLD:
        command = servers.tool(f"{tool}.sh", *arguments)
    elif tool in OLD_CLASSES:
        command = peers.java("kafka", peers.KAFKA_OLD, OLD_CLASSES[tool], *arguments, options=("-Xmx256m",))
    else:
        command = peers.kafka_tool(peers.KAFKA_OLD, tool, *arguments, options=("-Xmx256m",))
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    print(done.stdout, end="", flush=True)
    return done.returncode, done.stdout


def old_lines(cluster, tree):
    """The walkthrough's topic lines as Kafka 2.7 and older have them; what either prints."""
    said = {}
    for who, name in ((OLD, "theirs"), ("ours", "owntop")):
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
    for theirs, ours in zip(said[OLD], said["ours"]):
        # A refusal's last lines are a stack trace there.
        theirs_lines, ours_lines = theirs[1].splitlines(), ours[1].splitlines()
        assert theirs[0] == ours[0], (theirs, ours)
        same = theirs_lines == ours_lines or (theirs[0] and theirs_lines[:1] == ours_lines[:1])
        assert same, (theirs, ours)
    step("create, describe, alter, list and delete with --zookeeper: 2.7.2's tools and ours say the same")


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
    if not cluster.tree.exists("/controller"):
        return None
    return json.loads(cluster.tree.get("/controller")[0])["brokerid"]


def killed_controller(cluster):
    before = controller(cluster)
    cluster.brokers[before].kill()
    wait.until(lambda: controller(cluster) not in (None, before), 30, "another controller")
    cluster.brokers[before].start()
    cluster.await_in_sync(cluster.create("after-the-kill"), seconds=40)
    step(f"controller {before} killed by -9: {controller(cluster)} took over, topics are made")


def split_brain(cluster):
    before = controller(cluster)
    epoch = int(cluster.tree.get("/controller_epoch")[0])
    os.kill(cluster.brokers[before].pid, signal.SIGSTOP)
    try:
        wait.until(lambda: controller(cluster) not in (None, before), 30, "another controller")
        wait.until(lambda: all(cluster.state(TOPIC, p)["leader"] != before for p in range(PARTITIONS)), 30,
                   "leaders that are awake")
        states = {p: cluster.state(TOPIC, p) for p in range(PARTITIONS)}
    finally:
        os.kill(cluster.brokers[before].pid, signal.SIGCONT)
    wait.until(lambda: before in cluster.in_sync(TOPIC, 0) + cluster.in_sync(TOPIC, 1), 40, "its return")
    assert int(cluster.tree.get("/controller_epoch")[0]) == epoch + 1
    assert controller(cluster) != before
    for partition, state in states.items():
        now = cluster.state(TOPIC, partition)
        assert now["controller_epoch"] == state["controller_epoch"] == epoch + 1 or (
            now["leader"] == state["leader"])
    step(f"controller {before} slept past its session: epoch {epoch} became {epoch + 1} once, and what it "
         "woke up with changed nothing")


def nobody_left(cluster):
    topic = cluster.create("pair", assignment=[[1, 2]])
    cluster.await_in_sync(topic, [1, 2])
    cluster.brokers[1].kill()
    wait.until(lambda: cluster.state(topic)["leader"] == 2, 30, "the second replica as leader")
    cluster.brokers[2].kill()
    wait.until(lambda: cluster.state(topic)["leader"] == -1, 30, "leader -1")
    cluster.brokers[1].start()
    wait.stays(lambda: cluster.state(topic)["leader"] == -1, 3, "no leader from outside the in-sync set")
    cluster.brokers[2].start()
    wait.until(lambda: cluster.state(topic)["leader"] == 2, 40, "the last of the in-sync set as leader")
    cluster.await_in_sync(topic, [1, 2], seconds=40)
    step("no replica left: leader -1 until the last of the in-sync set came back")


def main():
    with tempfile.TemporaryDirectory(prefix="tandem-cluster-") as directory:
        directory = Path(directory)
        with Ensemble(directory / "ensemble", ["ours"] * 3, config={"tickTime": 500}) as ensemble:
            with Cluster.ours(directory, ensemble.hosts()) as cluster:
                spread(cluster, ensemble.hosts())
                messages(cluster)
                old_lines(cluster, ensemble.hosts())
                old_moves(cluster, ensemble.hosts(), directory)
                killed_leader(cluster)
                killed_controller(cluster)
                split_brain(cluster)
                nobody_left(cluster)
    print("cluster: everything held")
    return 0


if __name__ == "__main__":
    sys.exit(main())
