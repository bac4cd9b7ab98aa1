"""Following and leading with racks beside Kafka: Kafka's consumer reads from our follower of its rack, ours
sends consumers to Apache's followers, and the reverse."""

import subprocess

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from peers import peers
from support import wait
from support.broker_load import Load
from support.broker_rolling import JAVA
from support.clusters import Cluster

pytestmark = pytest.mark.full
SELECTOR = "org.apache.kafka.common.replica.RackAwareReplicaSelector"
LOGGING = """log4j.rootLogger=WARN, out
log4j.logger.org.apache.kafka.clients.consumer.internals=DEBUG
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.Target=System.err
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%m%n
"""


def console_consumer(tmp_path, bootstrap, topic, rack, count):
    """What Kafka's consumer prints, and says of the replica it prefers."""
    (tmp_path / "log4j.properties").write_text(LOGGING)
    command = peers.java("kafka", peers.KAFKA,
                         peers.tool_class(peers.KAFKA, "kafka-console-consumer"),
                         "--bootstrap-server", bootstrap,
                         "--topic", topic, "--partition", 0, "--offset", "earliest", "--max-messages", count,
                         "--consumer-property", f"client.rack={rack}", "--timeout-ms", 60000,
                         options=("-Xmx256m", f"-Dlog4j.configuration=file:{tmp_path}/log4j.properties"))
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    preferred = [line for line in done.stderr.splitlines() if "preferred read replica" in line]
    return done.stdout.split(), preferred


@pytest.mark.parametrize("kinds", [("apache", "ours", "ours"), ("ours", "apache", "ours")])
def test_kafkas_consumer_reads_from_the_follower_of_its_rack(tmp_path, new_coord, kinds):
    coord = new_coord(config={"tickTime": 500})
    with Cluster(tmp_path, coord.connect, kinds, config={"replica.selector.class": SELECTOR}, java=JAVA,
                 per_broker=lambda number: {"broker.rack": f"rack{number}"}) as cluster:
        admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
        admin.create_topics([NewTopic("t", 1, replica_assignment=[[0, 1, 2]])])["t"].result(30)
        wait.until(lambda: cluster.in_sync("t"), 60, "all in sync")
        with Load(cluster.bootstrap, "t", 1) as load:
            load.more(300)
        for rack in (1, 2):
            values, said = console_consumer(tmp_path, cluster.bootstrap, "t", f"rack{rack}", load.count)
            assert values == [str(n) for n in range(load.count)]
            assert any(f"to {rack}" in line for line in said), said[:5]
