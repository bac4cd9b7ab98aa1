"""Four-letter words of members of an ensemble: Apache 3.9.5's lines, and what one says that serves nobody."""

import re
import subprocess

import pytest

from support import ports, servers, wait
from support.ensembles import Ensemble

NOT_SERVING = "This ZooKeeper instance is not currently serving requests\n"


@pytest.fixture
def ensemble(tmp_path):
    with Ensemble(tmp_path, ["ours"] * 4, observers=(4,), config={"tickTime": 500}) as made:
        yield made


def test_each_member_tells_its_role_and_the_ensemble(ensemble, tmp_path):
    leader = ensemble.leader()
    assert ensemble.mode(4) == "observer"
    for n in ensemble.ids:
        member, (_, learner_port, election_port) = ensemble.members[n], ensemble.addresses[n]
        assert member.word("isro") == "rw"
        conf = member.word("conf")
        assert f"serverId={n}\ninitLimit=10\nsyncLimit=5\nelectionAlg=3\nelectionPort={election_port}\n" \
               f"quorumPort={learner_port}\npeerType={1 if n == 4 else 0}\nmembership: \n" in conf
        lines = conf.split("membership: \n")[1].split("\n")
        assert lines[:4] == [
            f"server.{i}={ports.HOST}:{q}:{e}:{'observer' if i == 4 else 'participant'}"
            for i, (_, q, e) in ensemble.addresses.items()]
        assert re.fullmatch(r"version=[0-9a-f]+", lines[4]) and len(lines) == 5
        srvr = member.word("srvr")
        assert ("Proposal sizes last/min/max: " in srvr) == (n == leader)
        dump = member.word("dump")
        sessions = "Session Sets (" if n == leader else "Global Sessions("
        assert dump.startswith("SessionTracker dump:\n" + sessions)
        values = ensemble.monitor(n)
        role = ensemble.mode(n)
        assert values["server_state"] == role and values["quorum_size"] == "3"
        assert values["peer_state"] == {"leader": "leading", "follower": "following",
                                        "observer": "observing"}[role] + " - broadcast"
        assert ("learners" in values) == (n == leader)
    assert ensemble.monitor(4)["observer_master_id"] == str(leader)
    wait.until(lambda: ensemble.monitor(leader)["synced_observers"] == "1", 10, "an observer in step")
    values = ensemble.monitor(leader)
    assert (values["learners"], values["synced_followers"], values["pending_syncs"]) == ("3", "2", "0")
    assert int(values["leader_uptime"]) > 0
    sizes = [values[f"{which}_proposal_size"] for which in ("last", "min", "max")]
    assert f"Proposal sizes last/min/max: {'/'.join(sizes)}\n" in ensemble.members[leader].word("srvr")


def test_a_member_without_a_leader_says_that_it_serves_nobody(ensemble):
    alone = ensemble.leader()
    for n in (1, 2, 3):
        if n != alone:
            ensemble.members[n].kill()
    member = ensemble.members[alone]
    wait.until(lambda: member.word("srvr") == NOT_SERVING, 20, "a leader that has stepped down")
    for word in ("stat", "conf", "mntr", "dump", "cons", "dirs", "crst", "srst", "wchs", "wchp"):
        assert member.word(word) == NOT_SERVING, word
    assert member.word("isro") == "null"
    assert member.word("ruok") == "imok"
    assert member.word("gtmk") == "306"


def test_zkserver_status_tells_the_role(ensemble):
    for n in ensemble.ids:
        member = ensemble.members[n]
        config = next(member.directory.glob("*.cfg"))
        done = subprocess.run(servers.tool("zkServer.sh", "status", config), capture_output=True, text=True,
                              timeout=60)
        assert f"Mode: {ensemble.mode(n)}\n" in done.stdout, done
