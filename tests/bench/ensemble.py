"""Ensembles of three, ours and Apache's at the same time: rates side by side, and how long nobody can write
when a leader dies, hangs or is cut off, or when all are started again.

The time without writes begins with the fault and ends with the first acknowledged write; at every server that
is left a prober tries again and again. The timers are the default ones.
"""

import signal
import threading
import time

from load import load
from support import wait, zk_wire
from support.ensembles import Ensemble
from support.network import Network

LIMITS = {"maxClientCnxns": 0}
LOADS = [
    # row, op, sessions, in flight
    ("setData 100 B, 1x1, three servers", "set", 1, 1),
    ("setData 100 B, 64x16, three servers", "set", 64, 16),
    ("getData 100 B, 64x16, three servers", "get", 64, 16),
]


def spread(ensemble):
    """The addresses, followers first: a single session is a follower's."""
    leader = ensemble.leader()
    order = sorted(ensemble.ids, key=lambda n: n == leader)
    return ensemble.hosts(*order)


def fill(ensemble, nodes, connections=4):
    load("zk-load", "fill", "--servers", spread(ensemble), "--nodes", nodes, "--conns", connections,
         "--depth", 64)


def measure_rates(samples, work, options):
    with Ensemble(work / "ours", ["ours"] * 3, config=LIMITS) as ours, \
            Ensemble(work / "peer", ["apache"] * 3, config=LIMITS, heap="4g") as peer:
        for ensemble in (ours, peer):
            fill(ensemble, 1000)
        for _ in range(options.rounds):
            for name, op, sessions, depth in LOADS:
                for side, ensemble in (("ours", ours), ("peer", peer)):
                    common = ["--op", op, "--conns", sessions, "--depth", depth, "--time", options.seconds]
                    samples.add(name, side, load("zk-load", "run", "--servers", spread(ensemble), *common))


class Prober(threading.Thread):
    """Tries to write at one server until it succeeds or all are told to end."""

    def __init__(self, port, done):
        super().__init__(daemon=True)
        self.port, self.done, self.at = port, done, None

    def run(self):
        while not self.done.is_set():
            try:
                link = zk_wire.Session(self.port, timeout_ms=4000)
                error, _ = link.ask(zk_wire.SET_DATA, zk_wire.set_data("/probe", b"x"))
                link.close()
                if error == 0:
                    self.at = time.monotonic()
                    self.done.set()
            except OSError:
                self.done.wait(0.001)


def until_written(ensemble, left, fault):
    """Milliseconds from `fault()` to the first write that one of the servers `left` acknowledges."""
    done = threading.Event()
    probers = [Prober(ensemble.addresses[n][0], done) for n in left]
    begun = time.monotonic()
    fault()
    for prober in probers:
        prober.start()
    if not done.wait(60):
        raise RuntimeError("no write for a minute")
    for prober in probers:
        prober.join(25)
    return {"ms": (min(prober.at for prober in probers if prober.at) - begun) * 1000}


def probe_node(ensemble):
    session = zk_wire.Session(ensemble.addresses[ensemble.leader()][0])
    assert session.create("/probe", b"") == 0
    session.close()


def rest_of(ensemble):
    leader = ensemble.leader()
    return leader, [n for n in ensemble.ids if n != leader]


def killed(ensemble):
    leader, left = rest_of(ensemble)
    figure = until_written(ensemble, left, lambda: ensemble.members[leader].signal(signal.SIGKILL))
    ensemble.members[leader].kill()
    ensemble.launch(leader).serving(timeout=90)
    return figure


def stopped(ensemble):
    leader, left = rest_of(ensemble)
    figure = until_written(ensemble, left, lambda: ensemble.members[leader].signal(signal.SIGSTOP))
    ensemble.members[leader].signal(signal.SIGCONT)
    settle(ensemble)
    return figure


def cut_off(ensemble):
    leader, left = rest_of(ensemble)
    figure = until_written(ensemble, left, lambda: ensemble.network.isolate(leader, ensemble.ids))
    ensemble.network.heal()
    settle(ensemble)
    return figure


def settle(ensemble):
    wait.until(lambda: sorted(map(str, ensemble.modes().values())) == ["follower", "follower", "leader"], 60,
               "one leader and two followers")


def measure_failover(samples, work, options):
    with Ensemble(work / "ours-failover", ["ours"] * 3, config=LIMITS) as ours, \
            Ensemble(work / "peer-failover", ["apache"] * 3, config=LIMITS, heap="1g") as peer:
        for ensemble in (ours, peer):
            fill(ensemble, 1000)
            probe_node(ensemble)
        for _ in range(options.rounds):
            for side, ensemble in (("ours", ours), ("peer", peer)):
                samples.add("leader killed to first write, 1,000 znodes", side, killed(ensemble))
            samples.add("leader stopped (SIGSTOP) to first write", "ours", stopped(ours))
    with Network() as network, \
            Ensemble(work / "ours-cut", ["ours"] * 3, config=LIMITS, network=network) as ours:
        probe_node(ours)
        for _ in range(options.rounds):
            samples.add("leader cut off to first write", "ours", cut_off(ours))


def measure_large(samples, work, options):
    with Ensemble(work / "ours-large", ["ours"] * 3, config=LIMITS) as ours:
        fill(ours, options.nodes, 8)
        probe_node(ours)
        for _ in range(options.rounds):
            samples.add("leader killed to first write, a million znodes", "ours", killed(ours))
        for _ in range(options.rounds):
            for member in ours.members.values():
                member.stop()
            figure = until_written(ours, ours.ids, ours.launch)
            samples.add("all restarted to first write, a million znodes", "ours", figure)
            ours.serving(timeout=90)


PARTS = {"ensemble": measure_rates, "failover": measure_failover, "failover-large": measure_large}
