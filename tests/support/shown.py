"""Tests of this tree as parts of a show."""

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def run(file, *options):
    """(how many tests ran, the names of those that failed) of a file below tests/, long ones included."""
    with tempfile.TemporaryDirectory(prefix="tandem-shown-") as directory:
        report = Path(directory) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-c", str(TESTS / "pytest.ini"), f"--rootdir={TESTS}",
                   "--full", "-q", "-rA", f"--junitxml={report}", str(TESTS / file), *options]
        subprocess.run(command, check=False)
        cases = list(xml.parse(report).getroot().iter("testcase"))
    bad = [case.get("name") for case in cases if any(child.tag in ("failure", "error") for child in case)]
    skipped = sum(any(child.tag == "skipped" for child in case) for case in cases)
    return len(cases) - skipped, bad
