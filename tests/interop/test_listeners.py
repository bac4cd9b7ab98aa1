"""Brokers with listeners for clients, for each other and for the controller: what goes by which of them, as
proxies in front of all have recorded it; ours alone, and with one of Apache's, either the controller."""

import struct

import pytest
from confluent_kafka.admin import AdminClient

from peers import peers
from peers.recorder import Recorder
from support import ports, servers, wait
from support.broker_rolling import JAVA
from support.cluster import NUMBERS, SETTINGS, Cluster, Load, read_all

LISTENERS = ("CLIENT", "INTERNAL", "CONTROL")
FETCH, LEADER_AND_ISR, STOP_REPLICA, UPDATE_METADATA, CONTROLLED_SHUTDOWN = 1, 4, 5, 6, 7
OFFSETS_OF_EPOCHS, ALTER_PARTITION = 23, 56
OF_CONTROLLERS = {LEADER_AND_ISR, STOP_REPLICA, UPDATE_METADATA, ALTER_PARTITION}
OF_FOLLOWERS = {FETCH, OFFSETS_OF_EPOCHS}
HEADER = struct.Struct(">ihhih")  # size, API, version, correlation, length of the client's name


def addresses(there):
    return ",".join(f"{name}://{ports.HOST}:{port}" for name, port in there.items())


class Listening:
    """A broker's settings, and the proxies through which others reach it."""

    def __init__(self, directory, number):
        directory.mkdir(exist_ok=True)
        free = ports.free_ports(2 * len(LISTENERS))
        self.bound = dict(zip(LISTENERS, free))
        self.advertised = dict(zip(LISTENERS, free[len(LISTENERS):]))
        self.proxies = [Recorder(self.advertised[name], self.bound[name], directory, f"{name}-{number}")
                        for name in LISTENERS]
        self.config = {
            "broker.id": number, "listeners": addresses(self.bound),
            "advertised.listeners": addresses(self.advertised),
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in LISTENERS),
            "inter.broker.listener.name": "INTERNAL", "control.plane.listener.name": "CONTROL"}


def asked(directory, listener):
    """{(API, name of the client)} of all requests that came by a listener of any broker."""
    found = set()
    for path in directory.glob(f"{listener}-*.up"):
        data, at = path.read_bytes(), 0
        while at + HEADER.size <= len(data):
            size, api, _, _, length = HEADER.unpack_from(data, at)
            found.add((api, data[at + HEADER.size:at + HEADER.size + max(length, 0)].decode()))
            at += 4 + size
    return found


@pytest.fixture
def cluster(request, tmp_path, new_coord):
    coord = new_coord(config={"tickTime": 500})
    listening = {number: Listening(tmp_path / "passed", number) for number in NUMBERS}

    def make(number):
        config = {**SETTINGS, "zookeeper.session.timeout.ms": 6000, **listening[number].config}
        where = {"directory": tmp_path / f"broker{number}", "zookeeper": coord.connect,
                 "port": listening[number].advertised["CLIENT"], "config": config}
        return peers.ApacheKafka(**where, **JAVA) if number == request.param else servers.Broker(**where)

    with Cluster(coord, make) as running:
        yield running
    for broker in listening.values():
        for proxy in broker.proxies:
            proxy.stop()


# Which one is Apache's; the first is the controller.
@pytest.mark.parametrize("cluster", [None, pytest.param(1, marks=pytest.mark.full),
                                     pytest.param(3, marks=pytest.mark.full)], indirect=True)
def test_controllers_and_followers_keep_to_their_listeners(cluster, tmp_path):
    topic = cluster.create("t", assignment=[(2, 3, 1)])
    cluster.await_in_sync(topic)
    with Load(cluster, topic) as load:
        load.await_more(100)
        cluster.brokers[2].kill()
        cluster.await_in_sync(topic, [1, 3])
        load.await_more(100)
        cluster.brokers[2].start()
        cluster.await_in_sync(topic)
    assert load.failed == []
    assert read_all(cluster, topic) == load.acknowledged
    cluster.await_equal_logs(topic)
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    admin.delete_topics([topic])[topic].result(30)
    wait.until(lambda: not cluster.tree.exists(f"/brokers/topics/{topic}"), 30, "the end of the topic")
    cluster.brokers[3].stop()

    by_client, internal, control = (asked(tmp_path / "passed", name) for name in LISTENERS)
    assert {api for api, _ in control} >= OF_CONTROLLERS
    assert not {api for api, _ in control} & OF_FOLLOWERS
    assert FETCH in {api for api, _ in internal}
    assert not {api for api, _ in internal} & OF_CONTROLLERS
    assert not {api for api, _ in by_client} & OF_CONTROLLERS
    assert not any("fetcher" in name for _, name in by_client)
    assert [CONTROLLED_SHUTDOWN in {api for api, _ in seen} for seen in (by_client, internal, control)] == [
        False, True, False]
    assert all("fetcher" in name for api, name in internal if api == FETCH)
