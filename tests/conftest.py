"""Fixtures shared by every Python test; docs/HACKING.md shows how to use them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kazoo.client import KazooClient

sys.path.insert(0, str(Path(__file__).resolve().parent))

from support import servers  # noqa: E402  (the path above comes first)


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="also the tests that are too long for CI")


def pytest_collection_modifyitems(config, items):
    """Without --full its tests are not part of the run (they do not count as skipped either)."""
    if config.getoption("--full"):
        return
    dropped = [item for item in items if item.get_closest_marker("full")]
    config.hook.pytest_deselected(items=dropped)
    items[:] = [item for item in items if item not in dropped]


def pytest_sessionfinish(session, exitstatus):
    """A folder whose tests are all marked full is no failure."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK


def commit_seed():
    named = os.environ.get("TANDEM_SEED")
    if named:
        return int(named)
    command = ["git", "-C", str(servers.ROOT), "rev-parse", "HEAD"]
    head = subprocess.run(command, capture_output=True, text=True)
    return int(head.stdout[:8] or "1", 16)


@pytest.fixture(scope="session")
def seed():
    """Randomness of a run: derived from the commit, or TANDEM_SEED. Print it in what a failure shows."""
    return commit_seed()


@pytest.fixture(scope="module")
def coord(tmp_path_factory):
    """A running tandem-coord, one for each test module."""
    with servers.Coord(tmp_path_factory.mktemp("coord")) as server:
        yield server


@pytest.fixture(scope="module")
def broker(tmp_path_factory, coord):
    """A running tandem-broker on the module's tandem-coord."""
    with servers.Broker(tmp_path_factory.mktemp("broker"), coord.connect) as server:
        yield server


@pytest.fixture
def new_coord(tmp_path):
    """A factory of coordination servers of a test's own: new_coord(config={...}); stopped afterwards."""
    yield from started(lambda n, **options: servers.Coord(tmp_path / f"coord{n}", **options))


@pytest.fixture
def new_broker(tmp_path):
    """A factory of brokers: new_broker(zookeeper="127.0.0.1:2181", config={...}); stopped afterwards."""
    yield from started(lambda n, **options: servers.Broker(tmp_path / f"broker{n}", **options))


def started(make):
    made = []

    def factory(**options):
        server = make(len(made), **options).start()
        made.append(server)
        return server

    yield factory
    for server in reversed(made):
        server.__exit__()


@pytest.fixture
def connect():
    """connect(hosts, timeout=20.0): a connected client of a test's own; closed afterwards."""
    made = []

    def start(hosts, timeout=20.0, **options):
        client = KazooClient(hosts, timeout=timeout, **options)
        client.start(30)
        made.append(client)
        return client

    yield start
    for client in made:
        client.stop()
        client.close()
