"""Settings of server.properties that act, each seen from outside."""

import json
import socket
import struct

import pytest

from support import kafka_wire, ports, servers, wait, zk_wire

UNKNOWN_TOPIC, UNSUPPORTED_VERSION = 3, 35


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def metadata(port, topic):
    """The address that a broker tells of itself and the error of the topic, by Metadata v1."""
    answer = ports.ask_broker(port, 3, 1, struct.pack(">i", 1) + text(topic))
    size = struct.unpack_from(">h", answer, 8)[0]
    host, told = answer[10:10 + size].decode(), struct.unpack_from(">i", answer, 10 + size)[0]
    rack = max(struct.unpack_from(">h", answer, 14 + size)[0], 0)
    return f"{host}:{told}", struct.unpack_from(">h", answer, 16 + size + rack + 8)[0]


@pytest.fixture
def tree(coord):
    """A session on the server of the module; each test keeps its cluster below a path of its own."""
    session = zk_wire.Session(coord.port)
    yield session
    session.close()


def connected(port):
    link = socket.create_connection((ports.HOST, port), timeout=20)
    frame = struct.pack(">hhih", 18, 0, 1, -1)
    link.sendall(struct.pack(">i", len(frame)) + frame)
    return link


def answered(link):
    try:
        return len(link.recv(4)) == 4
    except ConnectionError:
        return False


def test_a_cluster_lives_below_its_chroot_and_a_broker_draws_its_number_once(coord, tree, new_broker):
    broker = new_broker(zookeeper=f"{coord.connect}/a/cluster", config={"broker.id": -1})
    assert json.loads(tree.get("/a/cluster/brokers/ids/1001"))["port"] == broker.port
    assert tree.get("/brokers") is None
    broker.stop()
    broker.start()
    assert tree.get("/a/cluster/brokers/ids/1001") is not None
    assert "broker.id=1001" in (broker.directory / "logs/meta.properties").read_text()


def test_connections_are_bounded_for_each_address_and_by_their_silence(coord, new_broker):
    broker = new_broker(zookeeper=f"{coord.connect}/limits", config={
        "max.connections.per.ip": 1, "max.connections.per.ip.overrides": f"{ports.HOST}:2",
        "connections.max.idle.ms": 1500})
    links = []

    def taken(count):
        for link in links:
            link.close()
        links[:] = [connected(broker.port) for _ in range(count)]
        return [answered(link) for link in links]

    wait.until(lambda: all(taken(2)), 20, "two connections")
    assert not all(taken(3)), "a third connection was served"
    wait.until(lambda: all(taken(1)), 20, "one connection")
    rest = links[0].recv(65536)
    while rest:
        rest = links[0].recv(65536)  # the answer, then the end within the socket's 20 s
    for link in links:
        link.close()


def test_topics_are_made_by_use_only_where_that_is_allowed(coord, tree, new_broker):
    broker = new_broker(zookeeper=f"{coord.connect}/made", config={"auto.create.topics.enable": "false"})
    assert metadata(broker.port, "t")[1] == UNKNOWN_TOPIC
    broker.stop()
    assert tree.get("/made/brokers/topics/t") is None
    broker = new_broker(zookeeper=f"{coord.connect}/made2")
    wait.until(lambda: metadata(broker.port, "t")[1] == 0, 20, "the topic")
    assert tree.get("/made2/brokers/topics/t") is not None


def test_transactional_state_in_the_tree_stops_the_start_unless_a_setting_insists(coord, tree, tmp_path):
    for path in ("/tx", "/tx/brokers", "/tx/brokers/topics", "/tx/brokers/topics/__transaction_state"):
        assert tree.create(path, b'{"version":1,"partitions":{}}') == 0
    broker = servers.Broker(tmp_path / "tx", f"{coord.connect}/tx")
    with pytest.raises(RuntimeError, match="__transaction_state"):
        broker.start()
    insisting = {"tandem.accept.transactions": "true"}
    with servers.Broker(tmp_path / "tx", f"{coord.connect}/tx", config=insisting):
        assert tree.get("/tx/brokers/ids/0") is not None


def test_old_fetches_are_refused_where_nothing_may_be_converted(coord, new_broker):
    def old_fetch(broker):
        link = kafka_wire.Link(broker.port)
        wait.until(lambda: list(link.leaders("t").values()) == [0], 20, "the topic")
        link.produce("t", 0, kafka_wire.batch([b"v"]))
        link.close()
        body = struct.pack(">iiii", -1, 100, 1, 1) + text("t") + struct.pack(">iiqi", 1, 0, 0, 1 << 20)
        answer = ports.ask_broker(broker.port, 1, 2, body)
        return struct.unpack_from(">h", answer, 4 + 4 + 3 + 4 + 4)[0]

    assert old_fetch(new_broker(zookeeper=f"{coord.connect}/down")) == 0
    kept = {"log.message.downconversion.enable": "false"}
    assert old_fetch(new_broker(zookeeper=f"{coord.connect}/down2", config=kept)) == UNSUPPORTED_VERSION


def test_each_listener_tells_its_own_address(coord, tree, new_broker):
    inner, outer = ports.free_ports(2)
    broker = new_broker(zookeeper=f"{coord.connect}/two", port=inner, config={
        "listeners": f"INNER://{ports.HOST}:{inner},OUTER://{ports.HOST}:{outer}",
        "advertised.listeners": f"INNER://{ports.HOST}:{inner},OUTER://localhost:{outer}",
        "listener.security.protocol.map": "INNER:PLAINTEXT,OUTER:PLAINTEXT",
        "inter.broker.listener.name": "INNER"})
    assert metadata(broker.port, "t")[0] == f"{ports.HOST}:{inner}"
    assert metadata(outer, "t")[0] == f"localhost:{outer}"
    told = json.loads(tree.get("/two/brokers/ids/0"))
    assert told["endpoints"] == [f"INNER://{ports.HOST}:{inner}", f"OUTER://localhost:{outer}"]


def test_listeners_that_the_tree_holds_are_opened_at_the_start(coord, tree, new_broker):
    inner, outer = ports.free_ports(2)
    held = {"listeners": f"PLAINTEXT://{ports.HOST}:{inner},OUTER://{ports.HOST}:{outer}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,OUTER:PLAINTEXT"}
    for path in ("/held", "/held/config", "/held/config/brokers"):
        assert tree.create(path) == 0
    assert tree.create("/held/config/brokers/0", json.dumps({"version": 1, "config": held}).encode()) == 0
    new_broker(zookeeper=f"{coord.connect}/held", port=inner)
    assert metadata(outer, "t")[0] == f"{ports.HOST}:{outer}"
    told = json.loads(tree.get("/held/brokers/ids/0"))["endpoints"]
    assert told == [f"PLAINTEXT://{ports.HOST}:{inner}", f"OUTER://{ports.HOST}:{outer}"]
