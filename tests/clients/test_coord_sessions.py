"""Sessions, ephemeral nodes and watches of tandem-coord as kazoo sees them, over loss, restart and expiry."""

import subprocess

import pytest
from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import NoNodeError, NodeExistsError, NotEmptyError
from kazoo.protocol.states import EventType

from support import servers, wait, zk_wire


@pytest.fixture
def client(coord):
    yield from clients(coord.connect, 1)


@pytest.fixture
def pair(coord):
    yield from clients(coord.connect, 2)


def clients(connect, count, **options):
    made = [KazooClient(hosts=connect, timeout=4.0, **options) for _ in range(count)]
    for one in made:
        one.start(15)
    yield made[0] if count == 1 else made
    for one in made:
        one.stop()
        one.close()


def test_a_session_made_after_a_quiet_time_lives_its_whole_timeout(new_coord):
    """A four-letter word, silence for longer than the timeout, then a session: it was once born expired."""
    server = new_coord(config={"tickTime": 200})
    assert server.word("ruok") == "imok"
    wait.pause(2, "longer than the session's timeout")
    link = zk_wire.Link(server.port, 1000)
    assert link.session != 0

    def alive():
        link.ping()
        return zk_wire.header(link.call("exists", zk_wire.watched("/")))[2] == 0

    wait.stays(alive, 3, "the session")
    link.close()


class Events:
    """A watcher that keeps what it was told."""

    def __init__(self):
        self.seen = []

    def __call__(self, event):
        self.seen.append((event.type, event.path))

    def await_these(self, *expected):
        wait.until(lambda: len(self.seen) >= len(expected), 10, f"events {expected}")
        assert self.seen == list(expected)


def test_ephemeral_nodes_go_with_their_session(pair):
    owner, watcher = pair
    owner.create("/e-close", b"x", ephemeral=True)
    events = Events()
    assert watcher.exists("/e-close", watch=events).ephemeralOwner == owner.client_id[0]
    owner.stop()
    events.await_these((EventType.DELETED, "/e-close"))


def test_an_expired_session_loses_its_nodes_and_is_told(new_coord):
    server = new_coord(config={"tickTime": 500})
    first, second = KazooClient(server.connect, timeout=2.0), KazooClient(server.connect, timeout=10.0)
    first.start(15)
    second.start(15)
    try:
        first.create("/expires", ephemeral=True)
        states = []
        first.add_listener(states.append)
        old = first.client_id
        thief = KazooClient(server.connect, timeout=2.0, client_id=old)
        thief.start(15)
        thief.stop()  # closes the session under its owner
        wait.until(lambda: KazooState.LOST in states, 15, "expiry")
        wait.until(lambda: first.connected and first.client_id != old, 15, "a new session")
        assert second.exists("/expires") is None
    finally:
        for one in (first, second):
            one.stop()
            one.close()


def test_a_session_left_silent_expires(new_coord):
    server = new_coord(config={"tickTime": 500})
    for client in clients(server.connect, 1):
        shell = servers.tool("zkCli.sh", "-server", server.connect, "-timeout", 2000)
        subprocess.run([*shell, "create", "-e", "/silent"], check=True, capture_output=True, timeout=30)
        events = Events()
        assert client.exists("/silent", watch=events) is not None  # the shell is gone, its session is not
        events.await_these((EventType.DELETED, "/silent"))


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_session_survives_a_restart_with_its_nodes(new_coord, end):
    server = new_coord()
    for client in clients(server.connect, 1):
        client.create("/kept", b"1")
        client.create("/mine", ephemeral=True)
        session = client.client_id
        getattr(server, end)()
        server.start()
        wait.until(lambda: client.connected, 20, "a new connection")
        assert client.client_id == session
        assert client.exists("/mine").ephemeralOwner == session[0]
        assert client.get("/kept")[0] == b"1"


def test_each_kind_of_watch_hears_what_it_should(pair):
    watcher, writer = pair
    data, exists, children = Events(), Events(), Events()
    writer.create("/k", b"")
    watcher.get("/k", watch=data)
    watcher.get_children("/k", watch=children)
    assert watcher.exists("/k/new", watch=exists) is None
    writer.create("/k/new", b"")
    exists.await_these((EventType.CREATED, "/k/new"))
    children.await_these((EventType.CHILD, "/k"))
    writer.set("/k", b"1")
    data.await_these((EventType.CHANGED, "/k"))
    writer.set("/k", b"2")  # one-shot: nobody hears
    watcher.get_children("/k", watch=children)
    watcher.get("/k", watch=data)
    writer.delete("/k", recursive=True)
    data.await_these((EventType.CHANGED, "/k"), (EventType.DELETED, "/k"))
    children.await_these((EventType.CHILD, "/k"), (EventType.CHILD, "/k"))


def test_an_event_comes_before_the_reply_that_shows_the_change(pair):
    watcher, writer = pair
    writer.create("/order", b"0")
    for number in range(200):
        events = Events()
        watcher.get("/order", watch=events)
        writer.set("/order", b"%d" % (number + 1))
        value, _ = watcher.get("/order")
        assert value == b"%d" % (number + 1)
        wait.until(lambda: events.seen, 5, "the event")  # kazoo's callbacks run on a thread of their own


def test_transactions_are_whole_or_not_at_all(client):
    client.create("/tx", b"")
    transaction = client.transaction()
    transaction.create("/tx/a", b"")
    transaction.set_data("/tx", b"new")
    transaction.check("/tx/a", 0)
    assert [type(result).__name__ for result in transaction.commit()] == ["str", "ZnodeStat", "bool"]
    transaction = client.transaction()
    transaction.create("/tx/b", b"")
    transaction.delete("/tx")
    transaction.create("/tx/c", b"")
    results = transaction.commit()
    assert isinstance(results[1], NotEmptyError)
    assert client.exists("/tx/b") is None and client.exists("/tx/c") is None


def test_errors_are_kazoos_own(client):
    client.create("/err", b"")
    with pytest.raises(NodeExistsError):
        client.create("/err", b"")
    with pytest.raises(NoNodeError):
        client.get("/none")
    with pytest.raises(NoNodeError):
        client.create("/none/child", b"")
    client.create("/err/child", b"")
    with pytest.raises(NotEmptyError):
        client.delete("/err")
