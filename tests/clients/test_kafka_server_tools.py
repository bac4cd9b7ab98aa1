"""kafka-server-start.sh, kafka-server-stop.sh and Kafka's spellings for the coordination server, from an
installation of their own: the stop commands end every server that runs from it, and no other."""

import os
import shutil
import subprocess

import pytest

from support import ports, servers, wait
from support.process import alive, stop_pid


class Site:
    def __init__(self, directory):
        self.directory = directory
        self.bin = directory / "bin"
        self.bin.mkdir()
        for program in ("tandem", "tandem-coord", "tandem-broker"):
            shutil.copy(servers.binary(program), self.bin / program)

    def call(self, name, *arguments):
        link = self.bin / name
        if not link.exists():
            link.symlink_to("tandem")
        environment = {**os.environ, "LOG_DIR": str(self.directory / "logs")}
        result = subprocess.run([str(link), *map(str, arguments)], capture_output=True, text=True, timeout=60,
                                env=environment, stdin=subprocess.DEVNULL)
        return result.stdout, result.returncode

    def pids(self, program):
        found = []
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and os.readlink(f"/proc/{entry}/exe") == str(self.bin / program):
                    found.append(int(entry))
            except OSError:
                continue
        return [pid for pid in found if alive(pid)]


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    for program in ("tandem-broker", "tandem-coord"):
        for pid in made.pids(program):
            stop_pid(pid)


def test_a_pair_starts_as_daemons_and_stops_by_installation(site, coord, tmp_path):
    zookeeper, port = ports.free_port(), ports.free_port()
    zoo_cfg = servers.zoo_cfg(tmp_path / "zk", zookeeper)
    (tmp_path / "kafka").mkdir()
    properties = servers.server_properties(tmp_path / "kafka", 1, f"{ports.HOST}:{zookeeper}")
    assert site.call("zookeeper-server-start.sh", "-daemon", zoo_cfg) == ("", 0)
    wait.until(lambda: servers.ready_zookeeper(zookeeper), 20, "the coordination server")
    override = f"listeners=PLAINTEXT://{ports.HOST}:{port}"
    assert site.call("kafka-server-start.sh", "-daemon", properties, "--override", override) == ("", 0)
    log = tmp_path / "logs" / "kafkaServer.out"
    wait.until(lambda: "started (kafka.server.KafkaServer)" in log.read_text(), 40, "the broker")
    assert ports.api_versions(port)
    assert site.call("kafka-server-stop.sh") == ("", 0)
    wait.until(lambda: not site.pids("tandem-broker"), 40, "the broker's end")
    assert site.call("zookeeper-server-stop.sh") == ("", 0)
    wait.until(lambda: not site.pids("tandem-coord"), 40, "the coordination server's end")
    assert servers.ready_zookeeper(coord.port)  # of another installation


def test_nothing_to_stop_is_said(site):
    assert site.call("kafka-server-stop.sh") == ("No kafka server to stop\n", 1)
    assert site.call("zookeeper-server-stop.sh") == ("No zookeeper server to stop\n", 1)


def test_wrong_usage_is_answered_with_the_usage(site):
    output, code = site.call("kafka-server-start.sh")
    assert output.endswith("kafka-server-start.sh [-daemon] server.properties [--override property=value]*\n")
    assert code == 1
    assert site.call("zookeeper-server-start.sh", "-daemon")[1] == 1


def test_a_protocol_version_that_is_none_stops_the_start(site, coord, tmp_path):
    (tmp_path / "kafka").mkdir()
    properties = servers.server_properties(tmp_path / "kafka", ports.free_port(), coord.connect,
                                           **{"inter.broker.protocol.version": "9.9"})
    output, code = site.call("kafka-server-start.sh", properties)
    assert code == 1 and 'inter.broker.protocol.version: "9.9" is not a version' in output
    config = {"inter.broker.protocol.version": "0.10.2-IV0"}
    with servers.Broker(tmp_path / "old", coord.connect, config=config) as old:
        assert "0.10.2-IV0 is older than 2.7" in old.log()
