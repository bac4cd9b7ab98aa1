#!/usr/bin/env python3
"""Runs the programs of a Meson test suite and keeps count of their cases; sums the counts of all suites.

    suites.py programs BUILD SUITE... [--folders F...]     the targets to build, one for each line
    suites.py run BUILD SUITE... [--folders F...] [--filter WORD] --tally FILE [--jobs N]
    suites.py sum DIRECTORY                                the table; last line `N passed, N failed`

A doctest program counts its cases, a program of transcripts its scripts, any other program counts as one.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SUMMARY = re.compile(r"\[doctest\] test cases:\s*\d+\s*\|\s*(\d+) passed\s*"
                     r"\|\s*(\d+) failed\s*\|\s*(\d+) skipped")
SCRIPTS = re.compile(r"^transcripts: (\d+) passed, (\d+)( )failed$", re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
TIMEOUT_FACTOR = 4  # a loaded machine and the sanitizers


def tests_of(build, suites, folders, word=""):
    out = subprocess.run(["meson", "introspect", "--tests", build], capture_output=True, check=True).stdout
    for test in json.loads(out):
        names = {suite.split(":")[-1] for suite in test["suite"]}
        program = os.path.relpath(test["cmd"][0], os.path.abspath(build))
        inside = not folders or any(program.startswith(f"tests/unit/{folder}/") for folder in folders)
        if names & set(suites) and inside and word in f"{test['name']} {program}":
            yield {**test, "program": program}


def run_one(test):
    begin = time.monotonic()
    limit = test["timeout"] * TIMEOUT_FACTOR if test["timeout"] > 0 else None
    environment = {**os.environ, **test["env"]}
    try:
        done = subprocess.run(test["cmd"], cwd=test["workdir"], env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit)
        code, output = done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as error:
        code, output = "timeout", (error.stdout or b"").decode(errors="replace")
    found = SUMMARY.search(COLOUR.sub("", output)) or SCRIPTS.search(output)
    passed, failed, skipped = (int(n.strip() or 0) for n in found.groups()) if found else (0, 0, 0)
    if code != 0:
        failed = max(failed, 1)
    elif not found:
        passed = 1
    counts = {"passed": passed, "failed": failed, "skipped": skipped}
    return test, code, output, counts, time.monotonic() - begin


def command_run(arguments):
    tests = list(tests_of(arguments.build, arguments.suites, arguments.folders, arguments.filter))
    total = {"passed": 0, "failed": 0, "skipped": 0}
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for test, code, output, counts, seconds in pool.map(run_one, tests):
            for key in total:
                total[key] += counts[key]
            print(f"{'ok  ' if code == 0 else 'FAIL'} {test['name']:<24} {counts['passed']:>5} passed "
                  f"{counts['failed']:>3} failed {seconds:7.1f} s", flush=True)
            if code != 0:
                print(f"---- {test['program']} ended with {code}\n{output[-20000:]}----", flush=True)
    Path(arguments.tally).write_text(json.dumps(total))
    print(f"{arguments.build}: {describe(total)}")
    return 1 if total["failed"] else 0


def command_programs(arguments):
    tests = tests_of(arguments.build, arguments.suites, arguments.folders)
    print("\n".join(sorted({test["program"] for test in tests})))
    return 0


def counts_of(path):
    if path.suffix == ".json":
        return json.loads(path.read_text())
    rows = xml.parse(path).getroot().iter("testsuite")
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for row in rows:
        failed = int(row.get("failures", 0)) + int(row.get("errors", 0))
        skipped = int(row.get("skipped", 0))
        total["failed"] += failed
        total["skipped"] += skipped
        total["passed"] += int(row.get("tests", 0)) - failed - skipped
    return total


def describe(total):
    text = f"{total['passed']} passed, {total['failed']} failed"
    return text + (f", {total['skipped']} skipped" if total["skipped"] else "")


def command_sum(arguments):
    directory = Path(arguments.directory)
    files = [path for path in sorted(directory.iterdir()) if path.suffix in (".json", ".xml")]
    rows = {path.stem: counts_of(path) for path in files}
    marker = directory / "failed-stages"
    for stage in marker.read_text().split() if marker.exists() else []:
        # A stage that broke before it could count (a build that fails) is one failure.
        if not any(row["failed"] for name, row in rows.items() if name == stage):
            rows[stage + " stage"] = {"passed": 0, "failed": 1, "skipped": 0}
    total = {key: sum(row[key] for row in rows.values()) for key in ("passed", "failed", "skipped")}
    print()
    for name, row in rows.items():
        print(f"  {name:<12} {describe(row)}")
    print(describe(total))
    return 1 if total["failed"] or not total["passed"] else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("run", "programs"):
        one = verbs.add_parser(verb)
        one.add_argument("build")
        one.add_argument("suites", nargs="+")
        one.add_argument("--folders", nargs="+", default=[])
        if verb == "run":
            one.add_argument("--filter", default="")
            one.add_argument("--tally", required=True)
            one.add_argument("--jobs", type=int, default=2)
    verbs.add_parser("sum").add_argument("directory")
    arguments = parser.parse_args()
    return {"run": command_run, "programs": command_programs, "sum": command_sum}[arguments.verb](arguments)


if __name__ == "__main__":
    sys.exit(main())
