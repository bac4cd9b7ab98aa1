"""Apache ZooKeeper and Apache Kafka as peers: fetched once by Maven, run and driven on loopback.

Jars go to ${TANDEM_PEERS:-$HOME/.cache/tandem-peers}/NAME-VERSION/lib. CI uses ZooKeeper 3.9.5,
Kafka 3.9.1 and Kafka 2.7.2 only; any other version belongs into tests marked `full`.
"""

import fcntl
import os
import subprocess
import zipfile
from pathlib import Path

from support import ports, servers
from support.process import Process

ZOOKEEPER = "3.9.5"
KAFKA = "3.9.1"
KAFKA_OLD = "2.7.2"

# What the servers need beside their own artifact: their poms call the shell's and the AdminServer's libraries
# "provided", and the releases differ in the logging they were built with.
LOG4J = [("org.slf4j", "slf4j-reload4j", "1.7.36")]
LOGBACK = [("ch.qos.logback", "logback-classic", "1.3.15")]
OLD_LOGBACK = [("ch.qos.logback", "logback-classic", "1.2.13")]  # for slf4j 1.7, which 3.8 has
ZOOKEEPER_EXTRAS = [
    ("commons-cli", "commons-cli", "1.5.0"),
    ("commons-io", "commons-io", "2.17.0"),
    ("org.eclipse.jetty", "jetty-server", "9.4.57.v20241219"),
    ("org.eclipse.jetty", "jetty-servlet", "9.4.57.v20241219"),
    ("com.fasterxml.jackson.core", "jackson-databind", "2.15.2"),
    ("jline", "jline", "2.14.6"),
    ("io.dropwizard.metrics", "metrics-core", "4.1.12.1"),
    ("org.xerial.snappy", "snappy-java", "1.1.10.5"),
]
NEW_JLINE = [("org.jline", "jline", "3.25.1")]

# Kafka's scripts by the class they run; the classes moved between packages from release to release.
TOOLS = {
    "kafka-topics": "TopicCommand",
    "kafka-console-producer": "ConsoleProducer",
    "kafka-console-consumer": "ConsoleConsumer",
    "kafka-consumer-groups": "ConsumerGroupCommand",
    "kafka-configs": "ConfigCommand",
    "kafka-get-offsets": "GetOffsetShell",
    "kafka-dump-log": "DumpLogSegments",
    "kafka-broker-api-versions": "BrokerApiVersionsCommand",
    "kafka-delete-records": "DeleteRecordsCommand",
    "kafka-log-dirs": "LogDirsCommand",
    "kafka-reassign-partitions": "ReassignPartitionsCommand",
    "kafka-leader-election": "LeaderElectionCommand",
    "kafka-preferred-replica-election": "PreferredReplicaLeaderElectionCommand",
    "kafka-features": "FeatureCommand",
    "kafka-cluster": "ClusterTool",
    "kafka-producer-perf-test": "ProducerPerformance",
    "kafka-consumer-perf-test": "ConsumerPerformance",
    "kafka-replica-verification": "ReplicaVerificationTool",
    "kafka-verifiable-producer": "VerifiableProducer",
    "kafka-verifiable-consumer": "VerifiableConsumer",
}

LOG4J_PROPERTIES = """log4j.rootLogger={level}, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.Target=System.err
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=[%d] %p %m (%c)%n
"""
LOGBACK_XML = """<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender"><target>System.err</target>
    <encoder><pattern>%d %p %m \\(%c\\)%n</pattern></encoder></appender>
  <root level="{level}"><appender-ref ref="OUT"/></root>
</configuration>
"""


def cache():
    named = os.environ.get("TANDEM_PEERS")
    return Path(named) if named else Path.home() / ".cache" / "tandem-peers"


def dependencies(name, version):
    if name == "kafka":
        return [("org.apache.kafka", artifact, version) for artifact in ("kafka_2.13", "kafka-tools")] + LOG4J
    major, minor, patch = (int(part) for part in version.split("."))
    artifact = [("org.apache.zookeeper", "zookeeper", version)]
    if (major, minor) < (3, 5):
        return artifact + LOG4J
    logging = LOGBACK if (major, minor) >= (3, 9) else OLD_LOGBACK if minor == 8 else LOG4J
    return artifact + logging + ZOOKEEPER_EXTRAS + (NEW_JLINE if (minor, patch) >= (9, 4) else [])


def pom(rows):
    lines = ["<project><modelVersion>4.0.0</modelVersion>",
             "<groupId>tandem.tests</groupId><artifactId>peer</artifactId><version>1</version><dependencies>"]
    for group, artifact, version in rows:
        lines.append(f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
                     f"<version>{version}</version></dependency>")
    return "\n".join(lines + ["</dependencies></project>\n"])


def unwanted(name, version, jar):
    """Second logging back ends: slf4j takes whichever comes first."""
    log4j = name == "kafka" or tuple(version.split(".")[:2]) < ("3", "8")
    return log4j and jar.name.startswith(("logback-", "slf4j-log4j12-"))


def install(name, version):
    """The directory of the peer, fetched when it is not there yet."""
    home = cache() / f"{name}-{version}"
    if (home / "ready").exists():
        return home
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (home / "ready").exists():
            return home
        print(f"fetching {name} {version} by Maven into {home}", flush=True)
        (home / "pom.xml").write_text(pom(dependencies(name, version)))
        subprocess.run(["mvn", "-q", "-B", "-Dstyle.color=never", "-f", str(home / "pom.xml"),
                        "dependency:copy-dependencies", f"-DoutputDirectory={home / 'lib'}",
                        "-DincludeScope=runtime"], check=True, stdin=subprocess.DEVNULL)
        for jar in (home / "lib").glob("*.jar"):
            if unwanted(name, version, jar):
                jar.unlink()
        for level in ("INFO", "WARN"):
            (home / f"log4j-{level}.properties").write_text(LOG4J_PROPERTIES.format(level=level))
            (home / f"logback-{level}.xml").write_text(LOGBACK_XML.format(level=level))
        (home / "ready").touch()
    return home


def java(name, version, main, *arguments, level="WARN", options=()):
    """The command line of a main class of a peer."""
    home = install(name, version)
    return ["java", "-XX:TieredStopAtLevel=1" if level == "WARN" else "-XX:+UseG1GC", "-cp", f"{home}/lib/*",
            f"-Dlog4j.configuration=file:{home}/log4j-{level}.properties",
            f"-Dlogback.configurationFile={home}/logback-{level}.xml", *options, main, *map(str, arguments)]


def tool_class(version, tool):
    simple = TOOLS[tool.removesuffix(".sh")]
    found = []
    for jar in (install("kafka", version) / "lib").glob("kafka*.jar"):
        if jar.name.startswith(("kafka_", "kafka-tools-")):
            found += [n for n in zipfile.ZipFile(jar).namelist() if n.endswith(f"/{simple}.class")]
    if not found:
        raise LookupError(f"Kafka {version} has no {simple}")
    return min(found, key=lambda n: not n.startswith("org/")).removesuffix(".class").replace("/", ".")


def kafka_tool(version, tool, *arguments, options=()):
    """The command line of Apache's kafka-topics.sh and so on."""
    return java("kafka", version, tool_class(version, tool), *arguments, options=options)


def zookeeper_shell(*arguments, version=ZOOKEEPER):
    """The command line of Apache's zkCli.sh."""
    return java("zookeeper", version, "org.apache.zookeeper.ZooKeeperMain", *arguments)


def run(command, stdin=None, timeout=90.0, check=True):
    """A tool to its end; its standard output. The error carries both streams."""
    result = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout,
                            stdin=subprocess.DEVNULL if stdin is None else None)
    if check and result.returncode != 0:
        output = f"{result.stdout}\n{result.stderr}"
        raise AssertionError(f"{command[-6:]} ended with {result.returncode}\n{output}")
    return result.stdout


class ApacheZooKeeper(Process):
    """Apache's standalone server on a zoo.cfg of ours; `properties` are -D options."""

    name = "zookeeper"

    def __init__(self, directory, port=None, config=None, properties=None, version=ZOOKEEPER,
                 heap="256m"):
        super().__init__(directory)
        self.port = port or ports.free_port()
        self.config = servers.zoo_cfg(directory, self.port, **(config or {}))
        self.properties = {"zookeeper.admin.enableServer": "false", **(properties or {})}
        self.version, self.heap = version, heap

    @property
    def connect(self):
        return f"{ports.HOST}:{self.port}"

    def command(self):
        options = [f"-Xmx{self.heap}", *(f"-D{key}={value}" for key, value in self.properties.items())]
        main = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
        return java("zookeeper", self.version, main, self.config, level="INFO", options=options)

    def ready(self):
        return servers.ready_zookeeper(self.port)

    def word(self, word):
        return ports.four_letter_word(self.port, word)


class ApacheKafka(Process):
    """Apache's broker on a server.properties of ours."""

    name = "kafka"
    start_timeout = 120.0

    def __init__(self, directory, zookeeper, port=None, config=None, version=KAFKA, heap="512m",
                 options=()):
        super().__init__(directory)
        self.port = port or ports.free_port()
        self.config = servers.server_properties(directory, self.port, zookeeper, **(config or {}))
        self.version, self.heap, self.options = version, heap, list(options)

    @property
    def bootstrap(self):
        return f"{ports.HOST}:{self.port}"

    def command(self):
        options = [f"-Xmx{self.heap}", f"-Xms{self.heap}", f"-Dkafka.logs.dir={self.directory}",
                   *self.options]
        return java("kafka", self.version, "kafka.Kafka", self.config, level="INFO", options=options)

    def ready(self):
        # It says so before its controller has told it of the cluster.
        started = "started (kafka.server.KafkaServer)" in self.log_of_this_start()
        return started and ports.knows_controller(self.port)
