"""Three of our servers as an ensemble, as kazoo's clients see them: every server answers alike, leaders come
and go, nothing that was acknowledged is lost."""

import threading

import pytest

from support import wait
from support.creator import Creator
from support.ensembles import Ensemble


@pytest.fixture
def ensemble(tmp_path):
    with Ensemble(tmp_path, ["ours"] * 3, config={"tickTime": 500}) as made:
        yield made


@pytest.fixture
def connect(connect):
    return lambda hosts, **options: connect(hosts, 10.0, **options)


def test_each_server_takes_writes_and_all_answer_alike(ensemble, connect):
    assert sorted(ensemble.modes().values()) == ["follower", "follower", "leader"]
    for n in ensemble.ids:
        client = connect(ensemble.hosts(n))
        client.create(f"/at{n}", b"first")
        for i in range(20):
            client.set(f"/at{n}", b"%d" % i)
        assert client.get(f"/at{n}")[1].version == 20, "a client sees its own writes"
        client.create(f"/ephemeral{n}", ephemeral=True)
    for n in ensemble.ids:
        client = connect(ensemble.hosts(n))
        client.sync("/")
        assert client.get_children("/") == connect(ensemble.hosts()).get_children("/")
        assert {f"at{n}" for n in ensemble.ids} <= set(client.get_children("/"))
    ensemble.same_trees()
    assert all(ensemble.monitor(n).get("digest_mismatches_count") == "0" for n in ensemble.ids)


def test_a_watch_at_one_server_hears_of_a_write_at_another(ensemble, connect):
    watching, writing = connect(ensemble.hosts(1)), connect(ensemble.hosts(3))
    heard = threading.Event()
    watching.exists("/watched", watch=lambda event: heard.set())
    writing.create("/watched")
    assert heard.wait(10)
    watching.sync("/watched")
    assert watching.exists("/watched")


def test_sessions_and_their_nodes_survive_the_loss_of_the_leader(ensemble, connect):
    clients = [connect(ensemble.hosts(n) + "," + ensemble.hosts()) for n in ensemble.ids]
    sessions = [client.client_id[0] for client in clients]
    for i, client in enumerate(clients):
        client.create(f"/owned{i}", b"", ephemeral=True)
    leader = ensemble.leader()
    ensemble.members[leader].kill()
    rest = [n for n in ensemble.ids if n != leader]
    wait.until(lambda: ensemble.leader() in rest, 15, "a new leader")
    for i, client in enumerate(clients):
        client.retry(client.create, f"/after{i}")
    assert [client.client_id[0] for client in clients] == sessions, "no session was lost"
    assert all(clients[0].exists(f"/owned{i}") for i in range(3))
    ensemble.launch(leader)
    ensemble.serving()
    ensemble.same_trees()


def test_nothing_acknowledged_is_lost_when_leaders_and_then_all_are_killed(ensemble, connect):
    client = connect(ensemble.hosts())
    client.create("/load")
    writer = Creator(client, "/load/n")
    writer.start()
    for _ in range(3):
        writer.more(50)
        leader = ensemble.leader()
        ensemble.members[leader].kill()
        wait.until(lambda: ensemble.leader() not in (None, leader), 20, "another leader")
        ensemble.launch(leader)
        ensemble.serving()
    writer.more(50)
    writer.end()
    for n in ensemble.ids:
        ensemble.members[n].kill()
    ensemble.start()
    reader = connect(ensemble.hosts())
    kept = {f"/load/{name}" for name in reader.get_children("/load")}
    assert not set(writer.acknowledged) - kept
    ensemble.same_trees()


def test_a_server_with_a_wiped_directory_gets_everything_from_the_leader(ensemble, connect):
    client = connect(ensemble.hosts())
    client.create("/big")
    for i in range(1200):
        client.create_async(f"/big/n{i:05d}", b"y" * 500)
    client.sync("/big")
    follower = next(n for n in ensemble.ids if n != ensemble.leader())
    ensemble.members[follower].kill()
    for path in (ensemble.members[follower].directory / "data" / "version-2").iterdir():
        path.unlink()
    ensemble.launch(follower)
    ensemble.serving()
    ensemble.same_trees()


def test_an_observer_serves_without_a_vote(tmp_path, connect):
    with Ensemble(tmp_path, ["ours"] * 4, observers=[4], config={"tickTime": 500}) as ensemble:
        assert ensemble.mode(4) == "observer"
        client = connect(ensemble.hosts(4))
        client.create("/observed", b"1")
        assert client.get("/observed")[0] == b"1"
        ensemble.same_trees()
        followers = [n for n in (1, 2, 3) if ensemble.mode(n) == "follower"]
        for n in followers:
            ensemble.members[n].kill()
        wait.until(lambda: ensemble.leader() is None, 20, "a leader that steps down without a quorum")


def test_servers_stop_in_order_and_with_exit_code_zero(ensemble):
    assert [ensemble.members[n].stop() for n in ensemble.ids] == [0, 0, 0]
