"""Kazoo 2.11.0's own suite, as its wheel carries it, against tandem-coord and against Apache ZooKeeper.

CI runs the part named below on ours. The long run is the whole suite on both in the same run: what Apache
passes, we pass, with one server, with an ensemble of three, and with one of which two are Apache's.
Left out is only what needs SASL, TLS or reconfig, and what tests no server.
"""

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

from peers import peers
from support import ports, servers

HERE = Path(__file__).parent / "kazoo_suite"
NO_SERVER = ("test_gevent_handler.py", "test_eventlet_handler.py", "test_threading_handler.py",
             "test_sasl.py", "test_build.py")
NEEDS_MORE = ("TestSSLClient or test_update_host_list or test_add_remove_observer or test_bad_input or "
              "test_no_super_auth or TestReadOnlyMode")
CI_PART = ("test_client.py", "test_connection.py", "test_lock.py", "test_watchers.py", "test_party.py",
           "test_counter.py")
TIMEOUT = {"part": 400, "whole": 1200}


def environment(server, directory, size):
    """Kazoo's harness is steered by the environment; a `java` of ours comes first in PATH for our server.
    In a mixed ensemble it starts ours as server 2 only."""
    values = {**os.environ, "ZOOKEEPER_CLUSTER_SIZE": str(size), "ZOOKEEPER_VERSION": peers.ZOOKEEPER,
              "ZOOKEEPER_PORT_OFFSET": str(free_range()), "ZOOKEEPER_CLASSPATH": "none",
              "PYTHONPATH": str(HERE), "TMPDIR": str(directory)}
    if server != "ours":
        values["ZOOKEEPER_CLASSPATH"] = f"{peers.install('zookeeper', peers.ZOOKEEPER)}/lib/*"
    if server == "mixed":
        values["APACHE_JAVA"] = shutil.which("java")
    if server != "apache":
        values["PATH"] = f"{HERE / 'bin'}:{values['PATH']}"
        values["TANDEM_COORD"] = str(servers.binary("tandem-coord"))
    return values


def free_range():
    """The first of ten ports that nobody listens on: the harness counts up from it."""
    while True:
        first = ports.free_port()
        try:
            for port in range(first, first + 10):
                ports.bind_probe(port)
            return first
        except OSError:
            continue


def suite(server, directory, modules, limit, size=1):
    """{test: outcome} of a run of kazoo's tests against `size` servers."""
    import kazoo.tests
    home = Path(kazoo.tests.__file__).parent
    files = [str(home / name) for name in modules] if modules else [str(home)]
    report = directory / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={home}", "-c",
               os.devnull, f"--junitxml={report}", "-k", f"not ({NEEDS_MORE})", *files]
    command += [f"--ignore={home / name}" for name in NO_SERVER]
    log = directory / "pytest.log"
    with open(log, "wb") as out:
        subprocess.run(command, cwd=directory, env=environment(server, directory, size),
                       stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, timeout=limit)
    print(f"{server}: {[line for line in log.read_text(errors='replace').splitlines() if ' passed' in line]}")
    return outcomes(report), report


def outcomes(report):
    rows = {}
    for case in xml.parse(report).getroot().iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        rows[f"{case.get('classname')}.{case.get('name')}"] = outcome
    assert rows, "no test ran"
    return rows


def failures(rows):
    return sorted(name for name, outcome in rows.items() if outcome == "failed")


def test_the_named_part_passes(tmp_path):
    rows, report = suite("ours", tmp_path, CI_PART, TIMEOUT["part"])
    if os.environ.get("TANDEM_TALLY"):  # its cases count in the sum of the gate
        shutil.copy(report, Path(os.environ["TANDEM_TALLY"]) / "kazoo.xml")
    assert not failures(rows), (tmp_path / "pytest.log").read_text(errors="replace")[-6000:]


@pytest.mark.full
@pytest.mark.parametrize("size, ours", ((1, "ours"), (3, "ours"), (3, "mixed")))
def test_what_apache_passes_we_pass(tmp_path, size, ours):
    found = {}
    for server in ("apache", ours):
        (tmp_path / server).mkdir()
        found[server], _ = suite(server, tmp_path / server, None, TIMEOUT["whole"], size)
    passed = {name for name, outcome in found["apache"].items() if outcome == "passed"}
    missed = sorted(name for name in passed if found[ours].get(name) != "passed")
    print(f"Apache passes {len(passed)}, of these {ours} passes {len(passed) - len(missed)}")
    print(f"Apache fails {failures(found['apache'])}; {ours} fails {failures(found[ours])}")
    assert len(passed) > 200 and not missed
