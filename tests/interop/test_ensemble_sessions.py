"""Sessions in an ensemble, byte by byte: what moves between servers, and what does not. The same on ours, on
Apache's and on a mixed ensemble."""

import struct
import time

import pytest

from support import wait, zk_wire
from support.ensembles import Ensemble
from support.zk_wire import Closed, Link, header

TICK = {"tickTime": 500}
KINDS = {"ours": ["ours"] * 3, "apache": ["apache"] * 3, "mixed": ["apache", "ours", "ours"],
         "theirs": ["ours", "apache", "apache"]}


@pytest.fixture(params=["ours", *(pytest.param(kind, marks=pytest.mark.full) for kind in list(KINDS)[1:])])
def ensemble(request, tmp_path):
    with Ensemble(tmp_path, KINDS[request.param], config=TICK) as made:
        yield made


def followers(ensemble):
    leader = ensemble.leader()
    return [n for n in ensemble.ids if n != leader]


def link(ensemble, number, **options):
    return Link(ensemble.addresses[number][0], **options)


def event_of(frame):
    """(type, path) of a notification."""
    kind, _, size = struct.unpack_from(">iii", frame, 16)
    return kind, frame[28:28 + size].decode()


def call(client, operation, body):
    return header(client.call(operation, body))[2]


def test_a_session_with_ephemeral_and_watch_survives_its_server(ensemble):
    here, there = followers(ensemble)
    first = link(ensemble, here)
    assert call(first, "create", zk_wire.create("/w", b"1")) == 0
    assert call(first, "create", zk_wire.create("/e", b"", flags=1)) == 0
    seen = header(first.call("getData", zk_wire.watched("/w", True)))[1]
    ensemble.members[here].kill()
    writer = link(ensemble, ensemble.leader())
    assert call(writer, "setData", zk_wire.set_data("/w", b"2")) == 0

    second = link(ensemble, there, session=first.session, password=first.password, last_zxid=seen)
    assert second.session == first.session
    none = []
    assert header(second.call("setWatches2", zk_wire.set_watches(seen, ["/w"], none, none, none, none),
                              xid=zk_wire.XID_SET_WATCHES))[2] == 0
    second.call("sync", zk_wire.buffer("/w"))
    if not second.events:  # the server was behind: the watch was set, and has fired by now
        second.ping()
    assert [event_of(frame) for frame in second.take_events()] == [(3, "/w")]
    assert call(second, "getData", zk_wire.watched("/w", True)) == 0
    assert call(second, "exists", zk_wire.watched("/e")) == 0
    assert call(writer, "delete", zk_wire.versioned("/w")) == 0
    second.call("sync", zk_wire.buffer("/w"))
    assert [event_of(frame) for frame in second.take_events()] == [(2, "/w")]
    assert call(second, "closeSession", b"") == 0
    writer.call("sync", zk_wire.buffer("/e"))
    assert call(writer, "exists", zk_wire.watched("/e")) == -101


def test_a_session_that_moved_is_not_served_where_it_was(ensemble):
    here, there = followers(ensemble)
    first = link(ensemble, here)
    assert call(first, "create", zk_wire.create("/moved", b"1")) == 0
    second = link(ensemble, there, session=first.session, password=first.password)
    assert second.session == first.session
    with pytest.raises(Closed):
        first.call("setData", zk_wire.set_data("/moved", b"stale"))
    assert call(second, "setData", zk_wire.set_data("/moved", b"new", 0)) == 0
    third = link(ensemble, ensemble.leader(), session=first.session, password=first.password)
    assert call(third, "setData", zk_wire.set_data("/moved", b"newer", 1)) == 0
    with pytest.raises(Closed):
        second.call("setData", zk_wire.set_data("/moved", b"stale"))


def test_a_silent_session_expires_everywhere_and_one_that_pings_a_follower_does_not(ensemble):
    here, there = followers(ensemble)
    silent, alive = link(ensemble, here, timeout_ms=1000), link(ensemble, there, timeout_ms=1000)
    for number, client in enumerate((silent, alive)):
        assert call(client, "create", zk_wire.create(f"/e{number}", b"", flags=1)) == 0
    started = time.monotonic()

    def gone():
        alive.ping()
        return call(alive, "exists", zk_wire.watched("/e0")) == -101
    wait.until(gone, 20, "the end of the silent session", interval=0.1)
    assert time.monotonic() - started > 0.9
    for _ in range(20):
        alive.ping()
        wait.pause(0.1, "in all longer than its timeout")
    assert call(alive, "exists", zk_wire.watched("/e1")) == 0
    with pytest.raises(Closed):
        silent.receive_frame()
    late = link(ensemble, ensemble.leader(), session=silent.session, password=silent.password)
    assert (late.timeout_ms, late.session) == (0, 0)


def test_a_client_that_has_seen_more_is_sent_on_and_a_wrong_password_gets_nothing(ensemble):
    here = followers(ensemble)[0]
    client = link(ensemble, here)
    with pytest.raises(Closed):
        link(ensemble, here, last_zxid=1 << 40)
    assert link(ensemble, here, session=client.session, password=b"x" * 16).timeout_ms == 0
    if ensemble.kinds[here] == "ours":  # Apache's closes the session's connection, whatever the password
        assert client.ping()
    assert link(ensemble, here, session=client.session, password=client.password).session == client.session


def test_a_request_that_does_not_parse_is_refused_at_its_server_and_holds_up_nobody(tmp_path):
    with Ensemble(tmp_path, KINDS["ours"], config=TICK) as ensemble:
        here = followers(ensemble)[0]
        broken, other = link(ensemble, here), link(ensemble, here)
        before = header(other.call("setData", zk_wire.set_data("/none")))[1]
        assert call(broken, "setData", b"\x7f") == -5
        assert call(broken, "multi", b"\1") == -5
        assert call(broken, "create", zk_wire.create("/after")) == 0
        assert header(other.call("setData", zk_wire.set_data("/none")))[1] == before + 2


def test_a_local_session_costs_no_transaction_until_it_wants_an_ephemeral(tmp_path):
    config = {**TICK, "localSessionsEnabled": "true", "localSessionsUpgradingEnabled": "true"}
    with Ensemble(tmp_path, KINDS["ours"], config=config) as ensemble:
        here, there = followers(ensemble)
        first = link(ensemble, here)
        zxid = header(first.call("create", zk_wire.create("/a")))[1]
        assert zxid & 0xffffffff == 1
        assert link(ensemble, there, session=first.session, password=first.password).timeout_ms == 0
        assert ensemble.monitor(here)["local_sessions"] == "1"
        assert header(first.call("create", zk_wire.create("/e", flags=1)))[1:] == (zxid + 2, 0)
        second = link(ensemble, there, session=first.session, password=first.password)
        assert second.session == first.session
        leading = link(ensemble, ensemble.leader())
        assert call(leading, "create", zk_wire.create("/of-leader", flags=1)) == 0
        assert call(leading, "closeSession", b"") == 0
        assert call(second, "sync", zk_wire.buffer("/")) == 0
        assert call(second, "exists", zk_wire.watched("/of-leader")) == -101
