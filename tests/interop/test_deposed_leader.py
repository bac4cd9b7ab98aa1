"""A leader that others have replaced and that does not know it yet: what it is asked to read may be old, but
a sync that comes to it, from its own client or through a follower that stayed with it, is not answered."""

import pytest

from support import wait
from support.ensembles import Ensemble
from support.network import Network
from support.zk_wire import OPS, Closed, Link, buffer, create, header, int32, set_data, watched

A, O = "apache", "ours"
# Without heartbeats it takes a minute of silence until a leader gives up.
SLOW = {"tickTime": 2000, "syncLimit": 30, "tandem.heartbeatTimeout": 0}


class Deposed:
    """`old` leads; what `stays` with it is cut off from the others, who are killed, start again and elect."""

    def __init__(self, directory, network, kinds, stays, config):
        self.network = network
        self.ensemble = Ensemble(directory, kinds, config={**SLOW, **config}, network=network)
        self.old = max(stays)
        self.others = [n for n in self.ensemble.ids if n not in stays]
        first = sorted({*stays, *self.others[:len(kinds) // 2 + 1 - len(stays)]})
        self.ensemble.launch(*first).serving(*first, timeout=60)  # the largest of a bare majority leads
        self.ensemble.launch(*[n for n in self.ensemble.ids if n not in first]).serving(timeout=60)
        assert self.ensemble.leader() == self.old
        self.ways = [way for a in stays for b in self.others for way in ((a, b), (b, a))]

    def link(self, number):
        return Link(self.ensemble.addresses[number][0])

    def depose(self):
        self.network.part(*self.ways)
        for n in self.others:
            self.ensemble.members[n].kill()
        self.ensemble.launch(*self.others)
        wait.until(lambda: "leader" in map(self.ensemble.mode, self.others), 50, "another leader")
        assert self.ensemble.mode(self.old) == "leader", "the old one shall not know yet"

    def write(self, value):
        number = next(n for n in self.others if self.ensemble.mode(n) == "leader")
        link = self.link(number)
        assert header(link.call("setData", set_data("/v", value)))[2] == 0
        link.close()


def read(link):
    return link.call("getData", watched("/v"))[20:23]


@pytest.fixture
def depose(tmp_path):
    made = []
    with Network() as network:
        def begin(kinds, stays, **config):
            made.append(Deposed(tmp_path, network, kinds, stays, config))
            return made[0]

        yield begin
        for each in made:
            each.ensemble.end()


@pytest.mark.parametrize("kinds, stays", [
    pytest.param([O, O, O], (3,), id="ours"),
    pytest.param([A, A, O], (3,), id="against-apache", marks=pytest.mark.full),
    pytest.param([A, O, O, O, O], (1, 5), id="through-apache", marks=pytest.mark.full),
])
def test_a_sync_behind_a_deposed_leader_is_not_answered(depose, kinds, stays):
    deposed = depose(kinds, stays)
    link = deposed.link(min(stays))
    assert header(link.call("create", create("/v", b"old")))[2] == 0
    deposed.ensemble.same_trees()
    deposed.depose()
    deposed.write(b"new")
    assert read(link) == b"old"  # nothing is promised without a sync
    link.send_frame(int32(7) + int32(OPS["sync"]) + buffer("/v"))
    link.socket.settimeout(3)
    with pytest.raises(Closed):
        link.receive_frame()
    assert deposed.ensemble.mode(deposed.old) == "leader"
    deposed.network.heal()
    link.socket.settimeout(60)
    with pytest.raises(Closed):
        link.receive_frame()
    deposed.ensemble.serving(timeout=60)
    link = deposed.link(min(stays))
    link.call("sync", buffer("/v"))
    assert read(link) == b"new"
    deposed.ensemble.same_trees()


def test_the_same_sync_is_answered_when_nobody_is_to_be_asked(depose):
    """Apache's way; it shows that the leader above would have answered."""
    deposed = depose([O, O, O], (3,), **{"tandem.sync.quorumVerified": "false"})
    link = deposed.link(3)
    assert header(link.call("create", create("/v", b"old")))[2] == 0
    deposed.depose()
    deposed.write(b"new")
    assert header(link.call("sync", buffer("/v")))[2] == 0
    assert read(link) == b"old"
