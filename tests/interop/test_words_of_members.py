"""What members of an ensemble tell in each role, beside Apache's: the same lines of every word, no value that
Apache's does not have but those named, and every value about the ensemble."""

import re

import pytest
from kazoo.client import KazooClient

from support import ports, wait
from support.ensembles import Ensemble

pytestmark = pytest.mark.full

OWN = {"fsync_threshold_exceed_count", "last_snapshot_zxid", "current_epoch", "election_round",
       "outstanding_proposals"}
SUMS = ("election_time", "unavailable_time", "leader_unavailable_time", "follower_sync_time",
        "observer_sync_time")
ENSEMBLE = {"server_state", "peer_state", "quorum_size", "looking_count", "proposal_count", "commit_count",
            "learner_proposal_received_count", "learner_commit_received_count", "snap_count", "diff_count",
            "revalidate_count",
            *(f"{part}_{name}" for name in SUMS for part in ("avg", "min", "max", "cnt", "sum"))}
OF_ROLE = {"leader": {"learners", "synced_followers", "synced_non_voting_followers", "synced_observers",
                      "pending_syncs", "leader_uptime", "last_proposal_size", "min_proposal_size",
                      "max_proposal_size"},
           "follower": {"synced_observers"}, "observer": {"observer_master_id"}}


def told(kind, directory):
    """{role: ({word: names of its lines}, mntr)} of an ensemble with twelve transactions."""
    config = {"tickTime": 1000, "observerMasterPort": ports.free_port()}
    ensemble = Ensemble(directory, [kind] * 4, (4,), config, apart=True)
    found = {}
    try:
        ensemble.launch(1, 2, 3).serving(1, 2, 3)
        ensemble.launch(4).serving()
        for n in ensemble.ids:
            client = KazooClient(ensemble.hosts(n), timeout=10.0)
            client.start(20)
            client.create(f"/at{n}", b"x")
            client.stop()
            client.close()
        wait.until(lambda: ensemble.monitor(4)["learner_commit_received_count"] == "12", 10, "all of it")
        for n in ensemble.ids:
            member = ensemble.members[n]
            words = {word: [re.split(r"[:=(]", line)[0] for line in member.word(word).splitlines()]
                     for word in ("srvr", "conf", "wchs", "dirs", "isro", "crst")}
            found[ensemble.mode(n)] = (words, ensemble.monitor(n))
    finally:
        ensemble.end()
    return found


def test_members_tell_what_apaches_tell(tmp_path):
    ours, apache = told("ours", tmp_path / "ours"), told("apache", tmp_path / "apache")
    assert sorted(ours) == sorted(apache) == ["follower", "leader", "observer"]
    for role, (words, values) in ours.items():
        their_words, theirs = apache[role]
        assert words == their_words, role
        assert not set(values) - set(theirs) - OWN, role
        expected = ENSEMBLE | OF_ROLE[role]
        assert not expected - set(values) and not expected - set(theirs), role
        for name in ("proposal_count", "commit_count", "learner_proposal_received_count",
                     "learner_commit_received_count", "revalidate_count", "cnt_election_time",
                     "cnt_unavailable_time", "cnt_leader_unavailable_time", "cnt_follower_sync_time",
                     "cnt_observer_sync_time", "quorum_size"):
            assert values[name] == theirs[name], (role, name)
