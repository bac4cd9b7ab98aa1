"""An installation as the tutorials have it: bin with the servers' scripts, config with a file for each
broker, of today or with the keys of 0.8."""

import shutil

from support import ports, servers

ADDRESS = "listeners=PLAINTEXT://{host}:{port}"
OLD_ADDRESS = "port={port}\nhost.name={host}\nadvertised.host.name={host}"
PROPERTIES = """broker.id={number}
{address}
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
log.dirs={logs}
num.partitions=1
num.recovery.threads.per.data.dir=1
log.retention.hours=168
log.segment.bytes=1073741824
zookeeper.connect={tree}
zookeeper.connection.timeout.ms=6000
zookeeper.session.timeout.ms=6000
"""
OLD_KEYS = """default.replication.factor=1
auto.create.topics.enable=true
message.max.bytes=1000012
log.delete.delay.ms=60000
log.cleaner.enable=true
log.cleaner.threads=1
log.flush.interval.messages=10000
log.flush.interval.ms=1000
log.roll.hours=168
log.index.interval.bytes=4096
log.index.size.max.bytes=10485760
replica.lag.time.max.ms=10000
replica.lag.max.messages=4000
replica.socket.timeout.ms=30000
replica.fetch.max.bytes=1048576
num.replica.fetchers=1
controlled.shutdown.enable=true
controlled.shutdown.max.retries=3
controller.socket.timeout.ms=30000
controller.message.queue.size=10
zookeeper.sync.time.ms=2000
"""


def install(directory):
    """Programs of its own, so that the stop scripts end its servers only."""
    for name in ("bin", "config"):
        (directory / name).mkdir()
    for program in ("tandem", "tandem-coord", "tandem-broker"):
        shutil.copy(servers.binary(program), directory / "bin" / program)
    for server in ("zookeeper", "kafka"):
        for act in ("start", "stop"):
            (directory / "bin" / f"{server}-server-{act}.sh").symlink_to("tandem")


def broker_properties(number, port, logs, tree, old=False):
    address = (OLD_ADDRESS if old else ADDRESS).format(host=ports.HOST, port=port)
    text = PROPERTIES.format(number=number, address=address, logs=logs, tree=tree)
    return text + (OLD_KEYS if old else "")
