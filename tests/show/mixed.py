#!/usr/bin/env python3
# Ensembles of tandem-coord and ZooKeeper 3.9.5, 3.8 and 3.5: each in each role, every way of synchronizing,
# leaders that die under load, sessions that move, a wrong digest that is noticed, histories under faults.
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PARTS = {
    "roles": ("interop/test_mixed_ensemble.py",),
    "synchronization": ("interop/test_sync_paths.py",),
    "leaders that die": ("interop/test_mixed_failover.py",),
    "sessions": ("interop/test_ensemble_sessions.py",),
    "a wrong digest": ("interop/test_wrong_digest.py",),
    "faults": ("clients/test_ensemble_faults.py",),
}


def run(title, files, report):
    command = [sys.executable, "-m", "pytest", "-c", str(TESTS / "pytest.ini"), f"--rootdir={TESTS}",
               "--full", "-q", "-rA", f"--junitxml={report}", *(str(TESTS / file) for file in files)]
    subprocess.run(command, check=False)
    cases = list(xml.parse(report).getroot().iter("testcase"))
    bad = [case.get("name") for case in cases if any(child.tag in ("failure", "error") for child in case)]
    return title, len(cases), bad


def main():
    with tempfile.TemporaryDirectory(prefix="tandem-mixed-") as directory:
        rows = [run(title, files, Path(directory) / "report.xml") for title, files in PARTS.items()]
    for title, count, bad in rows:
        print(f"mixed: {title}: {count} tests, {len(bad)} failed {bad or ''}")
    return 1 if any(bad or not count for _, count, bad in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
