"""tandem-coord and tandem-broker on free loopback ports, with configuration files like a user's."""

import os
from pathlib import Path

from support import ports
from support.process import Process

ROOT = Path(__file__).resolve().parents[2]


def build_directory():
    """TANDEM_BUILD names another build (the sanitizers' ones); the release build otherwise."""
    return Path(os.environ.get("TANDEM_BUILD", ROOT / "build" / "release")).resolve()


def binary(name):
    column = {"tandem-coord": "coord", "tandem-broker": "broker", "tandem": "tools"}[name]
    path = build_directory() / column / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: run ./dev build")
    return path


def tool(name, *arguments):
    """The command line of one of our tools by its classic name, such as zkCli.sh."""
    return [str(binary("tandem")), name.removesuffix(".sh"), *map(str, arguments)]


def write_properties(path, values):
    """key=value lines; a list value writes its key several times (server.N excepted, whose keys differ)."""
    lines = [f"{key}={value}" for key, value in values.items() if value is not None]
    Path(path).write_text("\n".join(lines) + "\n")
    return Path(path)


def zoo_cfg(directory, port, **overrides):
    """A zoo.cfg under `directory`; dots in keys are written as in zoo.cfg: pass them by **{"a.b": 1}."""
    directory = Path(directory)
    (directory / "data").mkdir(parents=True, exist_ok=True)
    values = {
        "tickTime": 2000, "initLimit": 10, "syncLimit": 5,
        "dataDir": directory / "data", "clientPort": port, "clientPortAddress": ports.HOST,
        "admin.enableServer": "false", "4lw.commands.whitelist": "*", "maxClientCnxns": 0,
    }
    values.update(overrides)
    return write_properties(directory / "zoo.cfg", values)


def server_properties(directory, port, zookeeper, **overrides):
    """A server.properties for one broker on one machine."""
    directory = Path(directory)
    values = {
        "broker.id": 0, "listeners": f"PLAINTEXT://{ports.HOST}:{port}", "zookeeper.connect": zookeeper,
        "log.dirs": directory / "logs", "num.partitions": 1, "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4, "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1, "group.initial.rebalance.delay.ms": 0,
        "log.retention.hours": 168, "zookeeper.session.timeout.ms": 6000,
    }
    values.update(overrides)
    return write_properties(directory / "server.properties", values)


def ready_zookeeper(port, host=ports.HOST):
    return (ports.four_letter_word(port, "ruok", host) == "imok"
            and "Mode:" in ports.four_letter_word(port, "srvr", host))


class Coord(Process):
    """tandem-coord. `config` are keys of zoo.cfg, `properties` go on the command line as -Dkey=value."""

    name = "tandem-coord"
    start_timeout = 30.0

    def __init__(self, directory, port=None, config=None, properties=None, flags="",
                 host=ports.HOST, prefix=()):
        """`host`, `prefix`: another host of a netns.Lab, and what runs a command there."""
        super().__init__(directory)
        self.port = port or ports.free_port()
        self.host, self.prefix = host, list(prefix)
        self.config = zoo_cfg(directory, self.port, **{"clientPortAddress": host, **(config or {})})
        self.properties = properties or {}
        self.flags = flags

    @property
    def connect(self):
        return f"{self.host}:{self.port}"

    def command(self):
        options = [f"-D{key}={value}" for key, value in self.properties.items()]
        return [*self.prefix, str(binary("tandem-coord")), *options, str(self.config)]

    def environment(self):
        return {**super().environment(), "SERVER_JVMFLAGS": self.flags}

    def ready(self):
        return ready_zookeeper(self.port, self.host)

    def word(self, word):
        return ports.four_letter_word(self.port, word, self.host)


class Broker(Process):
    """tandem-broker. `config` are keys of server.properties, `overrides` go on the command line."""

    name = "tandem-broker"
    start_timeout = 60.0

    def __init__(self, directory, zookeeper, port=None, config=None, overrides=None):
        super().__init__(directory)
        self.port = port or ports.free_port()
        self.config = server_properties(directory, self.port, zookeeper, **(config or {}))
        self.overrides = overrides or {}

    @property
    def bootstrap(self):
        return f"{ports.HOST}:{self.port}"

    def command(self):
        options = [w for key, value in self.overrides.items() for w in ("--override", f"{key}={value}")]
        return [str(binary("tandem-broker")), str(self.config), *options]

    def ready(self):
        started = "started (kafka.server.KafkaServer)" in self.log_of_this_start()
        return started and bool(ports.api_versions(self.port))
