"""Three brokers, ours or Apache's, on one ensemble: what the tree and the log directories say of them, a load
that remembers what was acknowledged, and a reader of all there is."""

import json
import threading
import time
from collections import namedtuple

import confluent_kafka
from confluent_kafka.admin import AdminClient, NewTopic
from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError

from support import servers, wait

NUMBERS = (1, 2, 3)
SETTINGS = {"zookeeper.session.timeout.ms": 3000, "offsets.topic.replication.factor": 3,
            "replica.lag.time.max.ms": 4000, "min.insync.replicas": 2}
Where = namedtuple("Where", "connect")  # a coordination service that somebody else runs


class Cluster:
    """The brokers by number, and what the tree says of their partitions."""

    def __init__(self, coord, make):
        """`make(number)` gives the broker of that number, not started."""
        self.brokers = {number: make(number) for number in NUMBERS}
        self.tree = KazooClient(coord.connect, timeout=10.0)

    @classmethod
    def ours(cls, directory, connect, config=None):
        """All of them ours, with SETTINGS, below `directory`."""
        settings = {**SETTINGS, **(config or {})}
        return cls(Where(connect), lambda number: servers.Broker(
            directory / f"broker{number}", connect, config={**settings, "broker.id": number}))

    def __enter__(self):
        self.tree.start(15)
        for broker in self.brokers.values():
            broker.start()
        return self

    def __exit__(self, *_):
        self.tree.stop()
        self.tree.close()
        for broker in self.brokers.values():
            broker.__exit__()

    @property
    def bootstrap(self):
        return ",".join(broker.bootstrap for broker in self.brokers.values())

    def create(self, name, partitions=1, assignment=None):
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        topic = (NewTopic(name, len(assignment), replica_assignment=[list(each) for each in assignment])
                 if assignment else NewTopic(name, partitions, 3))
        admin.create_topics([topic])[name].result(30)
        return name

    def state(self, topic, partition=0):
        return json.loads(self.tree.get(f"/brokers/topics/{topic}/partitions/{partition}/state")[0])

    def in_sync(self, topic, partition=0):
        """Empty until the controller has made the partition."""
        try:
            return sorted(self.state(topic, partition)["isr"])
        except NoNodeError:
            return []

    def log_bytes(self, number, topic, partition=0):
        directory = self.brokers[number].directory / "logs" / f"{topic}-{partition}"
        return b"".join(path.read_bytes() for path in sorted(directory.glob("*.log")))

    def await_in_sync(self, topic, numbers=NUMBERS, seconds=30, partition=0):
        wait.until(lambda: self.in_sync(topic, partition) == sorted(numbers), seconds,
                   f"the in-sync replicas {sorted(numbers)} of {topic}-{partition}")

    def await_equal_logs(self, topic, partition=0):
        def equal():
            logs = [self.log_bytes(number, topic, partition) for number in NUMBERS]
            return logs[0] and logs.count(logs[0]) == len(logs)

        wait.until(equal, 20, f"equal logs of {topic}-{partition}")


class Load:
    """An idempotent producer with acks=all on a thread of its own; `acknowledged` must not get lost."""

    def __init__(self, cluster, topic):
        self.topic = topic
        self.acknowledged = []
        self.failed = []
        self.last, self.gap = time.monotonic(), 0.0  # of acknowledgements: the longest time without any
        self.producer = confluent_kafka.Producer({
            "bootstrap.servers": cluster.bootstrap, "acks": "all", "enable.idempotence": True,
            "linger.ms": 1, "message.timeout.ms": 60000})
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def on_delivery(self, error, message):
        now = time.monotonic()
        self.gap, self.last = max(self.gap, now - self.last), now
        (self.failed if error else self.acknowledged).append(message.value())

    def run(self):
        number = 0
        while not self.ending.is_set():
            self.producer.produce(self.topic, b"%d" % number, on_delivery=self.on_delivery)
            self.producer.poll(0.001)
            number += 1
        self.producer.flush(60)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join(90)

    def gap_during(self, act):
        """The longest time without an acknowledgement while it acts and until there are more."""
        self.gap = 0.0
        act()
        self.await_more(500)
        return self.gap

    def await_more(self, count, seconds=30):
        before = len(self.acknowledged)
        wait.until(lambda: len(self.acknowledged) >= before + count, seconds, f"{count} more records")


def read_all(cluster, topic, group="reader"):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": group,
                                         "auto.offset.reset": "earliest", "enable.partition.eof": True})
    consumer.subscribe([topic])
    values = []

    def at_end():
        message = consumer.poll(0.5)
        if message is None:
            return False
        if message.error():
            return message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF
        values.append(message.value())
        return False

    wait.until(at_end, 60, f"the end of {topic}", interval=0)
    consumer.commit(asynchronous=False)
    consumer.close()
    return values
