"""How a member of an ensemble starts or refuses to: the exit code of each refusal, one sentence about it, and
who may begin a new database. Apache's server is asked the same."""

import shutil
import socket

import pytest

from support import ports, wait
from support.ensembles import Ensemble

A, O = "apache", "ours"
KINDS = [pytest.param(O, id="ours"), pytest.param(A, id="apache", marks=pytest.mark.full)]
INVALID, UNEXPECTED, DATA_DIR, ELECTION_PORT = 2, 1, 3, 14


def without_myid(ensemble):
    (ensemble.data[1] / "myid").unlink()


def with_myid(text):
    return lambda ensemble: (ensemble.data[1] / "myid").write_text(text)


def with_lines(*lines):
    """Lines of zoo.cfg in place of those with the same keys; None takes a line away."""
    def change(ensemble):
        config = ensemble.members[1].config
        keys = {line.split("=")[0] for line in lines}
        kept = [line for line in config.read_text().splitlines() if line.split("=")[0] not in keys]
        config.write_text("\n".join(kept + [line for line in lines if "=" in line]) + "\n")
    return change


def with_a_taken(port_of):
    def change(ensemble):
        ensemble.taken = socket.create_server((ports.HOST, ensemble.addresses[1][port_of]))
    return change


def with_a_file_for_a_directory(ensemble):
    (ensemble.data[1] / "version-2").write_text("")


# What is wrong, what ours says of it in a line, the exit code of both.
REFUSALS = [
    pytest.param(without_myid, "myid is missing", INVALID, id="no-myid"),
    pytest.param(with_myid("one\n"), "serverid 'one' is not a number", INVALID, id="myid-no-number"),
    pytest.param(with_myid("9\n"), "my id 9 (from myid) is not in the list", UNEXPECTED, id="not-listed"),
    pytest.param(with_lines("server.2=127.0.0.1:2888"), "server.2=127.0.0.1:2888", INVALID, id="one-port"),
    pytest.param(with_lines("server.2=127.0.0.1:28x8:3888"), "'28x8' is not a port", INVALID, id="no-port"),
    pytest.param(with_lines("server.2=127.0.0.1:2888:3888:voter"), "'voter'", INVALID, id="no-role"),
    pytest.param(with_lines("server.2=127.0.0.1:1:2|127.0.0.2:1:2"), "multiAddress.enabled", INVALID,
                 id="several-addresses"),
    pytest.param(with_lines("server.1=127.0.0.1:1:2:observer", "server.2=127.0.0.1:1:2:observer",
                            "server.3=127.0.0.1:1:2:observer"), "no participants", INVALID,
                 id="observers-only"),
    pytest.param(with_lines("group.1=1:2", "group.2=2:3"), "in more than one group", INVALID,
                 id="two-groups"),
    pytest.param(with_lines("group.1=1:2"), "server 3 is not in a group", INVALID, id="no-group"),
    pytest.param(with_lines("initLimit"), "initLimit is not set", INVALID, id="no-initLimit"),
    pytest.param(with_lines("syncLimit"), "syncLimit is not set", INVALID, id="no-syncLimit"),
    pytest.param(with_lines("electionAlg=2"), "electionAlg", INVALID, id="electionAlg"),
    pytest.param(with_lines("peerType=voter"), "peerType", INVALID, id="peerType"),
    pytest.param(with_lines("dataDir"), "dataDir is not set", INVALID, id="no-dataDir"),
    pytest.param(with_lines("dynamicConfigFile=/nowhere/zoo.cfg.dynamic"), "dynamicConfigFile", INVALID,
                 id="server-lines-beside-a-dynamic-file"),
    pytest.param(with_a_taken(0), "in use", UNEXPECTED, id="client-port-taken"),
    pytest.param(with_a_taken(2), "in use", ELECTION_PORT, id="election-port-taken"),
    pytest.param(with_a_file_for_a_directory, "is not a directory", None, id="no-directory"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change, sentence, code", REFUSALS)
def test_what_makes_no_member_ends_the_start(tmp_path, kind, change, sentence, code):
    ensemble = Ensemble(tmp_path, [kind] * 3, config={"tickTime": 500},
                        properties={"zookeeper.electionPortBindRetry": 1})
    ensemble.taken = None
    change(ensemble)
    member = ensemble.members[1]
    try:
        member.launch()
        ended = member.wait(60)
    finally:
        ensemble.end()
        if ensemble.taken:
            ensemble.taken.close()
    log = member.log()
    assert ended == code or (code is None and ended != 0), log[-3000:]
    if kind == O:
        said = [line for line in log.splitlines() if sentence in line]
        assert len([line for line in said if " ERROR " in line or " FATAL " in line]) == 1, log


@pytest.mark.parametrize("kind", KINDS)
def test_only_servers_that_are_told_begin_a_database(tmp_path, kind):
    """zookeeper.db.autocreate=false: a wiped server cannot outvote those with a history; `initialize` says
    that a server is new."""
    ensemble = Ensemble(tmp_path, [kind] * 3, config={"tickTime": 500, "initLimit": 20},
                        properties={"zookeeper.db.autocreate": "false"})
    try:
        ensemble.launch(1, 2)
        wait.stays(lambda: ensemble.mode(1) is None and ensemble.mode(2) is None, 6, "no leader")
        for n in (1, 2):
            ensemble.members[n].kill()
            if kind == A:  # what its first start left cannot be started with
                shutil.rmtree(ensemble.data[n] / "version-2")
            (ensemble.data[n] / "initialize").touch()
        ensemble.launch(1, 2).serving(1, 2)
        assert not any((ensemble.data[n] / "initialize").exists() for n in (1, 2))
        ensemble.launch(3).serving()  # has the largest number and no vote
        assert ensemble.leader() in (1, 2)
        ensemble.same_trees()
    finally:
        ensemble.end()


def test_a_leader_whose_learner_port_is_taken_looks_for_a_leader_again(tmp_path):
    ensemble = Ensemble(tmp_path, [O] * 3, config={"tickTime": 500})
    taken = [socket.create_server((ports.HOST, learner)) for _, learner, _ in ensemble.addresses.values()]
    try:
        ensemble.launch()
        wait.until(lambda: any("no longer leading: cannot listen for learners" in each.log()
                               and each.log().count("LOOKING: ") > 1 for each in ensemble.members.values()),
                   20, "a leader that gives up")
        assert all(each.running for each in ensemble.members.values()) and ensemble.leader() is None
        for each in taken:
            each.close()
        ensemble.serving()
    finally:
        ensemble.end()
        for each in taken:
            each.close()
