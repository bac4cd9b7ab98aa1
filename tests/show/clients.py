#!/usr/bin/env python3
# Stock clients: kazoo's whole suite on ZooKeeper 3.9.5 and on tandem-coord in one run, the C client, Apache's
# shell, the seeded differential; kafka-python, confluent-kafka, kcat and Kafka's console tools on the broker.
# `clients.py [WORDS]` runs the files with these words in their names only, such as `kazoo` or `broker kafka`.
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def parts(wanted):
    """Test files by what they show; a file that came since is taken in by its name."""
    named = [*sorted((TESTS / "clients").glob("test_*.py")), *sorted((TESTS / "interop").glob("test_*.py"))]
    coord = ("kazoo", "c_client", "java_shell", "coord_differential", "zkcli")
    broker = ("kafka", "kcat", "confluent", "console", "broker")
    for title, words in (("tandem-coord", coord), ("tandem-broker", broker)):
        files = [str(path) for path in named if any(word in path.name for word in words)]
        files = [path for path in files if not wanted or any(word in Path(path).name for word in wanted)]
        if files:
            yield title, files


def run(title, files, directory):
    report = Path(directory) / f"{title}.xml"
    command = [sys.executable, "-m", "pytest", "-c", str(TESTS / "pytest.ini"), f"--rootdir={TESTS}",
               "--full", "-q", "-rA", "-s", f"--junitxml={report}", *files]
    subprocess.run(command, check=False)
    cases = list(xml.parse(report).getroot().iter("testcase"))
    bad = [case.get("name") for case in cases if any(child.tag in ("failure", "error") for child in case)]
    return title, len(cases), bad


def main():
    with tempfile.TemporaryDirectory(prefix="tandem-clients-") as directory:
        rows = [run(title, files, directory) for title, files in parts(sys.argv[1:])]
    for title, count, bad in rows:
        print(f"clients: {title}: {count} tests, {len(bad)} failed {bad or ''}")
    return 1 if len(rows) < (1 if sys.argv[1:] else 2) or any(bad for _, _, bad in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
