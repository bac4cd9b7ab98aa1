"""Kafka's VerifiableProducer and VerifiableConsumer, and confluent-kafka's, against three tandem-brokers and
three of Apache's: the same events in the same numbers, every record acknowledged and consumed."""

import collections
import json
import signal
import subprocess
import sys
from pathlib import Path

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from peers import peers
from support import wait
from support.broker_load import QUIET
from support.broker_rolling import JAVA
from support.clusters import Cluster

pytestmark = pytest.mark.full
RECORDS, PARTITIONS = 2000, 3


def java(_, tool, *arguments):
    return peers.kafka_tool(peers.KAFKA, tool, *arguments, options=("-Xmx256m",))


def python(directory, module, *arguments):
    """confluent-kafka's clients with the two places in them that only Python 2 can run."""
    for script in (Path(confluent_kafka.__file__).parent / "kafkatest").glob("verifiable_*.py"):
        text = script.read_text().replace(".iteritems()", ".items()")
        text = text.replace("json.dumps(d)", "json.dumps(d, default=bytes.decode)")
        (directory / script.name).write_text(text)
    return [sys.executable, str(directory / f"{module}.py"), *map(str, arguments)]


def clients(kind, directory, bootstrap, topic):
    """Command lines of the producer and the consumer."""
    make = java if kind == "java" else python
    names = (("kafka-verifiable-producer", "kafka-verifiable-consumer") if kind == "java"
             else ("verifiable_producer", "verifiable_consumer"))
    at = ("--bootstrap-server" if kind == "java" else "--broker-list", bootstrap, "--topic", topic)
    return (make(directory, names[0], *at, "--max-messages", RECORDS, "--acks", "-1"),
            make(directory, names[1], *at, "--group-id", f"group-{topic}", "--max-messages", RECORDS))


def events(command, directory, name):
    """What a verifiable client reports, run until it ends by itself or has reported all of its records."""
    log = directory / f"{name}.log"
    with open(log, "wb") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def rows():
        found = []
        for line in log.read_text(errors="replace").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def over():
        return child.poll() is not None or count(rows(), "records_consumed") >= RECORDS

    try:
        wait.until(over, 120, f"the end of {name}", interval=0.2)
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        child.wait(60)
    finally:
        if child.poll() is None:
            child.kill()
    return rows()


def count(rows, name):
    return sum(row.get("count", 1) for row in rows if row.get("name") == name)


def summary(cluster, directory, kind):
    topic = f"verifiable-{kind}"
    admin = AdminClient({**QUIET, "bootstrap.servers": cluster.bootstrap})
    admin.create_topics([NewTopic(topic, PARTITIONS, 3)])[topic].result(60)
    producer, consumer = clients(kind, directory, cluster.bootstrap, topic)
    produced = events(producer, directory, f"{kind}-producer")
    consumed = events(consumer, directory, f"{kind}-consumer")
    names = collections.Counter(row["name"] for row in produced if "name" in row)
    offsets = {(row["partition"], row["offset"]) for row in produced
               if row.get("name") == "producer_send_success"}
    return {"acknowledged": names["producer_send_success"], "errors": names["producer_send_error"],
            "places": len(offsets), "consumed": count(consumed, "records_consumed"),
            "ended": names["shutdown_complete"],
            "kinds": sorted({row["name"] for row in produced + consumed if "name" in row})}


def test_verifiable_clients_report_the_same_on_ours_as_on_apaches(tmp_path, new_coord):
    found = {}
    for brokers in ("ours", "apache"):
        directory = tmp_path / brokers
        with Cluster(directory, new_coord().connect, [brokers] * 3, java=JAVA) as cluster:
            for kind in ("java", "python"):
                found[brokers, kind] = summary(cluster, directory, kind)
                print(f"{brokers}, {kind} clients: {found[brokers, kind]}")
    for kind in ("java", "python"):
        ours = found["ours", kind]
        assert (ours["acknowledged"], ours["errors"], ours["places"]) == (RECORDS, 0, RECORDS)
        assert ours["consumed"] >= RECORDS
        assert ours == found["apache", kind]
