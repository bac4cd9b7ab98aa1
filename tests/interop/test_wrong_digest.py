"""The digest that our leader sends along is looked at by Apache's followers: one that is wrong raises their
digest_mismatches_count. Between them the test turns a bit of it over on its way."""

import struct

import pytest
from kazoo.client import KazooClient

from support import wait
from support.ensembles import Ensemble
from support.network import Network

PROPOSAL, PING = 2, 5
OPENING = 16  # type, zxid, length of the data
NO_AUTH = 4


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


@pytest.mark.full
def test_a_wrong_digest_of_our_leader_is_noticed_by_apache(tmp_path):
    with Network() as network:
        ensemble = Ensemble(tmp_path, ["apache", "ours", "ours"], network=network)
        with ensemble:
            leader = ensemble.leader()
            assert ensemble.kinds[leader] == "ours"
            client = KazooClient(ensemble.hosts(leader))
            client.start(20)
            client.create("/right")
            client.sync("/")
            assert ensemble.monitor(1)["digest_mismatches_count"] == "0"
            change = Changed()
            network.change((leader, 1), change)
            wait.until(lambda: change.begun, 10, "a heartbeat on its way to Apache's server")
            client.create("/wrong")
            wait.until(lambda: int(ensemble.monitor(1)["digest_mismatches_count"]) > 0, 10, "the mismatch")
            assert change.changed > 0
            client.stop()
            client.close()
