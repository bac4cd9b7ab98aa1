"""The tools for partitions, replicas and elections: Apache's of 3.9.1 and 2.7.2 and ours, one after the other
on the same three tandem-brokers, must say the same, line by line, and end with the same code."""

import json
import re
import subprocess

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from peers import peers
from support import servers, wait
from support.clusters import Cluster

pytestmark = pytest.mark.full
# Named twice, replicas named twice, none, a partition and a broker that are not there.
WRONG_ROWS = ([(0, [1, 2]), (0, [2, 1])], [(0, [1, 1]), (1, [2, 2])], [], [(7, [0, 1]), (0, [1])],
              [(0, [1, 7])])
MEGABYTES = 20  # so many that brokers hear of a throttle before a move is over
UNCAUGHT = re.compile(r'^Exception in thread "main" [\w.]+: ')
CAUSE = re.compile(r"^Caused by: [\w.]+: ")
TRACE = re.compile(r"^(\s+at |\s*\.\.\. )")
USAGE = re.compile(r"^(Usage:|Option |$)")
OLD_LINES = re.compile(r"^(\s+at |\s*\.\.\. |Caused by|org\.apache|java\.|kafka\.)")


def run(command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)


def ours(tool, *arguments):
    return run(servers.tool(f"{tool}.sh", *arguments))


def theirs(version, tool, *arguments):
    return run(peers.kafka_tool(version, tool, *arguments, options=("-Xmx128m", "-XX:TieredStopAtLevel=1")))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tools")
    with servers.Coord(directory / "coord", config={"tickTime": 500}) as coord, \
            Cluster(directory, coord.connect, ["ours"] * 3, config={"replica.fetch.max.bytes": 20000},
                    per_broker=lambda n: {"log.dirs": ",".join(
                        f"{directory}/broker{n}/{name}" for name in "ab")}) as it:
        yield it


class Script:
    """What one maker's tools said, call by call, with the topic's name taken out."""

    def __init__(self, cluster, directory, tool, name):
        self.cluster, self.directory, self.tool, self.name = cluster, directory, tool, name
        self.said = []
        self.file = directory / f"{name}.json"

    def say(self, tool, *arguments):
        done = self.tool(tool, *map(str, arguments))
        def plain(text):
            text = re.sub(r"TopicId: \S+", "TopicId: X", text.replace(self.name, "NAME"))
            return [line.rstrip() for line in text.splitlines()]

        out, errors = plain(done.stdout), plain(done.stderr)
        what = " ".join(map(str, arguments)).replace(self.name, "NAME")
        self.said.append((what, done.returncode, out, errors))
        return done

    def say_plainly(self, tool, *arguments):
        """As say(); of a refusal all is compared, but for usage and stack trace."""
        done = self.say(tool, *arguments)
        what, code, out, errors = self.said[-1]
        told = []
        for line in errors if code else ():
            if USAGE.match(line):
                break
            if not TRACE.match(line):
                told.append(CAUSE.sub("", UNCAUGHT.sub("", line)))
        self.said[-1] = (what, 0, [f"ended with {code}", *out, *told[:2]], [])
        return done

    def json(self, **members):
        self.file.write_text(json.dumps({"version": 1, **members}))
        return self.file

    def moves(self, *rows, **more):
        """Rows of (partition, replicas)."""
        return self.json(partitions=[
            {"topic": self.name, "partition": partition, "replicas": replicas, **more}
            for partition, replicas in rows])


def make_topic(cluster, name, megabytes=0):
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    admin.create_topics([NewTopic(name, 3, replica_assignment=[[0, 1], [1, 2], [2, 0]])])[name].result(30)
    wait.until(lambda: cluster.in_sync(name), 30, "all replicas in sync")
    # A throttle lets a batch pass whenever it measures nothing, every 11 s, however large it is.
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all", "batch.num.messages": 1})
    for number in range(100 * megabytes + 10):
        producer.produce(name, b"x" * (10000 if megabytes else 10), partition=number % 3)
    assert producer.flush(30) == 0


def moved(cluster, name, wanted):
    def done():
        partitions = cluster.assignment(name)
        return not any(partitions.get("adding_replicas", {}).values()) and all(
            partitions["partitions"][str(p)] == replicas for p, replicas in wanted.items())
    wait.until(done, 60, f"the move to {wanted}")


def differences(theirs_said, ours_said):
    """What differs, in words. Of a refusal Apache prints a stack trace behind the sentence."""
    found = []
    for (what, code, out, errors), own in zip(theirs_said, ours_said, strict=True):
        _, our_code, our_out, our_errors = own
        if code:
            told = [UNCAUGHT.sub("", line) for line in out + errors if line]
            plain = [line for line in told if not OLD_LINES.match(line)]
            same = code == our_code and (our_out + our_errors)[:1] in (told[:1], plain[:1])
        else:
            same = (code, out) == (our_code, our_out)
        if not same:
            found.append(f"{what}\n  theirs {code}: {out} {errors[:4]}\n"
                         f"  ours {our_code}: {our_out} {our_errors[:2]}")
    return found


def shape(text):
    """A proposal is spread at random: what is left without numbers of brokers."""
    return re.sub(r'"replicas":\[[\d,]*\]', '"replicas":[]', text)


def by_tree(cluster, script):
    """--generate, --execute and --verify with --zookeeper."""
    at = ("kafka-reassign-partitions", "--zookeeper", cluster.connect)
    topics = script.json(topics=[{"topic": script.name}])
    generate = ("--generate", "--topics-to-move-json-file", topics, "--broker-list")
    script.say(*at, *generate, "0,1,2")
    script.said[-1] = (*script.said[-1][:2], [shape(line) for line in script.said[-1][2]], [])
    for brokers in ("0,1,1", "0,x", "0"):
        script.say(*at, *generate, brokers)
    script.json(topics=[{"topic": script.name}, {"topic": script.name}])
    script.say(*at, *generate, "0,1,2")
    script.json(topics=[{"topic": "nobody-knows"}])
    script.say(*at, *generate, "0,1,2")
    file = ("--reassignment-json-file", script.file)
    for rows in (*WRONG_ROWS, [(0, [])]):
        script.moves(*rows)
        script.say(*at, "--execute", *file)
    script.moves((0, [1, 0]), log_dirs=["any", "/nowhere"])
    script.say(*at, "--execute", *file)
    script.say(*at, "--verify", *file)
    script.file.write_text("{")
    script.say(*at, "--execute", *file)
    for wrong in (("--cancel",), ("--list",), ("--execute", "--additional"), ("--execute", "--timeout", 5),
                  ("--generate",), ("--verify", "--throttle", 5), ("--verify", "--execute")):
        script.say(*at, *wrong, *(file if "--list" not in wrong else ()))
    script.moves((0, [2, 1]), (1, [1, 2]))
    script.say(*at, "--execute", *file, "--throttle", 2000)
    settings = [cluster.read(f"/config/topics/{script.name}"), cluster.read("/config/brokers/2")]
    script.said.append(("settings", 0, [json.dumps(each, sort_keys=True) for each in settings], []))
    script.say(*at, "--verify", *file)
    script.say(*at, "--execute", *file)
    rates = ",".join(f"{side}.replication.throttled.rate=100000000" for side in ("leader", "follower"))
    for number in range(3):
        peers.run(servers.tool("kafka-configs.sh", "--bootstrap-server", cluster.bootstrap, "--alter",
                               "--broker", number, "--add-config", rates))
    moved(cluster, script.name, {0: [2, 1]})
    wait.until(lambda: not cluster.client.exists("/admin/reassign_partitions"), 30, "the end of the move")
    script.say(*at, "--verify", *file, "--preserve-throttles")
    script.say(*at, "--verify", *file)
    settings = [cluster.read(f"/config/topics/{script.name}"), cluster.read("/config/brokers/2")]
    script.said.append(("settings", 0, [json.dumps(each, sort_keys=True) for each in settings], []))
    script.moves((0, [1, 2]), (9, [1]))
    script.say(*at, "--verify", *file)


def by_brokers(cluster, script):
    """kafka-reassign-partitions, kafka-topics --describe and their filters."""
    server = ("--bootstrap-server", cluster.bootstrap)
    at = ("kafka-reassign-partitions", *server)
    describe = ("kafka-topics", *server, "--describe", "--topic", script.name)
    file = ("--reassignment-json-file", script.file)
    filters = ("--under-replicated-partitions", "--unavailable-partitions", "--at-min-isr-partitions",
               "--under-min-isr-partitions")
    script.say(*describe)
    for each in filters:
        script.say(*describe, each)
    topics = script.json(topics=[{"topic": script.name}])
    script.say(*at, "--generate", "--topics-to-move-json-file", topics, "--broker-list", "0,1,2")
    script.said[-1] = (*script.said[-1][:2], [shape(line) for line in script.said[-1][2]], [])
    script.say(*at, "--generate", "--topics-to-move-json-file", topics, "--broker-list", "0")
    script.json(topics=[{"topic": "nobody-knows"}])
    script.say(*at, "--generate", "--topics-to-move-json-file", topics, "--broker-list", "0,1,2")
    script.say(*at, "--list")
    for rows in WRONG_ROWS:
        script.moves(*rows)
        script.say(*at, "--execute", *file)
    script.json(partitions=[{"topic": "nobody-knows", "partition": 0, "replicas": [0]}])
    for action in ("--execute", "--verify", "--cancel"):
        script.say(*at, action, *file)
    script.moves((0, [2, 1]), (1, [1, 0]))
    script.say(*at, "--execute", *file, "--throttle", 2000)
    script.say(*at, "--list")
    script.say(*at, "--verify", *file)
    script.say(*at, "--execute", *file)
    script.say(*at, "--execute", *file, "--additional", "--throttle", 3000)
    script.say("kafka-configs", *server, "--describe", "--broker", 2)
    script.say("kafka-configs", *server, "--describe", "--topic", script.name)
    settings = [cluster.read(f"/config/topics/{script.name}"), cluster.read("/config/brokers/2")]
    script.said.append(("settings", 0, [json.dumps(each, sort_keys=True) for each in settings], []))
    script.say(*describe)
    for each in filters:
        script.say(*describe, each)
    script.say(*at, "--cancel", *file)
    script.said[-1] = (*script.said[-1][:2], [line.replace("active.Clear", "active.\nClear") for line in
                                             script.said[-1][2]], [])
    script.say(*at, "--cancel", *file)
    script.say(*at, "--execute", *file)
    moved(cluster, script.name, {0: [2, 1], 1: [1, 0]})
    script.say(*at, "--verify", *file, "--preserve-throttles")
    script.say(*at, "--verify", *file)
    script.moves((0, [1, 2]), (9, [1]))
    script.say(*at, "--verify", *file)
    dirs = [f"{cluster.brokers[n].directory}/b" for n in (2, 1)]
    script.moves((0, [2, 1]), log_dirs=dirs)
    script.say(*at, "--execute", *file, "--replica-alter-log-dirs-throttle", 100_000_000)

    def all_there():
        homes = [cluster.brokers[number].directory for number in (1, 2)]
        copies = [path for home in homes for path in home.glob(f"*/{script.name}-0.*-future")]
        return not copies and all((home / "b" / f"{script.name}-0").exists() for home in homes)

    wait.until(all_there, 60, "the move between the directories")
    script.say(*at, "--verify", *file)
    script.moves((0, [2, 1]), log_dirs=["any", "/nowhere"])
    script.say(*at, "--execute", *file)
    script.say(*at, "--verify", *file)
    script.moves((0, [2, 1]), log_dirs=["any"])
    script.say(*at, "--execute", *file)


def elections(cluster, script):
    at = ("kafka-leader-election", "--bootstrap-server", cluster.bootstrap)
    script.say(*at)
    script.say(*at, "--election-type", "odd", "--all-topic-partitions")
    for wrong in ((), ("--topic", script.name), ("--partition", 0), ("--topic", script.name, "--partition", 0,
                  "--all-topic-partitions"), ("--path-to-json-file", "/nowhere/x.json")):
        script.say(*at, "--election-type", "preferred", *wrong)
    one = ("--topic", script.name, "--partition")
    script.say(*at, "--election-type", "preferred", *one, 0)
    script.say(*at, "--election-type", "unclean", *one, 0)
    script.say(*at, "--election-type", "preferred", *one, 9)
    script.say(*at, "--election-type", "preferred", "--topic", "nobody-knows", "--partition", 0)
    script.say(*at, "--election-type", "preferred", "--all-topic-partitions")
    script.json(partitions=[{"topic": script.name, "partition": 0}, {"topic": script.name, "partition": 0}])
    script.say(*at, "--election-type", "preferred", "--path-to-json-file", script.file)
    # Another order of replicas: the leader stays, another is preferred.
    replicas = cluster.assignment(script.name)["partitions"]
    script.moves((0, replicas["0"][::-1]), (1, replicas["1"][::-1]))
    peers.run(servers.tool("kafka-reassign-partitions.sh", "--bootstrap-server", cluster.bootstrap,
                           "--execute", "--reassignment-json-file", script.file))
    moved(cluster, script.name, {0: replicas["0"][::-1], 1: replicas["1"][::-1]})
    script.json(partitions=[{"topic": script.name, "partition": p} for p in (0, 1)])
    script.say(*at, "--election-type", "preferred", "--path-to-json-file", script.file)
    script.say(*at, "--election-type", "preferred", "--path-to-json-file", script.file)


def sorted_dirs(line):
    """kafka-log-dirs' line in one order of brokers, directories and partitions."""
    found = json.loads(line)
    for broker in found["brokers"]:
        for each in broker["logDirs"]:
            each["partitions"].sort(key=lambda row: row["partition"])
        broker["logDirs"].sort(key=lambda row: row["logDir"])
    found["brokers"].sort(key=lambda row: row["broker"])
    return json.dumps(found, sort_keys=True)


def directories(cluster, script):
    at = ("kafka-log-dirs", "--bootstrap-server", cluster.bootstrap)
    for more in (("--describe", "--topic-list", script.name),
                 ("--describe", "--topic-list", script.name, "--broker-list", "0,2"),
                 ("--describe", "--topic-list", "nobody-knows"), ("--describe", "--broker-list", "0,7"),
                 ("--describe", "--broker-list", "x"), ()):
        script.say(*at, *more)
        what, code, out, errors = script.said[-1]
        if out and out[-1].startswith("{"):
            script.said[-1] = (what, code, [*out[:-1], sorted_dirs(out[-1])], errors)


def deletions(cluster, script):
    """Not compared: a partition that is not there. Theirs asks for it for a minute, ours says so."""
    at = ("kafka-delete-records", "--bootstrap-server", cluster.bootstrap)
    script.say(*at)
    def rows(*offsets):
        return script.json(partitions=[{"topic": topic, "partition": partition, "offset": offset}
                                       for topic, partition, offset in offsets])
    for offsets in ([(script.name, 0, 2)], [(script.name, 0, 2), (script.name, 1, 1)], [(script.name, 0, 1)],
                    [(script.name, 1, -1)], [(script.name, 2, 1_000_000)],
                    [(script.name, 0, 2), (script.name, 0, 2)], []):
        script.say(*at, "--offset-json-file", rows(*offsets))
        what, code, out, errors = script.said[-1]
        script.said[-1] = (what, code, sorted(out), errors)
    script.file.write_text("{")
    script.say(*at, "--offset-json-file", script.file)
    script.json(partitions=[{"topic": script.name, "partition": 0}])
    script.say(*at, "--offset-json-file", script.file)
    script.say(*at, "--offset-json-file", "/nowhere/x.json")


def settings_by_tree(cluster, script):
    """kafka-configs.sh --zookeeper, and what it leaves in the tree."""
    at = ("kafka-configs", "--zookeeper", cluster.connect)
    topic = ("--entity-type", "topics", "--entity-name", script.name)
    rates = [f"{side}.replication.throttled.rate" for side in ("leader", "follower")]

    def say(*arguments):
        script.say_plainly(*at, *arguments)

    def change(*arguments):
        say("--alter", *arguments)

    def remember(*paths):
        found = [cluster.client.get(path)[0].decode().replace(script.name, "NAME") for path in paths]
        script.said.append(("settings", 0, found, []))

    for wrong in ((), ("--describe",), ("--describe", "--alter", "--topic", "t"), ("--alter", *topic),
                  ("--describe", *topic, "--all"), ("--describe", *topic, "--bootstrap-server", "h:1"),
                  ("--describe", "--entity-type", "odd"), ("--describe", "--broker-logger", 1),
                  ("--describe", "--broker", "x"), ("--alter", "--entity-type", "topics"),
                  ("--alter", "--entity-type", "brokers")):
        say(*wrong)
    say("--describe", *topic)
    change(*topic, "--add-config", "retention.ms=86400000,flush.messages=7,cleanup.policy=[compact,delete]")
    remember(f"/config/topics/{script.name}",
             "/config/changes/" + max(cluster.client.get_children("/config/changes")))
    say("--describe", "--topic", script.name)
    change("--topic", script.name, "--add-config", "flush.ms=1000", "--delete-config", "retention.ms")
    change(*topic, "--add-config", "message.format.version=2.7")
    for wrong in (("--delete-config", "retention.ms"), ("--delete-config", "a,b"), ("--add-config", "odd=1"),
                  ("--add-config", "retention.ms=x"), ("--add-config", "retention.ms")):
        change(*topic, *wrong)
    change("--topic", "nobody-knows", "--add-config", "retention.ms=1")
    remember(f"/config/topics/{script.name}")
    change("--broker", 1, "--add-config", f"{rates[0]}=1000,{rates[1]}=2000")
    say("--describe", "--broker", 1)
    remember("/config/brokers/1", "/config/changes/" + max(cluster.client.get_children("/config/changes")))
    for one in (("--broker", 1), ("--broker-defaults",), ("--entity-type", "brokers", "--entity-default")):
        change(*one, "--add-config", "log.cleaner.threads=2")
    change("--broker", 7, "--add-config", "log.cleaner.threads=2")  # it is not running
    change("--broker", 7, "--add-config", "log.dirs=/x")
    change("--broker", 7, "--add-config", "log.cleaner.threads=x")
    say("--describe", "--broker", 7)
    remember("/config/brokers/7")
    change("--broker", 7, "--delete-config", "log.cleaner.threads")
    change("--broker", 1, "--delete-config", ",".join(rates))
    change("--broker-defaults", "--add-config", f"{rates[0]}=3000")
    say("--describe", "--broker-defaults")
    change("--broker-defaults", "--delete-config", rates[0])
    remember("/config/brokers/7", "/config/brokers/1", "/config/brokers/<default>")


def elections_by_tree(cluster, script):
    """kafka-preferred-replica-election.sh; in a tree without a controller what it leaves there stays."""
    tool = "kafka-preferred-replica-election"
    file = ("--path-to-json-file", script.file)
    for wrong in ((), ("--zookeeper", "h:1", "--bootstrap-server", "h:1")):
        script.say_plainly(tool, *wrong)
    root = f"/only-{script.name}"
    bare = ("--zookeeper", f"{cluster.connect}{root}")
    cluster.client.create(f"{root}/admin", makepath=True)
    rows = {"version": 2, "partitions": {"0": [0], "1": [1]}, "adding_replicas": {}, "removing_replicas": {}}
    topic = f"{root}/brokers/topics/{script.name}"
    cluster.client.create(topic, json.dumps(rows).encode(), makepath=True)
    cluster.client.create(f"{topic}/partitions/0", makepath=True)  # what is elected when none is named
    script.json(partitions=[{"topic": script.name, "partition": p} for p in (0, 0)])
    script.say_plainly(tool, *bare, *file)
    for text in ("{", "{}"):
        script.file.write_text(text)
        script.say_plainly(tool, *bare, *file)
    script.json(partitions=[{"topic": script.name, "partition": p} for p in (1, 0, 9)])
    node = f"{root}/admin/preferred_replica_election"
    for named in (file, ()):
        for _ in range(2):
            script.say_plainly(tool, *bare, *named)
        written = cluster.client.get(node)[0].decode().replace(script.name, "NAME")
        script.said.append(("what is to be elected", 0, [written], []))
        cluster.client.delete(node)
    replicas = cluster.assignment(script.name)["partitions"]
    for at in (("--zookeeper", cluster.connect), ("--bootstrap-server", cluster.bootstrap)):
        # Another order of replicas: the leader stays, another is preferred.
        wanted = {int(p): cluster.assignment(script.name)["partitions"][p][::-1] for p in ("0", "1")}
        script.moves(*wanted.items())
        peers.run(servers.tool("kafka-reassign-partitions.sh", "--bootstrap-server", cluster.bootstrap,
                               "--execute", "--reassignment-json-file", script.file))
        moved(cluster, script.name, wanted)
        script.json(partitions=[{"topic": script.name, "partition": p} for p in (0, 1)])
        script.say_plainly(tool, *at, *file)
        wait.until(lambda wanted=wanted: all(cluster.leader(script.name, p) == row[0] for p, row in
                                             wanted.items()), 30, "the preferred leaders")
        wait.until(lambda: not cluster.client.exists("/admin/preferred_replica_election"), 30,
                   "the end of the election")
    # Not compared: once more by brokers. Theirs names what it has elected, nothing, as elected already.
    assert cluster.assignment(script.name)["partitions"] == replicas


# Names of one length and one place in Java's maps: what is printed in their order is the same.
NAMES = {"theirs": "AaAa", "ours": "BBBB"}
CHAPTERS = {
    "moves by the tree": (peers.KAFKA_OLD, by_tree, MEGABYTES),
    "moves": (peers.KAFKA, by_brokers, MEGABYTES),
    "elections": (peers.KAFKA, elections, 0),
    "settings by the tree": (peers.KAFKA_OLD, settings_by_tree, 0),
    "elections by the tree": (peers.KAFKA_OLD, elections_by_tree, 0),
    "directories": (peers.KAFKA, directories, 0),
    "deletions": (peers.KAFKA, deletions, 0),
}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_our_tools_say_what_theirs_say(cluster, tmp_path, chapter):
    version, tell, megabytes = CHAPTERS[chapter]
    said = {}
    for who, tool in (("theirs", lambda *a: theirs(version, *a)), ("ours", ours)):
        name = f"{NAMES[who]}-{chapter.replace(' ', '-')}"
        make_topic(cluster, name, megabytes)
        script = Script(cluster, tmp_path, tool, name)
        tell(cluster, script)
        said[who] = script.said
    found = differences(said["theirs"], said["ours"])
    assert not found, "\n".join(found)


def test_replica_verification_reports_as_3_9_1_does(cluster):
    """Both run until they are stopped; every line but for its time."""
    make_topic(cluster, "verified")
    found = {}
    for who in ("theirs", "ours"):
        at = ("--broker-list", cluster.bootstrap, "--topics-include", "verified", "--time", -2,
              "--report-interval-ms", 200, "--max-wait-ms", 100)
        command = (servers.tool("kafka-replica-verification.sh", *at) if who == "ours" else peers.kafka_tool(
            peers.KAFKA, "kafka-replica-verification", *map(str, at), options=("-Xmx128m",)))
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
            lines = [child.stdout.readline() for _ in range(4)]
            child.terminate()
        found[who] = [re.sub(r"verified-\d|offset \d+", "X", line.partition(": ")[2]) for line in lines]
    assert found["ours"] == found["theirs"]
    assert "max lag is 0 for partition X at X among 3 partitions" in found["ours"][-1]
    nobody = ("--broker-list", cluster.bootstrap, "--topics-include", "nobody-.*")
    theirs_done = theirs(peers.KAFKA, "kafka-replica-verification", *nobody)
    ours_done = ours("kafka-replica-verification", *nobody)
    assert theirs_done.returncode == ours_done.returncode
