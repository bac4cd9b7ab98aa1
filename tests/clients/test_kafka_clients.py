"""Stock clients of Debian and Python against tandem-broker: kcat, confluent-kafka, kafka-python."""

import subprocess
import uuid

import confluent_kafka
import kafka
import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

from support import wait

RECORDS = 2000


@pytest.fixture
def topic(broker):
    name = f"t-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic(name, num_partitions=3, replication_factor=1)])[name].result(30)
    return name


def kcat(broker, *arguments, stdin=""):
    command = ["kcat", "-b", broker.bootstrap, "-q", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_kcat_gets_back_what_it_sent_in_each_codec(broker, topic, codec):
    lines = "".join(f"line {i} of {codec} {'x' * (i % 50)}\n" for i in range(RECORDS))
    kcat(broker, "-P", "-t", topic, "-p", "1", "-z", codec, stdin=lines)
    assert kcat(broker, "-C", "-t", topic, "-p", "1", "-e") == lines
    assert kcat(broker, "-Q", "-t", f"{topic}:1:-1").strip() == f"{topic} [1] offset {RECORDS}"


def test_kcat_lists_the_cluster(broker, topic):
    listed = kcat(broker, "-L", "-t", topic)
    assert f'topic "{topic}" with 3 partitions' in listed
    assert f"broker 0 at {broker.bootstrap} (controller)" in listed


def consumed(consumer, count, seconds=40):
    """The values of the next `count` messages."""
    values = []

    def enough():
        message = consumer.poll(0.5)
        if message is not None:
            assert message.error() is None, message.error()
            values.append(message.value())
        return len(values) >= count

    wait.until(enough, seconds, f"{count} messages", interval=0)
    return values


def confluent_consumer(broker, group, **more):
    return confluent_kafka.Consumer({"bootstrap.servers": broker.bootstrap, "group.id": group,
                                     "auto.offset.reset": "earliest", "enable.auto.commit": False, **more})


def test_confluent_idempotent_producer_and_a_group_that_commits_and_resumes(broker, topic):
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": True,
                                         "compression.type": "lz4"})
    failed = []
    for i in range(RECORDS):
        producer.produce(topic, key=f"k{i % 37}", value=str(i), headers={"n": str(i)},
                         on_delivery=lambda error, _: failed.append(error) if error else None)
    assert producer.flush(30) == 0 and not failed
    first = confluent_consumer(broker, "resumers")
    first.subscribe([topic])
    seen = consumed(first, RECORDS // 2)
    first.commit(asynchronous=False)
    first.close()
    second = confluent_consumer(broker, "resumers")
    second.subscribe([topic])
    seen += consumed(second, RECORDS - len(seen))
    second.close()
    assert sorted(int(value) for value in seen) == list(range(RECORDS))


@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
def test_two_members_share_the_partitions_and_one_takes_over(broker, topic, strategy):
    group = f"sharers-{strategy}-{topic}"
    options = {"partition.assignment.strategy": strategy}
    members = [confluent_consumer(broker, group, **options) for _ in range(2)]
    for member in members:
        member.subscribe([topic])

    def shares():
        for member in members:
            member.poll(0.1)
        return sorted(len(member.assignment()) for member in members)

    wait.until(lambda: shares() == [1, 2], 60, "three partitions shared by two members")
    members.pop().close()
    wait.until(lambda: shares() == [3], 60, "all partitions with the member that stayed")
    members.pop().close()


def test_confluent_grows_refuses_and_deletes_a_topic(broker, topic):
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_partitions([NewPartitions(topic, 5)])[topic].result(30)
    wait.until(lambda: len(admin.list_topics(topic).topics[topic].partitions) == 5, 20, "five partitions")
    with pytest.raises(confluent_kafka.KafkaException):
        admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])[topic].result(30)
    admin.delete_topics([topic])[topic].result(30)
    wait.until(lambda: topic not in admin.list_topics().topics, 20, "the deletion")


def test_confluent_alters_and_describes_settings(broker, topic):
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, set_config={"retention.ms": "123456"})
    next(iter(admin.alter_configs([resource]).values())).result(30)

    def retention():
        asked = ConfigResource(ConfigResource.Type.TOPIC, topic)
        return next(iter(admin.describe_configs([asked]).values())).result(30)["retention.ms"].value

    wait.until(lambda: retention() == "123456", 20, "the altered setting")


def test_kafka_python_produces_consumes_rewinds_and_finds_offsets_by_time(broker, topic):
    producer = kafka.KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all", compression_type="gzip")
    stamps = [1_700_000_000_000 + 1000 * i for i in range(300)]
    for i, stamp in enumerate(stamps):
        producer.send(topic, value=str(i).encode(), key=b"k", partition=0, timestamp_ms=stamp)
    producer.flush(30)
    producer.close()
    consumer = kafka.KafkaConsumer(bootstrap_servers=broker.bootstrap, group_id=f"python-{topic}",
                                   auto_offset_reset="earliest", enable_auto_commit=False)
    partition = kafka.TopicPartition(topic, 0)
    consumer.assign([partition])
    values = []

    def read(count):
        values.clear()

        def enough():
            for records in consumer.poll(timeout_ms=500).values():
                values.extend(int(record.value) for record in records)
            return len(values) >= count

        wait.until(enough, 40, f"{count} records", interval=0)
        return list(values)

    assert read(300) == list(range(300))
    assert consumer.offsets_for_times({partition: stamps[120]})[partition].offset == 120
    assert consumer.end_offsets([partition]) == {partition: 300}
    consumer.seek(partition, 290)
    assert read(10) == list(range(290, 300))
    consumer.commit()
    assert consumer.committed(partition) == 300
    consumer.close()
