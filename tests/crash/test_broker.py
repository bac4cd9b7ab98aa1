"""tandem-broker loses nothing it acknowledged: kill -9 with the default flush policy, power cuts with
flush.messages=1."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import broker_cycles  # noqa: E402
import cycles  # noqa: E402

CYCLES = int(os.environ.get("TANDEM_CRASH_CYCLES", "10"))


def check(tally, kind, seed):
    print(f"\n{kind}, seed {seed}: {tally.line()}")
    assert not tally.complaints, "\n".join(tally.complaints)
    assert tally.lost == 0


def test_kill_9_loses_nothing_acknowledged(tmp_path, seed):
    check(broker_cycles.Cycles(tmp_path, seed, power=False).run(CYCLES), "kill -9", seed)


def test_a_power_cut_loses_nothing_that_was_flushed(tmp_path, seed):
    if not cycles.loop_mounts_work(tmp_path):
        pytest.skip("loop mounts are not allowed here")
    check(broker_cycles.Cycles(tmp_path, seed, power=True).run(CYCLES), "power", seed)
