"""What our controller tells a broker, as Kafka's own classes read it: the request log of a Kafka broker under
our controller beside the one under Apache's, after the same life; in the versions of 3.9 and of 2.7."""

import collections
import json
import re
import struct

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from peers import peers
from support import kafka_wire, servers, wait
from support.broker_rolling import JAVA
from support.clusters import Cluster

pytestmark = pytest.mark.full
APIS = ("LEADER_AND_ISR", "UPDATE_METADATA", "STOP_REPLICA")
KAFKA = {"3.9": peers.KAFKA, "2.7": peers.KAFKA_OLD}  # by the protocol that its brokers speak
VERSIONS = {"3.9": {"LEADER_AND_ISR": 7, "UPDATE_METADATA": 8, "STOP_REPLICA": 4},
            "2.7": {"LEADER_AND_ISR": 4, "UPDATE_METADATA": 6, "STOP_REPLICA": 3}}
LISTENER = 1  # the broker whose log is read
LEAVES = 2
CONTROLLED_SHUTDOWN = 7
LED = [("trio", 1), ("moved", 0)]  # by the listener, where preferred leaders lead
FOLLOWED = [("trio", 0), ("trio", 2), ("trio", 3)]
JSON_ROW = re.compile(r"Completed request:(\{.*\}) \(kafka\.request\.logger\)$")
OLD_ROW = re.compile(r"Completed request:RequestHeader\(apiKey=(\w+), apiVersion=(\d+),.*?\) -- (\{.*\}),"
                     r"response:(\{.*\}) from connection .*\(kafka\.request\.logger\)$")
OLD_WORD = re.compile(r"[^,{}\[\]=]*")


def done(futures):
    for future in futures.values():
        future.result(timeout=30)


def reassign(cluster, topic, replicas):
    file = cluster.directory / "moves.json"
    file.write_text(json.dumps({"version": 1, "partitions": [
        {"topic": topic, "partition": 0, "replicas": replicas}]}))
    peers.run(servers.tool("kafka-reassign-partitions.sh", "--bootstrap-server", cluster.bootstrap,
                           "--execute", "--reassignment-json-file", file))
    wait.until(lambda: cluster.assignment(topic)["partitions"] == {"0": replicas}, 30, "the move")
    wait.until(lambda: cluster.isr(topic, 0) == sorted(replicas), 30, "the moved replicas in sync")


def leave_and_return(cluster, leave):
    leave()
    wait.until(lambda: LEAVES not in cluster.ids(), 30, "the end of its session")
    left = [LISTENER, 0]
    wait.until(lambda: all(cluster.isr("trio", p) == sorted(left) for p in range(4)), 30, "sets without it")
    cluster.brokers[LEAVES].start()
    wait.until(cluster.in_sync, 60, "the return of the broker")


def prefer(cluster):
    peers.run(servers.tool("kafka-leader-election.sh", "--bootstrap-server", cluster.brokers[0].bootstrap,
                           "--election-type", "preferred", "--all-topic-partitions"))
    wait.until(lambda: [cluster.leader("trio", p) for p in range(4)] == [0, 1, 2, 2], 30, "preferred leaders")


def shut_down(cluster):
    """Asked for in the listener's name, which stays to hear all that it is told because of that."""
    listener = cluster.brokers[LISTENER]
    before = len(list(requests(listener)))
    link = kafka_wire.Link(cluster.brokers[0].port)
    link.send(CONTROLLED_SHUTDOWN, 1, struct.pack(">i", LISTENER))
    assert struct.unpack(">hi", link.receive()[1]) == (0, 0)
    link.close()
    everywhere = LED + FOLLOWED
    wait.until(lambda: all(LISTENER not in cluster.isr(*each) for each in everywhere), 30, "sets without it")

    def heard():
        told = [(name, *each) for name, _, body in list(requests(listener))[before:]
                for each in partitions(body)]
        stopped = {where for name, where, _ in told if name == "STOP_REPLICA"}
        handed_on = {where for name, where, state in told
                     if name == "LEADER_AND_ISR" and state["leader"] != LISTENER}
        return stopped >= set(FOLLOWED) and handed_on >= set(LED)

    wait.until(heard, 30, "word of all that to the broker")
    listener.kill()
    wait.until(lambda: LISTENER not in cluster.ids(), 30, "the end of its session")
    listener.start()
    wait.until(cluster.in_sync, 60, "the return of the broker")


def live(cluster):
    """Topics made, grown, deleted and moved, brokers that leave and return, preferred leaders."""
    admin = AdminClient({"bootstrap.servers": cluster.brokers[0].bootstrap})
    done(admin.create_topics([NewTopic("trio", 3, replica_assignment=[[0, 1, 2], [1, 2, 0], [2, 0, 1]])]))
    wait.until(lambda: cluster.in_sync("trio"), 30, "the first topic")
    done(admin.create_partitions([NewPartitions("trio", 4, replica_assignment=[[2, 1, 0]])]))
    done(admin.create_topics([NewTopic("gone", 1, replica_assignment=[[1, 2]])]))
    wait.until(lambda: cluster.in_sync("gone"), 30, "the topic that goes")
    done(admin.delete_topics(["gone"]))
    wait.until(lambda: cluster.assignment("gone") is None, 30, "the end of the topic")
    done(admin.create_topics([NewTopic("moved", 1, replica_assignment=[[1, 0]])]))
    wait.until(cluster.in_sync, 30, "all replicas in sync")
    reassign(cluster, "moved", [2, 0])
    reassign(cluster, "moved", [1, 0])
    leave_and_return(cluster, lambda: cluster.brokers[LEAVES].stop(60))
    prefer(cluster)
    leave_and_return(cluster, cluster.brokers[LEAVES].kill)
    prefer(cluster)
    shut_down(cluster)
    prefer(cluster)
    done(admin.create_topics([NewTopic("elsewhere", 1, replica_assignment=[[0]])]))
    wait.until(lambda: any(("elsewhere", 0) == where for name, _, body in requests(cluster.brokers[LISTENER])
                           if name == "UPDATE_METADATA" for where, _ in partitions(body)), 30, "word of it")


def old_value(text, at):
    """The value that starts at `at` as Kafka 2.7 prints it, and where it ends; names as in 3.9."""
    close = {"{": "}", "[": "]"}.get(text[at])
    if close is None:
        word = OLD_WORD.match(text, at)
        return (int(word[0]) if re.fullmatch(r"-?\d+", word[0]) else
                {"null": None, "true": True, "false": False}.get(word[0], word[0])), word.end()
    rows, items = {}, []
    at += 1
    while text[at] != close:
        at += text[at] == ","
        if close == "}":
            name = OLD_WORD.match(text, at)
            key = re.sub(r"_(\w)", lambda found: found[1].upper(), name[0])
            rows[key], at = old_value(text, name.end() + 1)
        else:
            item, at = old_value(text, at)
            items.append(item)
    return (rows if close == "}" else items), at + 1


def requests(broker):
    """(name, version, body) of each control request, as Kafka wrote it down after it was answered."""
    for line in broker.log().splitlines():
        new, old = JSON_ROW.search(line), OLD_ROW.search(line)
        if new:
            row = json.loads(new[1])
            head = row["requestHeader"]
            name, version = head["requestApiKeyName"], head["requestApiVersion"]
            body, answer = row["request"], row["response"]
        elif old and old[1] in APIS:
            name, version = old[1], int(old[2])
            body, answer = (old_value(text, 0)[0] for text in (old[3], old[4]))
        else:
            continue
        if name in APIS:
            assert answer["errorCode"] == 0, line
            yield name, version, body


def partitions(body):
    """((topic, partition), its state) of a request."""
    for topic in body["topicStates"]:
        for state in topic["partitionStates"]:
            yield (topic["topicName"], state["partitionIndex"]), state


def story(broker):
    """What a broker was told: versions, fields, the states of each partition one after the other, of
    UpdateMetadata the last ones only, as those between depend on when in-sync sets grew."""
    versions, fields, known, brokers = {}, {}, {}, []
    told = collections.defaultdict(lambda: [None])
    for name, version, body in requests(broker):
        versions.setdefault(name, set()).add(version)
        fields.setdefault(name, set()).update(body)
        for where, state in partitions(body):
            if name == "UPDATE_METADATA":
                known[where] = state
            elif told[name, *where][-1] != state:
                told[name, *where].append(state)
        brokers = body.get("liveBrokers", brokers)
    brokers = [{**row, "endpoints": [{**each, "port": 0} for each in row["endpoints"]]}
               for row in sorted(brokers, key=lambda row: row["id"])]
    return {"versions": versions, "fields": fields, "told": told, "known": known, "brokers": brokers}


def story_under(kind, directory, connect, protocol):
    logging = directory / "log4j.properties"
    directory.mkdir()
    logging.write_text(peers.LOG4J_PROPERTIES.format(level="INFO")
                       + f"log4j.logger.kafka.request.logger={'DEBUG' if protocol == '3.9' else 'TRACE'}\n")
    java = {**JAVA, "options": [*JAVA["options"], f"-Dlog4j.configuration=file:{logging}"]}
    theirs = f"apache {KAFKA[protocol]}"
    kinds = [theirs if kind == "apache" else kind, theirs, theirs]
    with Cluster(directory, connect, kinds, java=java,
                 config={"inter.broker.protocol.version": protocol}) as cluster:
        assert cluster.controller() == 0
        live(cluster)
        log = cluster.brokers[LISTENER].log()
        assert "Error getting request" not in log and "InvalidRequestException" not in log
        return story(cluster.brokers[LISTENER])


@pytest.mark.parametrize("protocol", VERSIONS)
def test_kafka_reads_in_our_control_requests_what_it_reads_in_apaches(tmp_path, new_coord, protocol):
    stories = {kind: story_under(kind, tmp_path / kind, new_coord().connect, protocol)
               for kind in ("apache", "ours")}
    assert stories["apache"]["versions"] == {name: {version} for name, version in VERSIONS[protocol].items()}
    assert len(stories["apache"]["told"]) >= 8
    for part, theirs in stories["apache"].items():
        ours = stories["ours"][part]
        if isinstance(theirs, dict):
            assert {key: (theirs.get(key), ours.get(key)) for key in theirs.keys() | ours.keys()
                    if theirs.get(key) != ours.get(key)} == {}, part
        assert ours == theirs, part
