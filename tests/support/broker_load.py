"""A load on brokers that come and go: an idempotent acks=all producer on several partitions and a group of
two consumers, each on a thread of its own, and what must hold of both."""

import threading
import time

import confluent_kafka

from support import kafka_wire, wait

QUIET = {"log_level": 0, "reconnect.backoff.max.ms": 500}


class Load:
    """Record n of a partition has the value n, so that in a log without gaps, repetitions and exchanges its
    offset is n as well."""

    def __init__(self, bootstrap, topic, partitions, pause=0.003):
        self.topic, self.partitions, self.pause = topic, partitions, pause
        self.attempted, self.failed = [0] * partitions, []
        self.acknowledged = [dict() for _ in range(partitions)]  # value to offset
        self.last, self.gap = [time.monotonic()] * partitions, 0.0  # of acknowledgements; the longest pause
        self.producer = confluent_kafka.Producer({
            **QUIET, "bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True,
            "linger.ms": 1, "message.timeout.ms": 180000, "topic.metadata.refresh.interval.ms": 2000,
            "batch.size": 16384})  # Java's; what has piled up still fits into a small segment
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def on_delivery(self, error, message):
        if error:
            self.failed.append((message.partition(), int(message.value()), str(error)))
        else:
            self.acknowledged[message.partition()][int(message.value())] = message.offset()
            now = time.monotonic()
            self.gap = max(self.gap, now - self.last[message.partition()])
            self.last[message.partition()] = now

    def run(self):
        partition = 0
        while not self.ending.is_set():
            try:
                self.producer.produce(self.topic, b"%d" % self.attempted[partition], partition=partition,
                                      on_delivery=self.on_delivery)
            except BufferError:  # as much is under way as the client may hold
                self.producer.poll(0.05)
                continue
            self.attempted[partition] += 1
            partition = (partition + 1) % self.partitions
            self.producer.poll(self.pause)
        self.producer.flush(180)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.ending.set()
        self.thread.join(200)

    @property
    def count(self):
        return sum(map(len, self.acknowledged))

    def more(self, count, seconds=90):
        """Waits until so many more are acknowledged on each partition."""
        before = [len(each) for each in self.acknowledged]

        def grown():
            assert not self.failed, self.failed[:3]
            return all(len(now) >= was + count for now, was in zip(self.acknowledged, before))

        wait.until(grown, seconds, f"{count} more records on each partition of {self.topic}")

    def faults(self, leader_port):
        """Counts of what must be 0 of the logs as the leaders have them; `leader_port(partition)`."""
        found = {"lost": 0, "duplicated": 0, "reordered": 0}
        for partition, acknowledged in enumerate(self.acknowledged):
            link = kafka_wire.Link(leader_port(partition))
            values = [int(value) for _, value in sorted(link.read_all(self.topic, partition).items())]
            link.close()
            found["lost"] += len(acknowledged.keys() - set(values))
            found["duplicated"] += len(values) - len(set(values))
            found["reordered"] += sum(a > b for a, b in zip(values, values[1:]))
        return found


class Member:
    """One consumer of the group, on its thread."""

    def __init__(self, group, number):
        self.group, self.delivered = group, 0
        self.consumer = confluent_kafka.Consumer({
            **QUIET, "bootstrap.servers": group.bootstrap, "group.id": group.name, "client.id": f"m{number}",
            "auto.offset.reset": "earliest", "enable.auto.commit": False, "session.timeout.ms": 20000})
        self.consumer.subscribe([group.topic], on_assign=self.on_assign, on_revoke=self.on_revoke)
        self.fresh, self.last = set(), {}
        self.thread = threading.Thread(target=self.run)

    def on_assign(self, _, partitions):
        self.fresh, self.last = {each.partition for each in partitions}, {}

    def on_revoke(self, _, partitions):
        self.commit()

    def commit(self):
        if not self.last:
            return
        wanted = [confluent_kafka.TopicPartition(self.group.topic, partition, offset + 1)
                  for partition, offset in self.last.items()]
        try:
            self.group.committed(self.consumer.commit(offsets=wanted, asynchronous=False))
        except confluent_kafka.KafkaException:
            self.group.refused += 1  # of a generation that is over, or the coordinator moves

    def run(self):
        rounds = 0
        while not self.group.ending.is_set():
            for message in self.consumer.consume(200, 0.2):
                if message.error():
                    continue
                partition, offset = message.partition(), message.offset()
                self.group.take(partition, offset, int(message.value()), partition in self.fresh)
                self.fresh.discard(partition)
                self.last[partition] = offset
            rounds += 1
            if rounds % 3 == 0:
                self.commit()
        self.commit()
        self.consumer.close()


class Group:
    """What members see: each partition's records one after the other, from where the group had come to."""

    def __init__(self, bootstrap, topic, partitions, name="rolling", members=2):
        self.bootstrap, self.topic, self.name = bootstrap, topic, name
        self.lock, self.ending = threading.Lock(), threading.Event()
        self.next = [0] * partitions         # the highest record seen, and one
        self.stored = [0] * partitions       # the highest offset whose commit was acknowledged
        self.skipped = self.again = self.reset = self.refused = self.odd = 0
        self.members = [Member(self, number) for number in range(members)]

    def take(self, partition, offset, value, first):
        with self.lock:
            self.odd += offset != value
            if offset > self.next[partition]:
                self.skipped += offset - self.next[partition]
            elif offset < self.next[partition]:
                self.again += 1  # allowed: seen by a member before its last commit
            if first and offset < self.stored[partition]:
                self.reset += 1
            self.next[partition] = max(self.next[partition], offset + 1)

    def committed(self, offsets):
        with self.lock:
            for each in offsets:
                if not each.error:
                    self.stored[each.partition] = max(self.stored[each.partition], each.offset)

    def __enter__(self):
        for member in self.members:
            member.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for member in self.members:
            member.thread.join(60)

    def reaches(self, load, seconds=90):
        """Waits until the group has seen all that the load has acknowledged so far."""
        wanted = [len(each) for each in load.acknowledged]
        wait.until(lambda: all(seen >= end for seen, end in zip(self.next, wanted)), seconds,
                   f"the group at {wanted}, it is at {self.next}")

    def faults(self):
        return {"skipped": self.skipped, "commits lost": self.reset, "out of place": self.odd}
