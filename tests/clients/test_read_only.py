"""readonlymode.enabled: a member that finds no leader serves clients that agree to reads only, says so in its
words, and serves everybody again once there is a leader."""

import pytest
from kazoo.client import KazooClient
from kazoo.exceptions import NotReadOnlyCallError
from kazoo.protocol.states import KeeperState

from support import wait
from support import zk_wire as zk
from support.ensembles import Ensemble

NOT_SERVING = "This ZooKeeper instance is not currently serving requests\n"
READ_ONLY = {"readonlymode.enabled": "true"}


@pytest.fixture
def ensemble(tmp_path):
    with Ensemble(tmp_path, ["ours"] * 3, config={"tickTime": 500}, properties=READ_ONLY) as made:
        session = zk.Session(made.members[1].port)
        session.create("/before", b"kept")
        session.close()
        yield made


def alone(ensemble):
    """Kills two of three; the one that is left."""
    left = next(n for n in ensemble.ids if n != ensemble.leader())
    for n in ensemble.ids:
        if n != left:
            ensemble.members[n].kill()
    return left


def test_a_member_without_a_quorum_serves_reads_and_says_so(ensemble):
    left = alone(ensemble)
    member = ensemble.members[left]
    wait.until(lambda: member.word("srvr") == NOT_SERVING, 20, "the end of its role")
    wait.until(lambda: member.word("isro") == "ro", 20, "read-only mode")
    assert "READ-ONLY mode; serving only read-only clients\n" in member.word("srvr")
    assert "Mode: read-only\n" in member.word("srvr")
    assert "zk_server_state\tread-only\n" in member.word("mntr")
    assert "membership" not in member.word("conf")
    client = KazooClient(member.connect, timeout=10.0, read_only=True)
    client.start(15)
    try:
        assert client.client_state == KeeperState.CONNECTED_RO
        assert client.get("/before")[0] == b"kept"
        assert client.get_children("/") == ["before", "zookeeper"] or "before" in client.get_children("/")
        with pytest.raises(NotReadOnlyCallError):
            client.create("/refused")
        with pytest.raises(NotReadOnlyCallError):
            client.set("/before", b"changed")
    finally:
        client.stop()
        client.close()
    with pytest.raises(OSError):
        zk.Session(member.port)  # does not agree to reads only


def test_a_read_only_client_gets_everything_once_there_is_a_quorum_again(ensemble):
    left = alone(ensemble)
    member = ensemble.members[left]
    wait.until(lambda: member.word("isro") == "ro", 30, "read-only mode")
    client = KazooClient(ensemble.hosts(left), timeout=10.0, read_only=True)
    client.start(15)
    try:
        assert client.client_state == KeeperState.CONNECTED_RO
        ensemble.launch(*[n for n in ensemble.ids if n != left])
        ensemble.serving()
        assert member.word("isro") == "rw"
        wait.until(lambda: client.client_state == KeeperState.CONNECTED, 30, "a client that may write")
        client.retry(client.create, "/after")
        assert client.exists("/after")
    finally:
        client.stop()
        client.close()
    ensemble.same_trees()


def test_without_the_option_nobody_is_served(tmp_path):
    with Ensemble(tmp_path, ["ours"] * 3, config={"tickTime": 500}) as ensemble:
        member = ensemble.members[alone(ensemble)]
        wait.until(lambda: member.word("srvr") == NOT_SERVING, 20, "the end of its role")
        wait.stays(lambda: member.word("isro") == "null", 3, "nobody being served")
