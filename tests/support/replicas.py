"""Whether replicas of partitions are equal, as Kafka's DumpLogSegments and both verification tools see."""

import re
import subprocess
import threading

from peers import peers
from support import servers, wait

BATCH = re.compile(r"^baseOffset: .*")
ASIDE = re.compile(r" (?:position|size|crc32): ?\S+")  # where a batch lies in its file
FAULT = re.compile(r"isvalid: false|[Mm]ismatch|[Nn]on-consecutive|[Ii]nvalid|corrupt")


def log_files(broker, topic, partition):
    return sorted((broker.directory / "logs").glob(f"{topic}-{partition}/*.log"))


def dump(files, version=peers.KAFKA):
    return peers.run(peers.kafka_tool(version, "kafka-dump-log", "--files", ",".join(map(str, files)),
                                      options=("-Xmx256m",)), timeout=180)


def unequal(brokers, topic, partitions, version=peers.KAFKA):
    """Sentences about replicas whose batches differ by DumpLogSegments; run by one JVM over all files."""
    files = {(number, partition): log_files(broker, topic, partition)
             for number, broker in brokers.items() for partition in range(partitions)}
    owner = {str(path): where for where, paths in files.items() for path in paths}
    batches, faults, where = {key: [] for key in files}, [], None
    for line in dump(owner, version).splitlines():
        if line.startswith("Dumping "):
            where = owner[line.removeprefix("Dumping ").strip()]
        elif BATCH.match(line):
            batches[where].append(ASIDE.sub("", line))
        if FAULT.search(line):
            faults.append(f"broker {where[0]}, {topic}-{where[1]}: {line}")
    for partition in range(partitions):
        rows = {number: batches[number, partition] for number in brokers if files[number, partition]}
        reference = max(rows.values(), key=len)
        for number, row in rows.items():
            if row == reference:
                continue
            at = next((i for i, (a, b) in enumerate(zip(row, reference)) if a != b), len(row))
            faults.append(f"{topic}-{partition}: broker {number} has {len(row)} batches, another one "
                          f"{len(reference)}; they part at {row[at:at + 1]} and {reference[at:at + 1]}")
    return faults


def verified(command, seconds=90):
    """Runs a replica verification until it reports no lag; the lines that speak of differences."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             stdin=subprocess.DEVNULL)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(child.stdout), daemon=True)
    reader.start()
    try:
        wait.until(lambda: any("max lag is 0 " in line for line in list(lines)) or child.poll() is not None,
                   seconds, "a report of the replica verification without lag")
    finally:
        child.kill()
        child.wait(30)
    reader.join(10)
    bad = [line for line in lines if re.search(r"n't match|differ|[Mm]ismatch|Exception|ERROR", line)]
    return bad if any("max lag is 0 " in line for line in lines) else bad or lines[-5:] or ["no report"]


def verification_faults(bootstrap, topic, version=peers.KAFKA):
    """By Apache's tool and by ours."""
    included = "--topic-white-list" if version.startswith("2.") else "--topics-include"
    arguments = ["--broker-list", bootstrap, included, topic, "--time", "-2", "--report-interval-ms", "1000"]
    theirs = peers.kafka_tool(version, "kafka-replica-verification", *arguments, options=("-Xmx256m",))
    return verified(theirs) + verified(servers.tool("kafka-replica-verification.sh", *arguments))
