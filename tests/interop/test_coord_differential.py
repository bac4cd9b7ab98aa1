"""One seeded list of operations on Apache ZooKeeper and on tandem-coord: replies equal byte by byte.

Only times, session ids and the order of hash sets are masked (coord_diff/masks.py). The matrix of operation
and error is printed; a cell that coord_diff/cells.txt names may not go empty.
"""

from pathlib import Path

import pytest

from interop.coord_diff.operations import SUPER_DIGEST, Generator
from interop.coord_diff.runner import Side, matrix, table
from peers import peers
from support import servers

STEPS = 4000
STEPS_FULL = 40000
CELLS = Path(__file__).parent / "coord_diff" / "cells.txt"
SHOWN_MAX = 15

PROPERTIES = {
    "zookeeper.forceSync": "no",
    "zookeeper.extendedTypesEnabled": "true",
    "zookeeper.enforceQuota": "true",
    "zookeeper.DigestAuthenticationProvider.superDigest": SUPER_DIGEST,
    "znode.container.checkIntervalMs": "3600000",
}
CONFIG = {"maxSessionTimeout": 900000, "tickTime": 2000}


def asked(server, steps):
    with server:
        return Side(server.port).run(steps)


def differences(steps, apache, ours):
    for number, (step, theirs, own) in enumerate(zip(steps, apache, ours)):
        what = theirs.differs(own)
        if what:
            values = getattr(theirs, what), getattr(own, what)
            shown = [value.hex() if isinstance(value, bytes) else value for value in values]
            yield f"step {number} {step}\n    {what}: Apache {shown[0]}\n    {what}: ours   {shown[1]}"


def compare(tmp_path, seed, count, check_cells):
    steps = list(Generator(seed).steps(count))
    apache = asked(peers.ApacheZooKeeper(tmp_path / "apache", config=CONFIG, properties=PROPERTIES), steps)
    ours = asked(servers.Coord(tmp_path / "ours", config=CONFIG, properties=PROPERTIES), steps)
    cells = matrix(steps, apache)
    print(f"\nseed {seed}, {count} operations, {len(cells)} cells of operation x error:\n{table(cells)}")
    found = list(differences(steps, apache, ours))
    assert not found, f"seed {seed}: {len(found)} of {count} replies differ:\n" + "\n".join(found[:SHOWN_MAX])
    if check_cells:
        empty = [row for row in CELLS.read_text().splitlines() if row and not cells[tuple(row.split("\t"))]]
        assert not empty, f"cells that were filled once are empty: {empty}"


def test_every_reply_equals_apaches(tmp_path):
    compare(tmp_path, 1, STEPS, check_cells=True)


def test_every_reply_equals_apaches_for_the_seed_of_this_commit(tmp_path, seed):
    compare(tmp_path, seed, STEPS, check_cells=False)


@pytest.mark.full
def test_every_reply_equals_apaches_over_a_long_list(tmp_path, seed):
    compare(tmp_path, seed + 1, STEPS_FULL, check_cells=False)
