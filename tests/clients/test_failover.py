"""A leader that is killed, stopped or cut off is replaced quickly at default settings, one that lives is not
replaced however busy the machine is."""

import os
import signal
import subprocess
import sys

import pytest

from support import failover, netns, servers, wait
from support.ensembles import Ensemble

CYCLES = 3
SECONDS_MAX = 1.5


@pytest.fixture
def ensemble(tmp_path):
    with Ensemble(tmp_path, ["ours"] * 3) as made:
        failover.prepare(made)
        yield made


def gaps(ensemble, fault, lab=None):
    seconds = [failover.gap(ensemble, fault, lab) for _ in range(CYCLES)]
    print(f"{fault}: " + " ".join(f"{each * 1000:.0f}" for each in seconds) + " ms to the first write")
    return seconds


def test_a_leader_that_is_killed_is_replaced_at_once(ensemble):
    assert failover.median(gaps(ensemble, "kill")) <= SECONDS_MAX / 2


def test_a_leader_that_is_stopped_is_replaced_in_about_a_second(ensemble):
    assert failover.median(gaps(ensemble, "stop")) <= SECONDS_MAX
    ensemble.same_trees()


@pytest.mark.skipif(not netns.available(), reason="needs root and network namespaces")
def test_a_leader_that_is_cut_off_is_replaced_in_about_a_second_and_steps_down(tmp_path):
    with netns.Lab(3) as lab, Ensemble(tmp_path, ["ours"] * 3, lab=lab) as ensemble:
        failover.prepare(ensemble)
        assert failover.median(gaps(ensemble, "cut", lab)) <= SECONDS_MAX
        left = sum("no longer leading: no quorum of followers is heard" in ensemble.members[n].log()
                   for n in ensemble.ids)
        assert left > 0, "a leader that nobody hears must say that it leads no more"


def test_without_heartbeats_a_stopped_leader_is_given_the_protocols_time(tmp_path):
    off = {"tickTime": 500, "tandem.heartbeatTimeout": 0}
    with Ensemble(tmp_path, ["ours"] * 3, config=off) as ensemble:
        leader = ensemble.leader()
        ensemble.members[leader].signal(signal.SIGSTOP)
        others = [n for n in ensemble.ids if n != leader]
        try:
            wait.stays(lambda: all(ensemble.mode(n) == "follower" for n in others), 1.5, "following")
        finally:
            ensemble.members[leader].signal(signal.SIGCONT)


def busy_loop():
    return subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)


@pytest.mark.full
def test_nobody_is_replaced_beside_busy_loops_and_a_write_load(ensemble):
    """TANDEM_SECONDS, ten minutes otherwise."""
    seconds = int(os.environ.get("TANDEM_SECONDS", 600))
    load = servers.build_directory() / "tests" / "bench" / "zk-load"
    leader = ensemble.leader()
    subprocess.run([load, "fill", "--servers", ensemble.hosts(leader), "--nodes", "1000",
                    "--conns", "4"], check=True, timeout=120)
    loops = [busy_loop() for _ in range(4)]
    try:
        done = subprocess.run([load, "run", "--servers", ensemble.hosts(), "--op", "set", "--nodes", "1000",
                               "--conns", "64", "--depth", "16", "--time", str(seconds)],
                              capture_output=True, text=True, timeout=seconds + 120)
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    for n in ensemble.ids:
        log = ensemble.members[n].log()
        assert ensemble.monitor(n)["looking_count"] == "1", f"server {n}:\n{log[-3000:]}"
