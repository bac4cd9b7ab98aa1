"""Consumers that name a rack read from the in-sync replica in it (KIP-392): librdkafka's client.rack says so
in its statistics; where there is none, or it is gone, from the leader."""

import json
import statistics
import time

import confluent_kafka
import pytest

from support import servers, wait
from support.cluster import NUMBERS, SETTINGS, Cluster, Load

SELECTOR = "org.apache.kafka.common.replica.RackAwareReplicaSelector"


@pytest.fixture
def cluster(tmp_path, new_coord):
    coord = new_coord(config={"tickTime": 500})

    def make(number):
        config = {**SETTINGS, "broker.id": number, "broker.rack": f"rack{number}",
                  "replica.selector.class": SELECTOR}
        return servers.Broker(tmp_path / f"broker{number}", coord.connect, config=config)

    with Cluster(coord, make) as running:
        yield running


class Reader:
    """A consumer of one partition in a rack; where it reads is told by its statistics."""

    def __init__(self, cluster, topic, rack):
        self.serving, self.values, self.delays = None, [], []
        self.consumer = confluent_kafka.Consumer({
            "bootstrap.servers": cluster.bootstrap, "group.id": f"in-{rack}", "client.rack": rack,
            "auto.offset.reset": "earliest", "enable.auto.commit": False, "log_level": 0,
            "statistics.interval.ms": 200, "stats_cb": self.on_stats, "fetch.wait.max.ms": 5000})
        self.topic = topic
        self.consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])

    def on_stats(self, text):
        partitions = json.loads(text)["topics"].get(self.topic, {"partitions": {}})["partitions"]
        self.serving = partitions.get("0", {}).get("broker")

    def poll(self):
        for message in self.consumer.consume(500, 0.2):
            if not message.error():
                self.values.append(message.value())
                self.delays.append(time.time() * 1000 - message.timestamp()[1])

    def reads_from(self, number, seconds=30):
        def there():
            self.poll()
            return self.serving == number

        wait.until(there, seconds, f"broker {number} as the one read from, it is {self.serving}", interval=0)

    def reads(self, values, seconds=30):
        def all_there():
            self.poll()
            return len(self.values) >= len(values)

        wait.until(all_there, seconds, f"{len(values)} records, {len(self.values)} came", interval=0)
        assert self.values == values


def test_consumers_read_in_their_rack_and_from_the_leader_when_it_cannot_serve(cluster):
    topic = cluster.create("t", assignment=[[1, 2, 3]])
    cluster.await_in_sync(topic)
    readers = {number: Reader(cluster, topic, f"rack{number}") for number in (*NUMBERS, 9)}
    with Load(cluster, topic) as load:
        load.await_more(300)
        for number, reader in readers.items():
            reader.reads_from(1 if number == 9 else number)  # nobody is in rack9
        near = readers[2]
        near.delays = []
        load.await_more(300)
        near.poll()
        cluster.brokers[2].stop()
        near.reads_from(1)
        load.await_more(100)
    assert load.failed == []
    for reader in readers.values():
        reader.reads(load.acknowledged)
        reader.consumer.close()


def test_a_follower_hears_of_the_watermark_at_once(cluster):
    topic = cluster.create("prompt", assignment=[[1, 2, 3]])
    cluster.await_in_sync(topic)
    reader = Reader(cluster, topic, "rack3")
    producer = confluent_kafka.Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all",
                                         "linger.ms": 0})

    def send():
        producer.produce(topic, b"x", partition=0)
        assert producer.flush(20) == 0

    send()
    reader.reads_from(3)
    reader.delays = []
    for count in range(2, 22):
        send()
        reader.reads([b"x"] * count)
    # With the next fetch only, at the end of its half second, every one of them would be late.
    assert statistics.median(reader.delays) < 250, sorted(reader.delays)
    reader.consumer.close()
