"""Followers that serve observers (observerMasterPort): ours and Apache's on either side. What an observer's
clients may rely on is the same as at the leader's: their writes, syncs, sessions, watches."""

import shutil
import socket

import pytest

from support import ports, tree, wait
from support import zk_wire as zk
from support.ensembles import Ensemble
from support.hostile_quorum import FOLLOWER_INFO, OBSERVER_INFO, packet

A, O = "apache", "ours"
FULL = pytest.mark.full
TIMEOUT = 4.0  # of sessions, in seconds: four ticks and more


@pytest.fixture
def connect(connect):
    return lambda hosts, timeout=TIMEOUT: connect(hosts, timeout)


@pytest.fixture
def begin(tmp_path):
    made = []

    def start(kinds, observers, config=None):
        config = {"tickTime": 1000, "observerMasterPort": ports.free_port(), **(config or {})}
        ensemble = Ensemble(tmp_path / f"e{len(made)}", kinds, observers, config, tree.PROPERTIES, apart=True)
        ensemble.extra = config
        made.append(ensemble)
        voters = [n for n in ensemble.ids if n not in observers]
        ensemble.launch(*voters).serving(*voters)
        return ensemble.launch(*observers).serving() if observers else ensemble

    yield start
    for ensemble in made:
        ensemble.end()


def master_of(ensemble, observer):
    """The server that it is connected to, which is never the leader."""
    master = int(ensemble.monitor(observer)["observer_master_id"])
    assert master not in (ensemble.leader(), observer)
    return master


def served(ensemble, number):
    return ensemble.monitor(number).get("synced_observers")


KINDS = [
    pytest.param([O, O, O, O, O], id="ours-on-ours"),
    pytest.param([O, O, O, A, A], id="apache-on-ours"),
    pytest.param([A, A, A, O, O], id="ours-on-apache"),
    pytest.param([A, A, A, A, A], id="apache-on-apache", marks=FULL),  # what the others are compared with
    pytest.param([O, A, O, A, O], id="mixed", marks=FULL),
]


@pytest.mark.parametrize("kinds", KINDS)
def test_clients_of_an_observer_are_served_through_a_follower(begin, connect, kinds):
    ensemble = begin(kinds, (4, 5))
    leader = ensemble.leader()
    assert {master_of(ensemble, n) for n in (4, 5)} <= {1, 2, 3} - {leader}
    followers = [n for n in (1, 2, 3) if n != leader]
    wait.until(lambda: sum(int(served(ensemble, n) or 0) for n in followers) == 2, 10, "both in step")
    assert (ensemble.monitor(leader)["learners"], served(ensemble, leader)) == ("2", "0")
    four, five, other = (connect(ensemble.hosts(n)) for n in (4, 5, leader))
    seen = []
    five.create("/watched", b"")
    five.get("/watched", watch=seen.append)
    four.create("/by-four", b"", ephemeral=True)
    for i in range(50):
        four.set("/watched", b"%d" % i)
        five.sync("/watched")
        assert five.get("/watched")[0] == b"%d" % i
    wait.until(lambda: len(seen) == 1, 10, "the observer's watch")
    results = [client.create_async(f"/{name}-{i}", b"x" * 200)
               for i in range(200) for name, client in (("four", four), ("five", five), ("other", other))]
    for result in results:
        result.get(60)
    with five.transaction() as multi:
        multi.create("/multi")
        multi.set_data("/watched", b"multi")
    # Only pings keep these sessions: they must reach the leader by way of the follower.
    wait.pause(2.5 * TIMEOUT, "more than a session's timeout without a request")
    assert other.exists("/by-four") and four.connected and five.connected
    ensemble.same_trees()
    four.stop()
    wait.until(lambda: other.exists("/by-four") is None, 10, "the end of the observer's session")
    for n in ensemble.ids:
        assert ensemble.monitor(n)["digest_mismatches_count"] == "0", f"server {n}"


@pytest.mark.parametrize("kinds", [
    pytest.param([O, O, O, O], id="ours-on-ours"),
    pytest.param([O, O, O, A], id="apache-on-ours", marks=FULL),
    pytest.param([A, A, A, O], id="ours-on-apache", marks=FULL),
])
def test_an_observer_whose_follower_dies_goes_to_another_one(begin, connect, kinds):
    """Its clients find it again with their sessions, ephemerals and watches."""
    ensemble = begin(kinds, (4,))
    client = connect(ensemble.hosts(4), timeout=20.0)
    client.create("/mine", ephemeral=True)
    seen = []
    client.get("/mine", watch=seen.append)
    session = client.client_id[0]
    master = master_of(ensemble, 4)
    ensemble.members[master].kill()
    rest = [n for n in ensemble.ids if n != master]
    wait.until(lambda: ensemble.mode(4) == "observer" and master_of(ensemble, 4) != master, 40, "another one")
    wait.until(lambda: client.connected, 40, "the client's way back")
    client.retry(client.set, "/mine", b"later")
    assert client.client_id[0] == session
    wait.until(lambda: len(seen) == 1, 10, "the watch")
    ensemble.same_trees(*rest)
    leader = ensemble.leader()
    ensemble.launch(master).serving()
    ensemble.members[leader].kill()  # and now another server leads
    rest = [n for n in ensemble.ids if n != leader]
    wait.until(lambda: ensemble.leader() in rest and ensemble.mode(4) == "observer", 40, "another leader")
    client.retry(client.set, "/mine", b"last")
    assert client.client_id[0] == session
    ensemble.same_trees(*rest)


@pytest.mark.parametrize("kinds", [
    pytest.param([O, O, O, O], id="ours-on-ours"),
    pytest.param([O, O, O, A], id="apache-on-ours", marks=FULL),
    pytest.param([A, A, A, O], id="ours-on-apache", marks=FULL),
])
def test_an_observer_that_was_away_catches_up_at_a_follower(begin, connect, kinds):
    """Few transactions (from memory), many (from the log or by snapshot), everything (an empty directory)."""
    ensemble = begin(kinds, (4,))
    client = connect(ensemble.hosts(1, 2, 3))
    for away, missed in (("few", 40), ("many", 1500), ("wiped", 20)):
        ensemble.members[4].kill()
        client.create(f"/{away}")
        results = [client.create_async(f"/{away}/n{i}", b"z" * 100) for i in range(missed)]
        for result in results:
            result.get(60)
        if away == "wiped":
            shutil.rmtree(ensemble.members[4].directory / "data" / "version-2")
        ensemble.launch(4).serving()
        client.create(f"/{away}/after")
        ensemble.same_trees()
        master_of(ensemble, 4)


def answers(host, port, kind):
    """Whether a server that introduces itself so is told the epoch."""
    info = zk.int64(9) + zk.int32(0x10000) + zk.int64(0)
    with socket.create_connection((host, port), timeout=10) as link:
        link.sendall(packet(kind, 0, info))
        try:
            return len(ports.receive_exactly(link, 24)) == 24  # LEADERINFO
        except OSError:
            return False


def test_a_follower_turns_away_who_is_no_observer_and_follows_without_the_port(begin):
    ensemble = begin([O, O, O], ())
    leader = ensemble.leader()
    one, two = (n for n in ensemble.ids if n != leader)
    port = ensemble.extra["observerMasterPort"]
    wait.until(lambda: answers(f"127.0.0.{one}", port, OBSERVER_INFO), 10, "a port for observers")
    assert not answers(f"127.0.0.{one}", port, FOLLOWER_INFO)
    with pytest.raises(ConnectionRefusedError):
        answers(f"127.0.0.{leader}", port, OBSERVER_INFO)
    ensemble.members[two].stop()
    with socket.create_server((f"127.0.0.{two}", port)):
        ensemble.launch(two).serving()
        assert ensemble.mode(two) == "follower"
        wait.until(lambda: "no observer is served" in ensemble.members[two].log(), 10, "a warning")
