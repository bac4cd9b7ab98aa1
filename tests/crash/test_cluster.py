"""Three brokers over three coordination servers lose nothing they acknowledged, and nothing is there twice:
one killed, all killed, the power of all lost."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import cluster_cycles  # noqa: E402
import cycles  # noqa: E402

COUNT = cycles.count(2)


def test_kill_9_of_one_loses_nothing_and_the_others_serve_on(tmp_path, seed):
    cycles.check(cluster_cycles.OneDies(tmp_path, seed, power=False).run(COUNT), "kill -9 of one", seed)


def test_kill_9_of_all_loses_nothing_acknowledged(tmp_path, seed):
    cycles.check(cluster_cycles.Cycles(tmp_path, seed, power=False).run(COUNT), "kill -9 of all", seed)


def test_a_power_cut_of_all_loses_nothing_acknowledged(tmp_path, seed):
    if not cycles.loop_mounts_work(tmp_path):
        pytest.skip("loop mounts are not allowed here")
    cycles.check(cluster_cycles.Cycles(tmp_path, seed, power=True).run(COUNT), "power", seed)
