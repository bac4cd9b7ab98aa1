"""The life of a cluster of brokers of two makes under load: groups, growth, reassignment, preferred leaders,
deletion, leaders and controllers killed, one that sleeps past its session. What was acknowledged must be
there once, in order, and on all replicas."""

import json
import time

from confluent_kafka.admin import AdminClient, NewTopic

from peers import peers
from support import servers, wait
from support.broker_load import QUIET, Group, Load
from support.replicas import unequal, verification_faults

TOPIC, PARTITIONS = "mixed", 3


class Life:
    """`cluster` runs; each verb is one chapter, `tell` says that it ended well."""

    def __init__(self, cluster, version=peers.KAFKA, say=lambda text: None):
        self.cluster, self.version, self.say = cluster, version, say
        self.load = self.group = None

    def tell(self, what, begun):
        self.load.more(20)
        self.group.reaches(self.load)
        self.say(f"  {what}: {time.monotonic() - begun:.1f} s, {self.load.count} records acknowledged")

    def create(self, name, partitions):
        config = {"min.insync.replicas": "2", "segment.bytes": "200000"}
        topic = NewTopic(name, partitions, 3, config=config)
        admin = AdminClient({**QUIET, "bootstrap.servers": self.cluster.bootstrap})
        admin.create_topics([topic], operation_timeout=30)[name].result(60)
        wait.until(lambda: self.cluster.in_sync(name), 60, f"all replicas of {name} in sync")

    def through(self):
        self.create(TOPIC, PARTITIONS)
        bootstrap = self.cluster.bootstrap
        with Load(bootstrap, TOPIC, PARTITIONS) as load, \
                Group(bootstrap, TOPIC, PARTITIONS, "mixed") as group:
            self.load, self.group = load, group
            load.more(50)
            for chapter in (self.topics, self.reassigned, self.killed_leader, self.killed_controller,
                            self.slept):
                chapter()
            load.end()
            group.reaches(load)
        wait.until(self.cluster.in_sync, 90, "all replicas in sync")
        different = unequal(dict(enumerate(self.cluster.brokers)), TOPIC, PARTITIONS, self.version)
        different += verification_faults(bootstrap, TOPIC, self.version)
        for line in different:
            self.say(f"  unequal: {line}")
        return {"acknowledged": load.count, "failed": len(load.failed),
                **load.faults(self.cluster.leader_port(TOPIC)), **group.faults(),
                "replicas unequal": len(different)}

    def topics(self):
        """A topic that is made, grows and goes."""
        begun = time.monotonic()
        self.create("short", 1)
        tool = ["kafka-topics.sh", "--bootstrap-server", self.cluster.bootstrap, "--topic", "short"]
        peers.run(servers.tool(*tool, "--alter", "--partitions", 4))
        wait.until(lambda: len(self.cluster.assignment("short")["partitions"]) == 4
                   and self.cluster.in_sync("short"), 60, "four partitions in sync")
        peers.run(servers.tool(*tool, "--delete"))
        wait.until(lambda: self.cluster.assignment("short") is None, 60, "the end of the topic")

        def gone():
            return not [path for broker in self.cluster.brokers
                        for path in (broker.directory / "logs").glob("short-?")]

        wait.until(gone, 60, "the end of its logs")
        self.tell("a topic made, grown and deleted", begun)

    def reassigned(self):
        """Every partition away from one of its brokers and back to three, then the preferred leaders."""
        begun = time.monotonic()
        before = self.cluster.assignment(TOPIC)["partitions"]
        fewer = {p: replicas[:2] for p, replicas in before.items()}
        turned = {p: replicas[1:] + replicas[:1] for p, replicas in before.items()}
        for wanted in (fewer, turned):
            rows = [{"topic": TOPIC, "partition": int(p), "replicas": replicas}
                    for p, replicas in wanted.items()]
            file = self.cluster.directory / "moves.json"
            file.write_text(json.dumps({"version": 1, "partitions": rows}))
            peers.run(servers.tool("kafka-reassign-partitions.sh", "--bootstrap-server",
                                   self.cluster.bootstrap, "--reassignment-json-file", file, "--execute"))
            wait.until(lambda: {p: sorted(r) for p, r in self.cluster.assignment(TOPIC)["partitions"].items()}
                       == {p: sorted(r) for p, r in wanted.items()} and self.cluster.in_sync(TOPIC), 90,
                       "the reassignment", interval=0.2)
        self.prefer()
        self.tell("replicas taken away, given back, and new leaders preferred", begun)

    def prefer(self):
        def preferred():
            peers.run(servers.tool("kafka-leader-election.sh", "--bootstrap-server", self.cluster.bootstrap,
                                   "--election-type", "preferred", "--all-topic-partitions"), check=False)
            return all(self.cluster.leader(TOPIC, int(p)) == replicas[0]
                       for p, replicas in self.cluster.assignment(TOPIC)["partitions"].items())

        wait.until(preferred, 60, "the preferred leaders", interval=0.5)

    def back(self, number):
        """A killed broker again, once its session is over: Kafka ends where its number is taken."""
        wait.until(lambda: number not in self.cluster.ids(), 40, "the end of its session", interval=0.1)
        self.cluster.brokers[number].start()
        wait.until(self.cluster.in_sync, 120, "all replicas in sync", interval=0.2)

    def killed_leader(self):
        controller = self.cluster.controller()
        for number in range(len(self.cluster.brokers)):
            if number == controller:
                continue
            begun = time.monotonic()
            led = [p for p in range(PARTITIONS) if self.cluster.leader(TOPIC, p) == number]
            self.cluster.brokers[number].kill()
            wait.until(lambda: all(self.cluster.leader(TOPIC, p) not in (number, -1) for p in led), 40,
                       "other leaders")
            self.load.more(30)
            self.back(number)
            self.prefer()
            self.tell(f"broker {number} ({self.cluster.kinds[number]}) killed, leader of {len(led)}", begun)

    def killed_controller(self):
        """Each make is the controller once."""
        for _ in range(2):
            begun = time.monotonic()
            before = self.cluster.controller()
            self.cluster.brokers[before].kill()
            wait.until(lambda: self.cluster.controller() not in (None, before), 40, "another controller")
            self.load.more(30)
            self.back(before)
            self.prefer()
            now = self.cluster.controller()
            self.tell(f"controller {before} ({self.cluster.kinds[before]}) killed, {now} "
                      f"({self.cluster.kinds[now]}) took over", begun)

    def slept(self):
        """The controller sleeps past its session; what it wakes up with changes nothing."""
        begun = time.monotonic()
        before, epoch = self.cluster.controller(), self.cluster.epoch()
        self.cluster.freeze(before)
        try:
            wait.until(lambda: self.cluster.controller() not in (None, before), 40, "another controller")
            wait.until(lambda: all(self.cluster.leader(TOPIC, p) != before for p in range(PARTITIONS)), 40,
                       "leaders that are awake")
            self.load.more(20)
        finally:
            self.cluster.thaw(before)
        wait.until(self.cluster.in_sync, 120, "all replicas in sync", interval=0.2)
        assert self.cluster.controller() != before and self.cluster.epoch() == epoch + 1
        self.prefer()
        self.tell(f"controller {before} ({self.cluster.kinds[before]}) slept past its session", begun)
