#!/usr/bin/env python3
# What a crash costs at default settings, medians of ten, Kafka 3.9.1 on ZooKeeper 3.9.5 beside: leaders
# killed by -9 (of 12 partitions the last of the victim's to take a write again, and the last of the others),
# a broker started at once after it (the last of its 1,000 partitions), a controller with 10,000 partitions
# killed, a follower that stands still.
import argparse
import contextlib
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from peers import peers  # noqa: E402
from support import kafka_wire as kafka  # noqa: E402
from support import outages, servers, wait  # noqa: E402
from support.clusters import Cluster  # noqa: E402

DEFAULTS = {"zookeeper.session.timeout.ms": 18000, "controlled.shutdown.retry.backoff.ms": 5000,
            "auto.leader.rebalance.enable": "true"}
GATES = {"leader killed: its partitions": 1.5, "leader killed: all others": 1.0,
         "started at once after kill -9, 1,000 partitions": 1.0,
         "controller killed, 10,000 partitions, to a new topic": 3.0,
         "acks=all with one follower stopped": 5.0}
PARTITIONS = 12
PATIENCE = 120  # seconds
RECOVERY = 600  # seconds until a broker of Kafka's is back; nothing is measured by it


def spread(times):
    return f"{outages.median(times):.2f} s (worst {max(times):.2f}, of {len(times)})" if times else "never"


class Bench:
    def __init__(self, cluster, ours):
        self.cluster, self.ours = cluster, ours
        self.seconds = {}
        self.given_up = {}  # of what Kafka was not back from: how many rounds

    def create(self, name, assignment):
        outcome = wait.until(lambda: self.try_create({name: assignment}), 120, f"the topic {name}")
        assert outcome, name
        wait.until(lambda: all(self.cluster.state(name, n) for n in range(len(assignment))), 120,
                   "states")

    def try_create(self, topics, timeout=60.0):
        """At whichever broker is the controller; true when all were made, by an earlier try that was not
        answered in time too."""
        for broker in self.cluster.brokers:
            if not broker.running:
                continue
            try:
                errors = outages.create_topics(broker.port, topics, timeout)
            except OSError:
                continue
            if all(error == 0 or (error == outages.TOPIC_ALREADY_EXISTS and self.led(name, len(topics[name])))
                   for name, error in errors.items()):
                return True
        return False

    def led(self, topic, partitions):
        return all(self.cluster.leader(topic, n) not in (None, -1) for n in range(partitions))

    def in_sync(self, topic, partitions, count=3):
        def full():
            return all(len(self.cluster.isr(topic, n) or []) == count for n in range(partitions))
        wait.until(full, 120, f"{count} replicas in sync of {topic}", 0.1)

    def note(self, what, seconds):
        self.seconds.setdefault(what, []).append(seconds)
        print(f"   {what}: {seconds:.3f} s", flush=True)

    def of_kafka(self, what):
        """For the last lines."""
        times, given_up = self.seconds.get(what, []), self.given_up.get(what, 0)
        if not times and not given_up:
            return "not run"
        return spread(times) + (f", and not within {PATIENCE} s in {given_up} more" if given_up else "")

    def back(self, number):
        """Until its old session is over, Kafka ends at once; it recovers all logs before it answers."""
        broker = self.cluster.brokers[number]
        if not self.ours:
            wait.until(lambda: number not in self.cluster.ids(), 60, "the end of its session")
            broker.start_timeout = RECOVERY
        broker.start()

    # ---- the five claims ----

    def leaders(self, rounds):
        self.create("led", [[n % 3, (n + 1) % 3, (n + 2) % 3] for n in range(PARTITIONS)])
        for turn in range(rounds):
            self.in_sync("led", PARTITIONS)
            leads = {n: self.cluster.leader("led", n) for n in range(PARTITIONS)}
            controller = self.cluster.controller()
            # The controller every other time.
            victims = sorted(set(leads.values()), key=lambda b: (b == controller) == (turn % 2 == 0))
            victim = victims[0]
            alive = [b for number, b in enumerate(self.cluster.brokers) if number != victim]
            writers = {n: outages.Writer(alive, "led", n) for n in leads}
            movers = [writers[n] for n, leader in leads.items() if leader == victim]
            others = [writers[n] for n, leader in leads.items() if leader != victim]
            with contextlib.ExitStack() as stack:
                for other in others:
                    stack.enter_context(other)
                begin = time.monotonic()
                self.cluster.brokers[victim].kill()
                for mover in movers:
                    mover.start()
                    stack.callback(mover.end)
                self.note("leader killed: its partitions", max(mover.after(begin) for mover in movers))
                self.note("leader killed: all others", max(other.after(begin) for other in others))
            self.back(victim)

    def restarts(self, rounds):
        victim = next(n for n in range(3) if n != self.cluster.controller())
        self.create("thousand", [[victim]] * 1000)
        broker = self.cluster.brokers[victim]
        data = kafka.batch(b"x" * 100)

        def serves():
            link = kafka.Link(broker.port, 60)
            try:
                return link.produce("thousand", 999, data, outages.ALL)[0] == 0
            finally:
                link.close()

        for _ in range(rounds):
            wait.until(serves, 60, "the broker")
            broker.kill()
            begin = time.monotonic()
            broker.launch()

            def served():
                if not broker.running:
                    broker.launch()  # Kafka ends as long as its old session lives
                return serves()
            wait.until(served, 120, "the broker again", 0.002)
            self.note("started at once after kill -9, 1,000 partitions", time.monotonic() - begin)

    def controllers(self, rounds, partitions):
        topics = {f"many{n}": [[(n + p) % 3] for p in range(100)] for n in range(partitions // 100)}
        for name, assignment in topics.items():
            wait.until(lambda: self.try_create({name: assignment}), 120, f"the topic {name}")
        what = "controller killed, 10,000 partitions, to a new topic"
        for turn in range(rounds):
            wait.until(lambda: self.cluster.controller() is not None, 60, "a controller")
            victim = self.cluster.controller()
            begin = time.monotonic()
            self.cluster.brokers[victim].kill()
            alive = next(n for n in range(3) if n != victim)
            try:
                wait.until(lambda: self.try_create({f"new{turn}": [[alive]]}, 10.0), PATIENCE, "a new topic",
                           0.005)
                self.note(what, time.monotonic() - begin)
            except wait.Timeout as late:
                if self.ours:
                    raise
                self.given_up[what] = self.given_up.get(what, 0) + 1
                print(f"   {late}", flush=True)
            self.back(victim)
            wait.until(lambda: victim in self.cluster.ids(), 60, "its registration")

    def stalls(self, rounds):
        self.create("stalled", [[0, 1, 2]])
        for turn in range(rounds):
            self.in_sync("stalled", 1)
            leader = self.cluster.leader("stalled", 0)
            victim = next(n for n in range(3) if n not in (leader, self.cluster.controller()))
            with outages.Writer(self.cluster.brokers, "stalled", 0) as writer:
                begin = time.monotonic()
                self.cluster.freeze(victim)
                try:
                    wait.until(lambda: victim not in self.cluster.isr("stalled", 0), 90, "a smaller set")
                    writer.after(time.monotonic())
                finally:
                    self.cluster.thaw(victim)
                self.note("acks=all with one follower stopped", writer.longest_gap(begin))


def run(directory, ours, options):
    rounds = options.rounds if ours else options.kafka_rounds
    tree = servers.Coord(directory / "tree") if ours else peers.ApacheZooKeeper(directory / "tree")
    kind = "ours" if ours else "apache"
    with tree, Cluster(directory, tree.connect, [kind] * 3, config=DEFAULTS) as cluster:
        bench = Bench(cluster, ours)
        steps = {"leaders": bench.leaders, "restarts": bench.restarts, "stalls": bench.stalls,
                 "controllers": lambda n: bench.controllers(n, options.partitions)}
        for name, step in steps.items():
            if not options.only or name in options.only:
                print(f"-- {name}, {'ours' if ours else 'Kafka'}, {rounds} rounds", flush=True)
                step(rounds)
        return bench


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--kafka-rounds", type=int, default=10, help="0: only ours")
    parser.add_argument("--partitions", type=int, default=10000, help="of the killed controller's cluster")
    parser.add_argument("--only", action="append", choices=["leaders", "restarts", "stalls", "controllers"])
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="tandem-failover-") as directory:
        ours = run(Path(directory) / "ours", True, options).seconds
        peer = run(Path(directory) / "kafka", False, options) if options.kafka_rounds > 0 else None
    missed = []
    for what, gate in GATES.items():
        if what not in ours:
            continue
        here = outages.median(ours[what])
        beside = peer.of_kafka(what) if peer else "not run"
        print(f"{what}: {spread(ours[what])}, at most {gate} s; Kafka: {beside}")
        if here > gate:
            missed.append(what)
    print("missed: " + "; ".join(missed) if missed else "every gate holds")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
