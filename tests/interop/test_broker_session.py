"""A broker and its session with the coordination service: the service dies and comes back, sessions expire.

Neither needs a restart: the broker registers again, is elected again, and goes on serving.
"""

import json
import os
import signal

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from kazoo.client import KazooClient

from peers import peers
from support import servers, wait

SESSION_MS = 6000


@pytest.fixture(params=["ours", "apache"])
def coordination(request, tmp_path):
    make = servers.Coord if request.param == "ours" else peers.ApacheZooKeeper
    with make(tmp_path / "coordination") as server:
        yield server


@pytest.fixture
def broker(coordination, tmp_path):
    chroot = f"{coordination.connect}/kafka/a"
    config = {"zookeeper.session.timeout.ms": SESSION_MS, "zookeeper.connect": chroot}
    with servers.Broker(tmp_path / "broker", coordination.connect, config=config) as server:
        yield server


@pytest.fixture
def tree(coordination):
    client = KazooClient(hosts=f"{coordination.connect}/kafka/a")
    client.start(timeout=20)
    yield client
    client.stop()
    client.close()


def create(broker, topic):
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic(topic, 2, 1)])[topic].result(timeout=40)


def produce(broker, topic):
    producer = Producer({"bootstrap.servers": broker.bootstrap, "message.timeout.ms": 30000})
    failures = []
    producer.produce(topic, "x", on_delivery=lambda error, _: failures.append(error) if error else None)
    assert producer.flush(30) == 0
    assert not failures


def registration(tree):
    data, stat = tree.get("/brokers/ids/0")
    return json.loads(data), stat


def test_the_chroot_is_made_and_used(broker, tree):
    create(broker, "t")
    assert registration(tree)[0]["port"] == broker.port
    assert sorted(tree.get_children("/brokers/topics/t/partitions")) == ["0", "1"]


def test_the_service_dies_and_comes_back(coordination, broker, tree):
    create(broker, "before")
    before = registration(tree)[1].czxid
    coordination.kill()
    produce(broker, "before")
    coordination.start()
    create(broker, "after")
    produce(broker, "after")
    assert registration(tree)[1].czxid == before, "the session was not kept"


def test_an_expired_session_is_replaced(broker, tree):
    create(broker, "before")
    _, stat = registration(tree)
    epoch = int(tree.get("/controller_epoch")[0])
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        wait.until(lambda: tree.exists("/brokers/ids/0") is None, 40, "the session did not expire")
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    wait.until(lambda: tree.exists("/brokers/ids/0") is not None, 30, "the broker did not register again")
    assert registration(tree)[1].ephemeralOwner != stat.ephemeralOwner
    wait.until(lambda: int(tree.get("/controller_epoch")[0]) == epoch + 1, 30, "no new election")
    create(broker, "after")
    produce(broker, "before")
    produce(broker, "after")


def test_a_stop_leaves_no_ephemeral_behind(broker, tree):
    create(broker, "t")
    broker.stop()
    assert tree.exists("/brokers/ids/0") is None
    assert tree.exists("/controller") is None
