"""Three of Kafka's own brokers on an ensemble of ours whose leader is killed every 20 seconds, while a
producer with acks=all writes: everything it had acknowledged is there afterwards, in its order."""

import threading
import time

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from peers import peers
from support import wait
from support.ensembles import Ensemble

TOPIC, PARTITIONS = "kept", 3
KILLS, EVERY = 4, 20
BROKER = {"offsets.topic.replication.factor": 3, "default.replication.factor": 3, "min.insync.replicas": 2,
          "zookeeper.session.timeout.ms": 18000}


class Load(threading.Thread):
    def __init__(self, bootstrap):
        super().__init__(daemon=True)
        self.producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True,
                                  "linger.ms": 5, "message.timeout.ms": 120000})
        self.acknowledged = {p: [] for p in range(PARTITIONS)}
        self.failed, self.stopping = [], threading.Event()

    def told(self, error, message):
        if error:
            self.failed.append(str(error))
        else:
            self.acknowledged[message.partition()].append((message.offset(), message.value()))

    def run(self):
        number = 0
        while not self.stopping.is_set():
            self.producer.produce(TOPIC, b"%d" % number, partition=number % PARTITIONS, on_delivery=self.told)
            self.producer.poll(0.001)
            number += 1
        self.producer.flush(120)

    def count(self):
        return sum(len(each) for each in self.acknowledged.values())


def read_all(bootstrap):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "judge", "enable.auto.commit": False})
    found = {}
    for partition in range(PARTITIONS):
        where = TopicPartition(TOPIC, partition, 0)
        _, end = consumer.get_watermark_offsets(where, timeout=20)
        consumer.assign([where])
        while len(found.setdefault(partition, {})) < end:
            message = consumer.poll(20)
            assert message is not None and not message.error(), f"{len(found[partition])} of {end} read"
            found[partition][message.offset()] = message.value()
    consumer.close()
    return found


@pytest.mark.full
def test_brokers_of_kafka_lose_nothing_while_leaders_of_our_ensemble_die(tmp_path):
    with Ensemble(tmp_path / "coord", ["ours"] * 3) as ensemble:
        brokers = [peers.ApacheKafka(tmp_path / f"kafka{n}", ensemble.hosts(),
                                     config={**BROKER, "broker.id": n}) for n in range(3)]
        try:
            for broker in brokers:
                broker.start()
            run(ensemble, brokers)
        finally:
            for broker in brokers:
                broker.kill()


def run(ensemble, brokers):
    bootstrap = ",".join(broker.bootstrap for broker in brokers)
    topic = NewTopic(TOPIC, num_partitions=PARTITIONS, replication_factor=3)
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for made in admin.create_topics([topic]).values():
        made.result(60)
    load = Load(bootstrap)
    load.start()
    for _ in range(KILLS):
        begun, before = time.monotonic(), load.count()
        wait.until(lambda: load.count() >= before + 1000, 60, "a thousand more acknowledgements")
        leader = ensemble.leader()
        ensemble.members[leader].kill()
        wait.until(lambda: ensemble.leader() not in (None, leader), 20, "another leader")
        ensemble.launch(leader).serving()
        wait.pause(max(EVERY - (time.monotonic() - begun), 0), "the span between two kills")
    load.stopping.set()
    load.join(150)
    assert not load.failed, load.failed[:3]
    found = read_all(bootstrap)
    lost = [(p, at) for p, rows in load.acknowledged.items() for at, value in rows
            if found[p].get(at) != value]
    print(f"{KILLS} leaders killed, {load.count()} records acknowledged, {len(lost)} lost")
    assert not lost
    for rows in load.acknowledged.values():
        values = [int(value) for _, value in sorted(rows)]
        assert values == sorted(values), "records out of order"
    assert all(broker.running for broker in brokers)
