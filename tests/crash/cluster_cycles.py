"""Cycles of a cluster: three tandem-broker over three tandem-coord, one of each on every machine, under
idempotent producers with acks=all. One of the six processes is killed while the others go on, or all are
killed at once, or the power of all machines is lost (every process stops at the same moment, and what their
disks were not told to sync is gone; tandem.log.flush.on.ack=true).

The producers live on: what was under way when the cluster died they send again to the one that comes back.
Then the topic must hold everything acknowledged, once, in the order in which it was sent, and what a consumer
has seen before must be there again, at the same offset.
"""

import json
import shutil
import signal
import subprocess
import threading
import time

import confluent_kafka
import cycles
import ensemble_cycles
from confluent_kafka.admin import AdminClient, NewTopic
from support import ports, servers, wait, zk_wire
from support.ensembles import Ensemble

MACHINES = (1, 2, 3)
TOPIC, PARTITIONS, PRODUCERS = "crash", 3, 2
SESSION_MS = 1500
AHEAD = 40           # records of one producer that are under way
CUTS_OF_A_CLUSTER = 8


class Tally(cycles.Tally):
    duplicated = 0
    reordered = 0

    def line(self):
        return f"{super().line()}, duplicated {self.duplicated}, reordered {self.reordered}"


class Producer(threading.Thread):
    """`acknowledged` are the numbers whose record must be there; a record is `NAME-NUMBER`."""

    def __init__(self, bootstrap, name):
        super().__init__(daemon=True)
        self.prefix, self.sent = name.encode(), 0
        self.acknowledged, self.failed = [], []
        self.ending = threading.Event()
        self.fatal = None  # why it gave up
        self.producer = confluent_kafka.Producer({
            "bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True, "linger.ms": 1,
            "message.timeout.ms": 120000, "socket.timeout.ms": 5000, "retry.backoff.ms": 50,
            "reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 300, "log_level": 0})

    def value(self, number):
        return b"%s-%d" % (self.prefix, number)

    def on_delivery(self, error, message):
        number = int(message.value().rpartition(b"-")[2])
        (self.failed if error else self.acknowledged).append((number, str(error)) if error else number)

    def run(self):
        try:
            self.produce()
        except confluent_kafka.KafkaException as error:
            self.fatal = str(error)

    def produce(self):
        while not self.ending.is_set():
            room = AHEAD - (self.sent - len(self.acknowledged) - len(self.failed))
            for _ in range(min(room, 8)):
                self.producer.produce(TOPIC, self.value(self.sent), partition=self.sent % PARTITIONS,
                                      on_delivery=self.on_delivery)
                self.sent += 1
            self.producer.poll(0.004)
        self.producer.flush(150)


class Machines:
    """Three of them with a coordination server and a broker each."""

    def __init__(self, directory, where, broker_config):
        """`where(number)` gives the directory of a machine's data."""
        shutil.rmtree(directory, ignore_errors=True)
        data = {n: where(n) / "coord" for n in MACHINES}
        self.ensemble = Ensemble(directory / "coords", ["ours"] * 3, config={"tickTime": 500}, data=data)
        for path in data.values():
            subprocess.run(["sync", "-f", str(path)], check=True)  # what the operator wrote: myid
        listen = ports.free_ports(len(MACHINES))
        self.brokers = {
            n: servers.Broker(directory / f"broker{n}", self.ensemble.hosts(), port=port,
                              config={**broker_config, "broker.id": n, "log.dirs": where(n) / "broker"})
            for n, port in zip(MACHINES, listen)}

    @property
    def bootstrap(self):
        return ",".join(broker.bootstrap for broker in self.brokers.values())

    def processes(self):
        return [*self.ensemble.members.values(), *self.brokers.values()]

    def start(self, at_once=False):
        """Those that are down."""
        launched = self.launch(at_once)
        for n in launched:
            wait.until(lambda: self.up(self.brokers[n]), 60, f"broker {n}")

    def launch(self, at_once=False):
        """Brokers once the sessions of their former lives have ended, or at once: then they take their
        registrations over."""
        ended = [n for n in MACHINES if not self.ensemble.members[n].running]
        if ended:
            self.ensemble.launch(*ended)
        self.ensemble.serving(timeout=60)
        down = [n for n in MACHINES if not self.brokers[n].running]
        if not at_once:
            session = self.session()
            wait.until(lambda: all(session.get(f"/brokers/ids/{n}") is None for n in down), 30,
                       "the end of the old sessions", interval=0.05)
            session.close()
        for n in down:
            self.brokers[n].launch()
        return down

    @staticmethod
    def up(broker):
        if not broker.running:
            raise RuntimeError(f"a broker ended by itself:\n{broker.log()[-3000:]}")
        return broker.ready()

    def session(self):
        port = next(port for n, (port, _, _) in self.ensemble.addresses.items()
                    if self.ensemble.members[n].running)
        return zk_wire.Session(port)

    def in_sync(self):
        session = self.session()

        def full():
            states = [session.get(f"/brokers/topics/{TOPIC}/partitions/{p}/state") for p in range(PARTITIONS)]
            return all(state and sorted(json.loads(state)["isr"]) == list(MACHINES) for state in states)

        try:
            wait.until(full, 60, "all replicas in sync", interval=0.05)
        finally:
            session.close()

    def kill(self):
        for process in self.processes():
            if process.running:
                process.child.kill()
        for process in self.processes():
            process.kill()

    def freeze(self):
        for process in self.processes():
            process.signal(signal.SIGSTOP)

    def log(self):
        return "\n".join(f"--- {process.log_path}\n{process.log()[-2500:]}" for process in self.processes())


class Cycles(cycles.Cycles):
    """All at once."""

    SECOND_CUT_MAX = 0.8  # seconds into the life of the brokers

    def __init__(self, directory, seed, power, progress=False):
        super().__init__(directory, seed, power, progress)
        self.tally = Tally()
        self.machines = None
        self.seen = {}

    def make_disk(self):
        return ensemble_cycles.Disks(self.directory)

    def where(self, number):
        path = self.disk.of[number].mount_point if self.disk else self.directory / "data" / str(number)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def finish(self):
        if self.machines:
            self.machines.kill()

    def fresh(self):
        self.finish()
        self.age, self.expected = 0, {p: set() for p in range(PARTITIONS)}
        self.seen = {p: [] for p in range(PARTITIONS)}
        if self.disk:
            self.disk.format()
        else:
            shutil.rmtree(self.directory / "data", ignore_errors=True)
        config = {"num.partitions": PARTITIONS, "min.insync.replicas": 2, "default.replication.factor": 3,
                  "offsets.topic.replication.factor": 3, "replica.lag.time.max.ms": 5000,
                  # Small segments and frequent checkpoints, so that cuts hit rolls and them as well.
                  "log.segment.bytes": self.random.choice([20000, 300000, 1 << 30]),
                  "log.index.interval.bytes": 200, "log.flush.offset.checkpoint.interval.ms": 500,
                  "replica.high.watermark.checkpoint.interval.ms": 500,
                  "zookeeper.session.timeout.ms": SESSION_MS, "zookeeper.connection.timeout.ms": 30000,
                  "tandem.log.flush.on.ack": str(bool(self.disk)).lower()}
        self.machines = Machines(self.directory / "servers", self.where, config)
        self.machines.start()
        admin = AdminClient({"bootstrap.servers": self.machines.bootstrap})
        admin.create_topics([NewTopic(TOPIC, PARTITIONS, 3)])[TOPIC].result(30)
        self.machines.in_sync()

    def cycle(self, young):
        self.number += 1
        known, stopped = len(self.tally.complaints), self.stops.seconds
        if self.age is None or self.age >= CUTS_OF_A_CLUSTER:
            self.fresh()
        loads = [Producer(self.machines.bootstrap, f"c{self.number}p{i}") for i in range(PRODUCERS)]
        try:
            for load in loads:
                load.start()
            wait.until(lambda: all(load.acknowledged for load in loads), 60, "the first acknowledgements")
            before, begun = self.acknowledged(loads), time.monotonic()
            wait.pause(self.random.uniform(0.7, 1.5), "the load before the cut")
            rate = (self.acknowledged(loads) - before) / (time.monotonic() - begun)
            self.crash(loads)
            self.await_more(loads)
        except (wait.Timeout, RuntimeError, OSError) as error:
            self.complain(f"no way back: {error}\n{self.machines.log()}")
        for load in loads:
            load.ending.set()
        for load in loads:
            load.join(200)
            if load.fatal:
                self.complain(f"a producer gave up: {load.fatal}")
        if len(self.tally.complaints) == known:
            self.judge(loads, rate)
        self.age += 1
        if len(self.tally.complaints) > known:
            self.age = None
            if self.stops.seconds - stopped > cycles.STOPPED_MAX and not self.tally.lost:
                self.tally.void += 1  # timeouts ran out meanwhile: this cycle says nothing
                del self.tally.complaints[known:]

    @staticmethod
    def acknowledged(loads):
        return sum(len(load.acknowledged) for load in loads)

    def await_more(self, loads, count=20):
        """Every producer goes on."""
        before = [len(load.acknowledged) for load in loads]
        wait.until(lambda: all(len(load.acknowledged) >= had + count for load, had in zip(loads, before)), 60,
                   "more acknowledgements")

    def cut(self):
        if not self.disk:
            return self.machines.kill()
        # The machines stop first: what is acknowledged after their disks are gone nobody hears.
        self.machines.freeze()
        self.disk.cut_power()
        self.machines.kill()
        self.disk.unmount()
        self.disk.mount()

    def crash(self, loads):
        self.cut()
        if self.random.random() < 0.3:
            # A second crash, wherever the return from the first has come.
            self.machines.launch(self.random.random() < 0.5)
            wait.pause(self.random.uniform(0, self.SECOND_CUT_MAX), "the return before the second cut")
            self.cut()
        begun = time.monotonic()
        self.machines.start(self.random.random() < 0.5)
        self.await_more(loads, 1)
        self.tally.slowest_recovery = max(self.tally.slowest_recovery, time.monotonic() - begun)
        self.machines.in_sync()

    def read(self):
        """[(offset, value)] of each partition."""
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": self.machines.bootstrap, "group.id": "judge", "enable.auto.commit": False,
            "auto.offset.reset": "earliest", "enable.partition.eof": True, "check.crcs": True})
        consumer.assign([confluent_kafka.TopicPartition(TOPIC, p, 0) for p in range(PARTITIONS)])
        found, ended = {p: [] for p in range(PARTITIONS)}, set()

        def at_end():
            for message in consumer.consume(2000, 0.2):
                if not message.error():
                    found[message.partition()].append((message.offset(), message.value()))
                elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
            return len(ended) == PARTITIONS

        try:
            wait.until(at_end, 60, "the end of the topic", interval=0)
        finally:
            consumer.close()
        return found

    def judge(self, loads, rate):
        tally = self.tally
        found = self.read()
        for load in loads:
            for number in load.acknowledged:
                self.expected[number % PARTITIONS].add(load.value(number))
        for partition, records in found.items():
            self.judge_partition(partition, records)
            self.seen[partition] = records
        if rate < cycles.ACKED_PER_SECOND_MIN:
            tally.void += 1
            return
        tally.cycles += 1
        tally.attempted += sum(load.sent for load in loads)
        tally.acknowledged += self.acknowledged(loads)
        tally.unknown += sum(load.sent for load in loads) - self.acknowledged(loads)

    def judge_partition(self, partition, records):
        values = [value for _, value in records]
        lost = self.expected[partition] - set(values)
        there = set(records)
        vanished = [record for record in self.seen[partition] if record not in there]
        twice = len(values) - len(set(values))
        last, disordered = {}, 0
        for value in values:
            name, _, number = value.rpartition(b"-")
            disordered += int(number) < last.get(name, -1)
            last[name] = int(number)
        self.tally.lost += len(lost) + len(vanished)
        self.tally.duplicated += twice
        self.tally.reordered += disordered
        if lost or vanished or twice or disordered:
            self.complain(f"partition {partition}: {len(lost)} lost, such as {sorted(lost)[:3]}, "
                          f"{len(vanished)} read before and gone, such as {vanished[:3]}, {twice} twice, "
                          f"{disordered} out of order\n{self.machines.log()}")


class OneDies(Cycles):
    """One of the six, whatever its role. It comes back at once, or when the others have served every
    partition without it."""

    EVERY_PARTITION = 2 * PARTITIONS * AHEAD  # acknowledgements that no producer gets without each of them

    def crash(self, loads):
        victim, at_once = self.random.choice(self.machines.processes()), self.random.random() < 0.5
        begun = time.monotonic()
        victim.kill()
        if not at_once:
            self.await_more(loads, self.EVERY_PARTITION)
        self.machines.start(at_once)
        self.await_more(loads, self.EVERY_PARTITION)
        self.tally.slowest_recovery = max(self.tally.slowest_recovery, time.monotonic() - begun)
        self.machines.in_sync()
