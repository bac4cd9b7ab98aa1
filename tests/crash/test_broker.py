"""tandem-broker loses nothing it acknowledged: kill -9 with the default flush policy, power cuts with
flush.messages=1."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import broker_cycles  # noqa: E402
import cycles  # noqa: E402

COUNT = cycles.count(10)


def test_kill_9_loses_nothing_acknowledged(tmp_path, seed):
    cycles.check(broker_cycles.Cycles(tmp_path, seed, power=False).run(COUNT), "kill -9", seed)


def test_a_power_cut_loses_nothing_that_was_flushed(tmp_path, seed):
    if not cycles.loop_mounts_work(tmp_path):
        pytest.skip("loop mounts are not allowed here")
    cycles.check(broker_cycles.Cycles(tmp_path, seed, power=True).run(COUNT), "power", seed)
