"""Ensembles of Apache's servers and ours: each kind in each role, every way of catching up in both
directions, and a running ensemble replaced server by server, there and back; trees compared node by node."""

import shutil
import signal

import pytest

from support import tree, wait
from support import zk_wire as zk
from support.ensembles import Ensemble
from support.rolling import Rolling

A, O = "apache", "ours"
OLD, OLDER = "apache 3.8.4", "apache 3.5.10"
FULL = pytest.mark.full


@pytest.fixture
def begin(tmp_path):
    """begin(kinds, first, observers=()): an ensemble whose servers `first` were up before the others."""
    made = []

    def start(kinds, first, observers=(), config=None):
        ensemble = Ensemble(tmp_path / f"e{len(made)}", kinds, observers, config, tree.PROPERTIES)
        made.append(ensemble)
        ensemble.launch(*first).serving(*first)
        rest = [n for n in ensemble.ids if n not in first]
        return ensemble.launch(*rest).serving() if rest else ensemble

    yield start
    for ensemble in made:
        ensemble.end()


def no_digest_differs(ensemble):
    for n in ensemble.ids:
        if ensemble.kinds[n] != OLDER:  # has no digests
            assert ensemble.monitor(n).get("digest_mismatches_count") == "0", f"server {n}"


# The servers that are up first elect the one with the larger number.
ROLES = [
    pytest.param([O, A, A], (2, 3), 3, (), id="ours-follows-apache", marks=FULL),
    pytest.param([A, A, O], (1, 3), 3, (), id="ours-leads-apache"),
    # Which of three that start together leads depends on how quickly they do.
    pytest.param([A, A, A, O], (1, 2, 3), None, (4,), id="ours-observes-apache", marks=FULL),
    pytest.param([O, O, O, A], (1, 2, 3), None, (4,), id="apache-observes-ours", marks=FULL),
    *(pytest.param(kinds, first, None if observers else 3, observers,
                   id=f"{name}-{other.split()[1]}", marks=FULL)
      for other in (OLD, OLDER) for name, kinds, first, observers in (
          ("ours-follows", [O, other, other], (2, 3), ()), ("ours-leads", [other, other, O], (1, 3), ()),
          ("ours-observes", [other, other, other, O], (1, 2, 3), (4,)),
          ("observes-ours", [O, O, O, other], (1, 2, 3), (4,)))),
    pytest.param([O, A, O, OLD, OLDER], (1, 2, 3), 3, (), id="five-ours-leads", marks=FULL),
    pytest.param([O, OLDER, A, O, OLD], (1, 2, 3), 3, (), id="five-apache-leads", marks=FULL),
]


@pytest.mark.parametrize("kinds, first, leader, observers", ROLES)
def test_each_kind_in_each_role(begin, connect, kinds, first, leader, observers):
    ensemble = begin(kinds, first, observers)
    assert leader in (None, ensemble.leader())
    owner = tree.fill(ensemble.members[ensemble.ids[0]].port, 600)
    for n in ensemble.ids:
        client = connect(ensemble.hosts(n))
        client.create(f"/at{n}", b"")
        for i in range(30):
            client.set(f"/at{n}", b"%d" % i)
        assert client.get(f"/at{n}")[1].version == 30
        client.create(f"/owned{n}", ephemeral=True)
        with client.transaction() as multi:
            multi.create(f"/at{n}/one")
            multi.delete(f"/at{n}/one")
    ensemble.same_trees()
    owner.call("closeSession")
    ensemble.same_trees()
    no_digest_differs(ensemble)


def write(client, prefix, count, size=100):
    results = [client.create_async(f"{prefix}{i:06d}", b"z" * size) for i in range(count)]
    for result in results:
        result.get(60)


@pytest.mark.full
@pytest.mark.parametrize("leads", [O, A])
def test_a_server_that_was_away_catches_up_whatever_it_missed(begin, connect, leads):
    """Few transactions (from memory), many (from the log or by snapshot), everything (an empty directory)."""
    follows = A if leads == O else O
    ensemble = begin([follows, leads, leads], (2, 3))
    client = connect(ensemble.hosts(2, 3))
    for away, missed in (("few", 40), ("many", 1500), ("wiped", 20)):
        ensemble.members[1].kill()
        client.create(f"/{away}")
        write(client, f"/{away}/n", missed)
        if away == "wiped":
            shutil.rmtree(ensemble.members[1].directory / "data" / "version-2")
        ensemble.launch(1)
        ensemble.serving()
        client.create(f"/{away}/after")
        ensemble.same_trees()
        assert ensemble.leader() in (2, 3)
    no_digest_differs(ensemble)


@pytest.mark.full
@pytest.mark.parametrize("survives", [O, A])
def test_what_only_a_dead_leader_had_is_cut_away_when_it_returns(begin, connect, survives):
    """The leader logs proposals that nobody acknowledges; the others go on without them."""
    other = A if survives == O else O
    ensemble = begin([survives, survives, other], (1, 2, 3))
    leader = ensemble.leader()
    client = connect(ensemble.hosts())
    client.create("/kept")
    rest = [n for n in ensemble.ids if n != leader]
    alone = zk.Link(ensemble.members[leader].port, 20000)
    for n in rest:
        ensemble.members[n].signal(signal.SIGSTOP)  # they take the proposals in and answer nothing
    alone.send_frame(zk.int32(1) + zk.int32(zk.OPS["create"]) + zk.create("/lost"))
    wait.pause(0.5, "the leader logs what the others do not")
    ensemble.members[leader].kill()
    for n in rest:
        ensemble.members[n].kill()
    ensemble.launch(*rest)
    ensemble.serving(*rest)
    client.retry(client.create, "/later")
    ensemble.launch(leader)
    ensemble.serving()
    ensemble.same_trees()


def test_apache_follows_each_of_our_leaders_where_reconfig_is_enabled(begin, connect):
    """The first leader's epoch becomes the version of the configuration, and who knows it follows nobody who
    does not (ZOOKEEPER-1783)."""
    ensemble = begin([A, O, O], (1, 3), config={"reconfigEnabled": "true"})
    assert ensemble.leader() == 3
    ensemble.members[3].kill()
    ensemble.serving(1, 2, timeout=15.0)
    assert ensemble.leader() == 2
    ensemble.launch(3).serving()
    known = {connect(ensemble.hosts(n)).get("/zookeeper/config")[0].splitlines()[-1] for n in ensemble.ids}
    assert known == {b"version=100000000"}


def test_a_running_ensemble_is_replaced_server_by_server_and_put_back(begin):
    ensemble = begin([A, A, A], (1, 2, 3))
    rolling = Rolling(ensemble, tree.PROPERTIES)
    try:
        figures = rolling.through([O, A])
    finally:
        rolling.end()
    assert figures["acknowledged"] > 0
    assert {name: count for name, count in figures.items() if "lost" in name and count} == {}
    no_digest_differs(ensemble)
