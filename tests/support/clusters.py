"""Several brokers on one coordination service, of ours or Apache's, and what their tree says."""

import json
import signal
from pathlib import Path

from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError

from peers import peers
from support import servers, wait


class Cluster:
    """Brokers 0, 1, ...: "ours" or "apache" (with a version: "apache 2.7.2"), started in order, so that the
    first is the controller."""

    def __init__(self, directory, connect, kinds, config=None, per_broker=None, java=None):
        """`per_broker(number)`: settings of one; `java`: heap and options of Apache's."""
        self.directory, self.connect, self.java = Path(directory), connect, java or {}
        self.config = {"offsets.topic.replication.factor": min(3, len(kinds)),
                       "zookeeper.session.timeout.ms": 6000,
                       "controlled.shutdown.retry.backoff.ms": 500, "auto.leader.rebalance.enable": "false",
                       **(config or {})}
        self.per_broker = per_broker or (lambda number: {})
        self.kinds = list(kinds)
        self.brokers = [self.make(number, kind) for number, kind in enumerate(self.kinds)]
        self.client = None

    def make(self, number, kind, port=None):
        config = {**self.config, **self.per_broker(number), "broker.id": number}
        directory = self.directory / f"broker{number}"
        if kind == "ours":
            return servers.Broker(directory, self.connect, port=port, config=config)
        version = kind.partition(" ")[2] or peers.KAFKA
        return peers.ApacheKafka(directory, self.connect, port=port, config=config, version=version,
                                 **self.java)

    def become(self, number, kind):
        """The broker, stopped before, runs the other program from now on, on the same directory."""
        self.kinds[number] = kind
        self.brokers[number] = self.make(number, kind, port=self.brokers[number].port)
        return self.brokers[number]

    def __enter__(self):
        try:
            self.client = KazooClient(self.connect, timeout=10.0)
            self.client.start(20)
            for broker in self.brokers:
                broker.start()
            wait.until(lambda: self.ids() == list(range(len(self.brokers))), 30, "all registrations")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for broker in reversed(self.brokers):
            broker.__exit__()
        if self.client:
            self.client.stop()
            self.client.close()

    @property
    def bootstrap(self):
        return ",".join(broker.bootstrap for broker in self.brokers)

    def read(self, path):
        """The node's JSON; None without the node."""
        try:
            return json.loads(self.client.get(path)[0])
        except NoNodeError:
            return None

    def ids(self):
        return sorted(int(name) for name in self.client.get_children("/brokers/ids"))

    def controller(self):
        node = self.read("/controller")
        return node and node["brokerid"]

    def epoch(self):
        return int(self.client.get("/controller_epoch")[0])

    def state(self, topic, partition):
        return self.read(f"/brokers/topics/{topic}/partitions/{partition}/state")

    def leader(self, topic, partition):
        state = self.state(topic, partition)
        return state["leader"] if state else None

    def isr(self, topic, partition):
        state = self.state(topic, partition)
        return sorted(state["isr"]) if state else None

    def assignment(self, topic):
        return self.read(f"/brokers/topics/{topic}")

    def in_sync(self, *topics, members=None):
        """Whether every partition of these topics (or of all) has all its replicas, or those, in sync."""
        for topic in topics or self.client.get_children("/brokers/topics"):
            for partition, replicas in self.assignment(topic)["partitions"].items():
                state = self.state(topic, partition)
                if state is None or sorted(state["isr"]) != sorted(members or replicas):
                    return False
        return True

    def in_sync_sets(self):
        """Those of all partitions."""
        return [self.isr(topic, partition) for topic in self.client.get_children("/brokers/topics")
                for partition in self.assignment(topic)["partitions"]]

    def leader_port(self, topic):
        return lambda partition: self.brokers[self.leader(topic, partition)].port

    def freeze(self, number):
        self.brokers[number].signal(signal.SIGSTOP)

    def thaw(self, number):
        self.brokers[number].signal(signal.SIGCONT)
