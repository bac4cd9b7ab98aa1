"""Cycles of tandem-broker: producers append records with acks=1, each of which must be found at the offset
it was acknowledged with. kill -9 loses nothing with Kafka's default flush policy, since the page cache
survives; a power cut loses nothing where flush.messages=1 is set. The coordination server lives on."""

import shutil

import cycles
from support import kafka_wire, servers, wait, zk_wire

PARTITIONS = 4
TOPIC = "crash"


class Producer(cycles.Writer):
    def __init__(self, port, partition, prefix, weight):
        super().__init__()
        self.weight = weight
        self.port = port
        self.partition = partition
        self.prefix = prefix

    def connect(self):
        self.link = kafka_wire.Link(self.port)

    def send(self, number):
        values = [f"{self.prefix}-{number}-{i}".encode() for i in range(self.weight)]
        self.link.send_produce(TOPIC, self.partition, kafka_wire.batch(values))
        return values

    def receive(self):
        error, offset = self.link.receive_produce()
        return error == 0, offset if error == 0 else error


class Cycles(cycles.Cycles):
    LIFE_MIN, LIFE_MAX = 0.5, 4.5
    SECOND_CUT_MAX = 0.15
    NAME = "broker-data"
    coord = None

    def finish(self):
        if self.coord:
            self.coord.stop()

    def fresh_directory(self):
        # A new cluster: the tree and the logs are of one age.
        self.finish()
        shutil.rmtree(self.directory / "coord", ignore_errors=True)
        self.coord = servers.Coord(self.directory / "coord", config={"tickTime": 100})
        self.coord.start()
        super().fresh_directory()

    def server(self):
        # Small segments, so that cuts hit rolls as well.
        config = {"log.dirs": self.data(), "num.partitions": PARTITIONS,
                  "log.segment.bytes": self.random.choice([20000, 300000, 1 << 30]),
                  "log.index.interval.bytes": 200, "log.flush.offset.checkpoint.interval.ms": 500,
                  # A session that ends soon; a machine that is busy may still take its time to open one.
                  "zookeeper.session.timeout.ms": 400, "zookeeper.connection.timeout.ms": 30000}
        if self.disk:
            config["log.flush.interval.messages"] = 1
        return servers.Broker(self.directory / "server", self.coord.connect, config=config)

    def free(self):
        """A broker whose id a dead one still holds ends, as Kafka's does: that session has to expire."""
        session = zk_wire.Session(self.coord.port)
        wait.until(lambda: session.get("/brokers/ids/0") is None, 20, "the end of the old broker's session")
        session.close()

    def ready(self, server):
        link = kafka_wire.Link(server.port)
        wait.until(lambda: list(link.leaders(TOPIC).values()) == [0] * PARTITIONS, 30, "leaders of the topic")
        link.close()

    def writers(self, server):
        weight = 4 if self.disk else 1  # a sync for each batch: slow disks still make a load
        return [Producer(server.port, p, f"c{self.number}-{p}", weight) for p in range(PARTITIONS)]

    def remember(self, writer):
        for values, offset in writer.acknowledged():
            for delta, value in enumerate(values):
                self.expected[writer.partition, offset + delta] = value

    def missing(self, server):
        link = kafka_wire.Link(server.port)
        found = {p: link.read_all(TOPIC, p) for p in range(PARTITIONS)}
        link.close()
        return [where for where, value in self.expected.items() if found[where[0]].get(where[1]) != value]
