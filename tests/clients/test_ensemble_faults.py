"""Ensembles of real processes under faults, with the history that clients saw of it checked afterwards:
servers cut off in either direction, stopped, killed and killed again while they recover, slow disks."""

import contextlib
import os
import random
import signal
import subprocess
import time

import pytest

from support import wait, zk_wire
from support.ensembles import Ensemble
from support.history import History
from support.history_client import Client
from support.network import Network

KEYS = [f"/k{i}" for i in range(5)]
CLIENTS = 8
WRITES_PER_SECOND_MIN = 100


@contextlib.contextmanager
def slow_disk(member, milliseconds=200):
    command = ["strace", "-f", "-q", "-p", str(member.pid), "-e", "trace=fdatasync",
               "-e", f"inject=fdatasync:delay_enter={milliseconds * 1000}", "-o", os.devnull]
    tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        tracer.terminate()
        tracer.wait(20)


class Faults:
    """Each fault lasts a moment; afterwards all must serve again by themselves."""

    def __init__(self, ensemble, network, seed):
        self.ensemble, self.network, self.random = ensemble, network, random.Random(seed)
        self.fired = []
        self.all = [self.leader_cut_off, self.follower_cut_off, self.leader_not_heard, self.leader_deaf,
                    self.bridge, self.leader_stopped, self.follower_stopped, self.leader_killed,
                    self.killed_again_and_again, self.all_killed, self.slow_disk]

    def leader(self):
        return wait.until(self.ensemble.leader, 40, "a leader")

    def follower(self):
        leader = self.leader()
        return self.random.choice([n for n in self.ensemble.ids if n != leader])

    def moment(self, why, least=0.5, most=3.0):
        wait.pause(self.random.uniform(least, most), why)

    def partition(self, *ways):
        self.network.part(*ways)
        self.moment("the partition")
        self.network.heal()

    def ways(self, number):
        return [(number, n) for n in self.ensemble.ids if n != number]

    def leader_cut_off(self):
        ways = self.ways(self.leader())
        self.partition(*ways, *(way[::-1] for way in ways))

    def follower_cut_off(self):
        ways = self.ways(self.follower())
        self.partition(*ways, *(way[::-1] for way in ways))

    def leader_not_heard(self):
        self.partition(*self.ways(self.leader()))

    def leader_deaf(self):
        self.partition(*(way[::-1] for way in self.ways(self.leader())))

    def bridge(self):
        """One sees all the others, who do not see each other."""
        middle = self.random.choice(self.ensemble.ids)
        rest = [n for n in self.ensemble.ids if n != middle]
        self.partition(*((a, b) for a in rest for b in rest if a != b))

    def stopped(self, number):
        self.ensemble.members[number].signal(signal.SIGSTOP)
        self.moment("the pause of a process")
        self.ensemble.members[number].signal(signal.SIGCONT)

    def leader_stopped(self):
        self.stopped(self.leader())

    def follower_stopped(self):
        self.stopped(self.follower())

    def leader_killed(self):
        leader = self.leader()
        self.ensemble.members[leader].kill()
        self.moment("the absence", 0.0, 1.5)
        self.ensemble.launch(leader)

    def killed_again_and_again(self):
        number = self.random.choice(self.ensemble.ids)
        for _ in range(5):
            self.ensemble.members[number].kill()
            self.ensemble.launch(number)
            self.moment("its recovery", 0.0, 0.4)

    def all_killed(self):
        for n in self.ensemble.ids:
            self.ensemble.members[n].kill()
        self.ensemble.launch()

    def slow_disk(self):
        with slow_disk(self.ensemble.members[self.random.choice(self.ensemble.ids)]):
            self.moment("the slow disk", 1.5, 3.0)

    def fire(self, fault):
        self.fired.append(fault.__name__)
        fault()
        self.ensemble.serving(timeout=60)


def create_keys(ensemble):
    session = zk_wire.Session(ensemble.addresses[1][0])
    for key in KEYS:
        assert session.create(key, b"") == 0
    session.close()


def more_writes(clients, what):
    before = sum(client.written for client in clients)
    wait.until(lambda: sum(client.written for client in clients) > before + 50, 40, what)


def judge(clients, history, faults, seed):
    answered = sum(1 for write in history.writes if write.zxid)
    expired = sum(client.expired for client in clients)
    print(f"\nseed {seed}: {len(faults)} faults, {len(history.writes)} writes, {answered} of them "
          f"answered, {len(history.reads)} reads, {expired} sessions expired")
    found = history.violations()
    assert not found, f"{len(found)} violations, seed {seed}, {faults}:\n" + "\n".join(found[:10])


def orders_syncs(ensemble, kinds):
    """Apache's leader takes the syncs of its own clients for reads (CommitProcessor's matchSyncs): a follower
    may have shown a commit that it has not. A server of theirs ends its connections when its role ends."""
    apache = {ensemble.addresses[n][0]: n for n, kind in zip(ensemble.ids, kinds) if kind != "ours"}
    return lambda port: port not in apache or ensemble.mode(apache[port]) == "follower"


def run(directory, kinds, seed, rounds):
    history = History()
    config = {"tickTime": 500}
    with Network() as network, Ensemble(directory, kinds, config=config, network=network) as ensemble:
        create_keys(ensemble)
        doors = [address[0] for address in ensemble.addresses.values()]
        clients = [Client(i, doors, KEYS, history, seed + i, orders_syncs(ensemble, kinds))
                   for i in range(CLIENTS)]
        begun = time.monotonic()
        for client in clients:
            client.start()
        faults = Faults(ensemble, network, seed)
        wait.pause(1, "the rate before the first fault")
        rate = sum(client.written for client in clients) / (time.monotonic() - begun)
        assert rate >= WRITES_PER_SECOND_MIN, f"{rate:.0f} writes a second: too busy to say anything"
        for _ in range(rounds):
            for fault in faults.random.sample(faults.all, len(faults.all)):
                faults.fire(fault)
                more_writes(clients, f"writes after {fault.__name__}")
        end(clients)
        judge(clients, history, faults.fired, seed)
        ensemble.same_trees()


def end(clients):
    for client in clients:
        client.stopping.set()
    for client in clients:
        client.join(90)
        assert not client.is_alive()


def test_a_follower_whose_disk_is_behind_its_quorum_ends_syncs_in_order(tmp_path, seed):
    """A sync is followed by others' writes that are committed before this follower has any of it."""
    history = History()
    with Ensemble(tmp_path, ["ours"] * 3, config={"tickTime": 500}) as ensemble:
        create_keys(ensemble)
        slow = next(n for n in ensemble.ids if n != ensemble.leader())
        clients = [Client(i, [ensemble.addresses[slow][0]], KEYS, history, seed + i) for i in range(CLIENTS)]
        with slow_disk(ensemble.members[slow], 10):
            for client in clients:
                client.start()
            wait.until(lambda: sum(client.written for client in clients) > 300, 60, "writes by a slow disk")
        end(clients)
        judge(clients, history, ["slow_disk"], seed)
        assert [client.connected for client in clients] == [1] * CLIENTS, "somebody was cut off"


def test_what_clients_of_three_see_under_faults_is_linearizable(tmp_path, seed):
    run(tmp_path, ["ours"] * 3, seed, 1)


@pytest.mark.full
@pytest.mark.parametrize("kinds", [["ours"] * 3, ["ours"] * 5, ["ours", "apache", "ours"]],
                         ids=("three", "five", "one-apache"))
def test_the_same_for_longer_with_five_and_with_apache(tmp_path, seed, kinds):
    run(tmp_path, kinds, seed, 3)
