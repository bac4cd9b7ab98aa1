"""The same raw requests of every advertised API and version on Apache Kafka 3.9.1 and on tandem-broker.

Prints the matrix API x version x error with counts. floor.txt holds what may not be lost: how many cells were
filled by Kafka, how many of them agree, and how many answers are equal once ids and times are scrubbed.
"""

import re
import subprocess
from pathlib import Path

import pytest

from peers import peers
from support import servers

FLOOR = Path(__file__).parent / "broker_differential" / "floor.txt"
SECONDS_MAX = 400


@pytest.fixture
def two_brokers(tmp_path, connect):
    overrides = {"offsets.topic.num.partitions": 4}
    with servers.Coord(tmp_path / "coord") as coord:
        kafka_tree, our_tree = f"{coord.connect}/kafka", f"{coord.connect}/ours"
        with peers.ApacheKafka(tmp_path / "kafka", kafka_tree, config=overrides) as kafka:
            with servers.Broker(tmp_path / "ours", our_tree, config=overrides) as ours:
                yield [f"{each.bootstrap}/{connect(tree).get('/brokers/ids/0')[1].czxid}"
                       for each, tree in ((kafka, kafka_tree), (ours, our_tree))]


def read_floor():
    return {name: int(number) for name, number in re.findall(r"^(\w+) (\d+)$", FLOOR.read_text(), re.M)}


def test_every_api_and_version_answers_as_kafka(two_brokers):
    program = servers.build_directory() / "tests/interop/broker_differential/broker_differential"
    command = [str(program), *two_brokers]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX)
    print(done.stdout)
    assert done.returncode == 0, done.stderr
    words = done.stdout.splitlines()[-1].split()
    seen = {words[i]: int(words[i + 1]) for i in range(0, len(words), 2)}
    for name, least in read_floor().items():
        assert seen[name] >= least, f"{name}: {seen[name]}, and it was {least} before"
