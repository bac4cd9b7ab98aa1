"""Followers, ours and Apache's, look at the digest that a leader of either sends along: one that is wrong
raises their digest_mismatches_count. Between them the test turns a bit of it over on its way."""

import struct

import pytest
from kazoo.client import KazooClient

from support import wait
from support.ensembles import Ensemble
from support.network import Network

PROPOSAL, PING = 2, 5
OPENING = 16  # type, zxid, length of the data
NO_AUTH = 4
LINES = {"ours": "the digest of the tree differs from the leader's", "apache": "Digests are not matching"}


class Changed:
    """Turns a bit in the last byte of every proposal's data, which is the digest's; packets begin anywhere in
    the pieces that come, the first one at the beginning of a piece that is a heartbeat."""

    def __init__(self):
        self.pending, self.begun, self.changed = b"", False, 0

    def __call__(self, piece):
        if not self.begun:
            self.begun = piece.startswith(struct.pack(">i", PING))
            if not self.begun:
                return piece
        self.pending += piece
        out = b""
        while packet := self.next_packet():
            out += packet
        return out

    def next_packet(self):
        if len(self.pending) < OPENING:
            return b""
        kind, _, size = struct.unpack_from(">iqi", self.pending)
        end = OPENING + max(size, 0)
        if len(self.pending) < end + NO_AUTH:
            return b""
        data = bytearray(self.pending[:end])
        if kind == PROPOSAL and size > 0:
            data[-1] ^= 1
            self.changed += 1
        packet, self.pending = bytes(data) + self.pending[end:end + NO_AUTH], self.pending[end + NO_AUTH:]
        return packet


@pytest.mark.parametrize("kinds", (
    pytest.param(("ours", "ours", "ours"), id="ours"),
    pytest.param(("ours", "apache", "apache"), id="ours-of-apache", marks=pytest.mark.full),
    pytest.param(("apache", "ours", "ours"), id="apache-of-ours", marks=pytest.mark.full),
))
def test_a_follower_counts_the_wrong_digests_of_its_leader(tmp_path, kinds):
    """And goes on: the transaction is applied as it was sent."""
    with Network() as network, Ensemble(tmp_path, kinds, network=network) as ensemble:
        leader = ensemble.leader()
        assert leader != 1 and ensemble.kinds[leader] == kinds[1]
        client = KazooClient(ensemble.hosts(leader))
        client.start(20)
        client.create("/right")
        ensemble.same_trees()
        assert mismatches(ensemble, 1) == 0
        change = Changed()
        network.change((leader, 1), change)
        wait.until(lambda: change.begun, 10, "a heartbeat on its way to the follower")
        client.create("/wrong")
        wait.until(lambda: 0 < change.changed == mismatches(ensemble, 1), 10, "the mismatch")
        assert mismatches(ensemble, 2) == mismatches(ensemble, 3) == 0
        line = LINES[kinds[0].split()[0]]
        wait.until(lambda: line in ensemble.members[1].log(), 10, "a line about it")
        client.create("/wrong-again")
        wait.until(lambda: mismatches(ensemble, 1) == change.changed > 1, 10, "the next mismatch")
        assert ensemble.members[1].log().count(line) == 1
        assert ensemble.mode(1) == "follower"
        ensemble.same_trees()
        client.stop()
        client.close()


def mismatches(ensemble, number):
    return int(ensemble.monitor(number)["digest_mismatches_count"])
