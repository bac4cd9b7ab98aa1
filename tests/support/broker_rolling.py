"""A running cluster of brokers replaced one by one, and put back, on the same directories, ids and ports,
while an idempotent producer and a consumer group work on it."""

import re
import time

from confluent_kafka.admin import AdminClient, NewTopic

from peers import peers
from support import servers, wait
from support.broker_load import QUIET, Group, Load
from support.replicas import unequal, verification_faults

TOPIC, PARTITIONS = "rolling", 3
# What either says of files that were not left cleanly. "Reloading from producer snapshot" is what Kafka says
# of every log that it loads.
COMPLAINT = re.compile(r"\[(?!.*(?:Reloading from producer snapshot|Skipping recovery))"
                       r".*(?:[Rr]ecover(?:ed|ing|y (?:of|for))|[Rr]ebuil|[Cc]orrupt|[Uu]nclean|FATAL"
                       r"|set aside|no clean shutdown file)")
GAP_MAX = 10.0  # seconds without an acknowledgement of a partition; 0.2 to 1.7 were seen
JAVA = {"heap": "256m", "options": ["-XX:TieredStopAtLevel=1"]}


class Rolling:
    """`cluster` runs. After `through(kinds)` the figures say what was lost: nothing, if all is well."""

    def __init__(self, cluster, version, say=lambda text: None):
        self.cluster, self.version, self.say = cluster, version, say
        self.admin = AdminClient({**QUIET, "bootstrap.servers": cluster.bootstrap})
        self.complaints, self.slowest, self.gaps = [], 0.0, []

    def create(self):
        topic = NewTopic(TOPIC, PARTITIONS, 3, config={"min.insync.replicas": "2", "segment.bytes": "200000"})
        self.admin.create_topics([topic])[TOPIC].result(60)
        wait.until(lambda: self.cluster.in_sync(TOPIC), 60, "all replicas in sync")

    def through(self, kinds):
        self.create()
        bootstrap = self.cluster.bootstrap
        with Load(bootstrap, TOPIC, PARTITIONS) as load, Group(bootstrap, TOPIC, PARTITIONS) as group:
            load.more(50)
            group.reaches(load)
            for kind in kinds:
                controller = self.cluster.controller()
                for number in sorted(range(len(self.cluster.brokers)), key=lambda n: n == controller):
                    self.replace(number, kind, load, group)
            load.end()
            group.reaches(load)
        return self.figures(load, group)

    def figures(self, load, group):
        wait.until(self.cluster.in_sync, 60, "all replicas in sync")
        brokers = dict(enumerate(self.cluster.brokers))
        different = unequal(brokers, TOPIC, PARTITIONS, self.version)
        different += verification_faults(self.cluster.bootstrap, TOPIC, self.version)
        for line in different:
            self.say(f"unequal: {line}")
        return {"attempted": sum(load.attempted), "acknowledged": load.count, "failed": len(load.failed),
                **load.faults(self.cluster.leader_port(TOPIC)), **group.faults(),
                "seen again by the group": group.again, "complaints": len(self.complaints),
                "replicas unequal": len(different),
                "pauses too long": sum(gap > GAP_MAX for gap in self.gaps)}

    def replace(self, number, kind, load, group):
        """Stops a broker and starts the other program on its directories, while load and group go on."""
        cluster, begun = self.cluster, time.monotonic()
        was = "controller and " if cluster.controller() == number else ""
        led = sum(cluster.leader(TOPIC, p) == number for p in range(PARTITIONS))
        load.gap = 0.0
        cluster.brokers[number].stop(60)
        load.more(30)
        broker = cluster.become(number, kind)
        said = len(broker.log())
        broker.start()
        wait.until(cluster.in_sync, 90, f"all in sync with broker {number}")
        self.prefer()
        load.more(30)
        group.reaches(load)
        complaints = [line for line in broker.log()[said:].splitlines() if COMPLAINT.match(line)]
        self.complaints += complaints
        self.slowest = max(self.slowest, time.monotonic() - begun)
        self.gaps.append(load.gap)
        self.say(f"broker {number}, {was}leader of {led} until now, runs {kind} after "
                 f"{time.monotonic() - begun:.1f} s; {load.count} records acknowledged so far, "
                 f"longest pause of a partition {load.gap:.2f} s"
                 + "".join(f"\n  it complained: {line}" for line in complaints[:5]))

    def prefer(self):
        """The one that came back leads its part again."""
        def all_preferred():
            peers.run(servers.tool("kafka-leader-election.sh", "--bootstrap-server", self.cluster.bootstrap,
                                   "--election-type", "preferred", "--all-topic-partitions"), check=False)
            return all(self.cluster.leader(TOPIC, int(p)) == replicas[0]
                       for p, replicas in self.cluster.assignment(TOPIC)["partitions"].items())

        wait.until(all_preferred, 60, "the preferred leaders", interval=0.5)
