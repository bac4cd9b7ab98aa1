"""What a controller tells brokers when one of them shuts down and when it is gone: Kafka 3.9.1's and ours say
the same to each, in the same order. The brokers are registrations with a listener behind (control_wire)."""

from confluent_kafka.admin import AdminClient, NewTopic
from kazoo.client import KazooClient

from peers import peers
from support import servers, wait
from support.control_wire import Listener

LED, FOLLOWED, ALONE = [[1, 2, 3], [1, 3, 2]], [[2, 1, 3], [3, 1, 2]], [[1], [2]]
SETTINGS = {"broker.id": 0, "auto.leader.rebalance.enable": "false", "zookeeper.session.timeout.ms": 6000}


class Told:
    """A controller, and three brokers that it tells what to do."""

    def __init__(self, directory, connect, make):
        self.tree = KazooClient(connect, timeout=10.0)
        self.controller = make(directory / "controller", connect, config=SETTINGS)

    def __enter__(self):
        self.tree.start(20)
        self.controller.start()
        self.brokers = [Listener(self.tree, number) for number in (1, 2, 3)]
        self.all_hear("alive [0, 1, 2, 3]")
        return self

    def __exit__(self, *_):
        self.controller.__exit__()
        self.tree.stop()
        self.tree.close()

    def all_hear(self, words):
        for broker in self.brokers:
            wait.until(lambda: broker.ended or any(words in said for said in broker.heard), 30,
                       f"broker {broker.number} to hear of {words}")

    def create(self, name, assignment):
        admin = AdminClient({"bootstrap.servers": self.controller.bootstrap})
        admin.create_topics([NewTopic(name, len(assignment), replica_assignment=assignment)])[name].result(30)
        for partition in range(len(assignment)):
            self.all_hear(f"{name}-{partition}(")

    def during(self, act, mark):
        """What each hears of it: all that comes before what is said of a topic that is made next."""
        before = [len(broker.heard) for broker in self.brokers]
        act()
        self.create(mark, [[0]])
        return {broker.number: [said for said in broker.heard[count:] if mark not in said]
                for broker, count in zip(self.brokers, before)}


def life(directory, connect, make):
    with Told(directory, connect, make) as told:
        for name, assignment in (("led", LED), ("followed", FOLLOWED), ("alone", ALONE)):
            told.create(name, assignment)
        first = told.brokers[0]
        answers = []
        return {
            "the shutdown": told.during(lambda: answers.append(first.shut_down(told.controller.port)), "m1"),
            "asked again": told.during(lambda: answers.append(first.shut_down(told.controller.port)), "m2"),
            "the end": told.during(first.leave, "m3"),
            "answers": answers}


def test_a_broker_that_shuts_down_and_those_around_it_are_told_the_same(tmp_path, new_coord):
    theirs = life(tmp_path / "apache", new_coord().connect, peers.ApacheKafka)
    ours = life(tmp_path / "ours", new_coord().connect, servers.Broker)
    assert ours == theirs
