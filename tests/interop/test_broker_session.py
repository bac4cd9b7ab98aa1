"""tandem-broker over the loss of its coordination server and the end of its session, on either server: it
keeps its session through a restart, and after expiry registers and takes the controller's place again."""

import os
import signal

import pytest
from kazoo.client import KazooClient

from peers import peers
from support import ports, servers, wait


@pytest.fixture(params=["apache", "tandem"])
def coordination(request, tmp_path):
    kind = peers.ApacheZooKeeper if request.param == "apache" else servers.Coord
    with kind(tmp_path / "zk", config={"tickTime": 500}) as server:
        yield server


@pytest.fixture
def tree(coordination):
    client = KazooClient(coordination.connect, timeout=10.0)
    client.start(15)
    yield client
    client.stop()
    client.close()


def owner(tree, path):
    """The session that an ephemeral node belongs to; None without the node."""
    if not tree.connected:
        return None
    stat = tree.exists(path)
    return stat and stat.ephemeralOwner


def test_a_restart_keeps_the_session_and_expiry_makes_a_new_one(coordination, tree, new_broker):
    # Long enough for a connection that Apache's server forgets while it starts (test_zkcli_reconnect.py says
    # how) and for the next one.
    broker = new_broker(zookeeper=coordination.connect, config={"zookeeper.session.timeout.ms": 9000})
    first = wait.until(lambda: owner(tree, "/controller"), 10, "a controller")
    assert owner(tree, "/brokers/ids/0") == first

    coordination.kill()
    coordination.start()
    wait.until(lambda: tree.connected, 20, "the test's own connection")
    wait.stays(lambda: owner(tree, "/brokers/ids/0") == first, 4, "the broker's registration")

    os.kill(broker.pid, signal.SIGSTOP)
    wait.until(lambda: tree.connected and not tree.exists("/brokers/ids/0"), 20, "the end of the session")
    os.kill(broker.pid, signal.SIGCONT)
    second = wait.until(lambda: owner(tree, "/brokers/ids/0"), 20, "a new registration")
    assert second != first
    wait.until(lambda: owner(tree, "/controller") == second, 20, "the controller's return")
    assert tree.get("/controller_epoch")[0] == b"2"
    assert ports.api_versions(broker.port)
