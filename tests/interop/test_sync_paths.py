"""How a learner is brought up to date, with Apache's server on one side and ours on the other: each path is
forced, the learner's log tells that it was taken, and the trees are compared node by node."""

import shutil

import pytest

from support import tree, txnlog, wait, zk_wire
from support.ensembles import Ensemble

# What either learner writes about each path.
APACHE_SAYS = {"diff": "Getting a diff from the leader", "trunc": "Truncating log to get in sync",
               "snap": "Getting a snapshot from leader"}
OURS_SAYS = {"diff": "synchronized by DIFF", "trunc": "synchronized by TRUNC", "snap": "synchronized by SNAP"}
OLD, OLDER = "apache 3.8.4", "apache 3.5.10"  # the older one has no digests
LEARNER = 3
LEADER = 2
SESSION_MS = 600000  # the writing session sends nothing while a learner joins
PROPERTIES = {**tree.PROPERTIES, "zookeeper.snapshotSizeFactor": "1000000"}  # the log before a snapshot


class Stage:
    """Servers 1 and 2 of one kind, of which 2 leads; server 3, of the other kind, comes and goes."""

    def __init__(self, directory, others, learner, observer):
        observers = (LEARNER,) if observer else ()
        self.ensemble = Ensemble(directory, [others, others, learner], observers=observers,
                                 config={"tickTime": 1000, "preAllocSize": 64,
                                         "maxSessionTimeout": SESSION_MS}, properties=PROPERTIES)
        self.learner = self.ensemble.members[LEARNER]
        self.says = OURS_SAYS if learner == "ours" else APACHE_SAYS
        self.digests = [n for n, kind in self.ensemble.kinds.items() if kind != OLDER]
        self.ensemble.launch(1, LEADER)
        self.ensemble.serving(1, LEADER, timeout=60)
        assert self.ensemble.leader() == LEADER
        self.link = tree.super_link(self.ensemble.members[1].port, SESSION_MS)
        self.count = 0

    def write(self, count):
        first, self.count = self.count, self.count + count
        paths = [f"/n{i:05}" for i in range(first, self.count)]
        tree.must(self.link, [("create", zk_wire.create(path, path.encode())) for path in paths])

    def said(self):
        return {path: self.learner.log().count(line) for path, line in self.says.items()}

    def join(self, path):
        """Starts the learner and waits until it holds the leader's tree, which came by this path."""
        before = self.said()
        self.learner.launch()
        self.ensemble.serving(LEARNER, timeout=60)
        self.ensemble.same_trees(1, LEADER, LEARNER, timeout=30)
        taken = [each for each, count in self.said().items() if count != before[each]]
        assert taken == [path], f"{taken} instead of {path}"
        for number in self.digests:
            assert self.ensemble.monitor(number).get("digest_mismatches_count") == "0"

    def live(self):
        """What is written from now on, at any of them, reaches all."""
        self.write(20)
        with_learner = tree.super_link(self.learner.port)
        tree.must(with_learner, [("create", zk_wire.create(f"/at-learner{self.count}", b"x"))])
        with_learner.close()
        self.ensemble.same_trees(1, LEADER, LEARNER, timeout=30)


@pytest.mark.parametrize("others, learner, observer", [
    ("apache", "ours", False), ("ours", "apache", False), ("apache", "ours", True), ("ours", "apache", True),
    *(pytest.param(*kinds, False, marks=pytest.mark.full)
      for old in (OLD, OLDER) for kinds in ((old, "ours"), ("ours", old)))])
def test_every_path_brings_a_learner_to_the_leaders_tree(tmp_path, others, learner, observer):
    stage = Stage(tmp_path, others, learner, observer)
    try:
        stage.write(30)
        stage.join("snap")  # a new server
        stage.live()

        stage.learner.kill()
        stage.write(5)
        stage.join("diff")  # from memory
        stage.live()

        stage.learner.kill()
        stage.write(900)
        stage.join("diff")  # from the log, more than memory keeps
        stage.live()

        if not observer:
            stage.learner.kill()
            txnlog.append_lost_transactions(stage.learner.directory, count=2)
            stage.join("trunc")
            stage.live()

        stage.learner.kill()
        shutil.rmtree(stage.learner.directory / "data" / "version-2")
        stage.write(3)
        stage.join("snap")
        stage.live()
        wait.stays(lambda: stage.ensemble.leader() == LEADER, 1, "the leader")
    finally:
        stage.ensemble.end()
