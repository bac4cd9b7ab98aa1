"""How long an ensemble takes no writes after its leader was killed, stopped or cut off, as a client sees it
that may go to every other server and tries all the time."""

import signal
import threading
import time

from support import wait
from support import zk_wire as zk


class Prober(threading.Thread):
    """Opens a session at one server and writes, again and again, until somebody has written."""

    def __init__(self, member, done, seconds):
        super().__init__(daemon=True)
        self.member, self.done, self.seconds, self.at = member, done, seconds, None

    def run(self):
        end = time.monotonic() + self.seconds
        while not self.done.is_set() and time.monotonic() < end:
            try:
                session = zk.Session(self.member.port, host=self.member.host, timeout_ms=6000)
            except OSError:
                wait.pause(0.003, "a server that turns clients away is asked again soon")
                continue
            try:
                if zk.header(session.call("setData", zk.set_data("/failover", b"x")))[2] == 0:
                    self.at = time.monotonic()
                    self.done.set()
            except OSError:
                pass
            finally:
                session.close()


def first_write(members, seconds=30.0):
    """The time of the first write that one of `members` acknowledged; asked of all at the same time."""
    done = threading.Event()
    probers = [Prober(member, done, seconds) for member in members]
    for prober in probers:
        prober.start()
    if not done.wait(seconds):
        raise wait.Timeout(f"no write within {seconds} s")
    for prober in probers:
        prober.join(1)
    return min(prober.at for prober in probers if prober.at is not None)


def prepare(ensemble):
    session = zk.Session(ensemble.members[1].port, host=ensemble.members[1].host)
    session.create("/failover")
    session.close()


def gap(ensemble, fault, lab=None):
    """Seconds from the leader's fault to the first write at another server; then it is made good again."""
    leader = ensemble.serving().leader()
    victim = ensemble.members[leader]
    others = [ensemble.members[n] for n in ensemble.ids if n != leader]
    begin = time.monotonic()
    if fault == "kill":
        victim.kill()
    elif fault == "stop":
        victim.signal(signal.SIGSTOP)
    else:
        lab.cut(leader)
    took = first_write(others) - begin
    if fault == "kill":
        victim.launch()
    elif fault == "stop":
        victim.signal(signal.SIGCONT)
    else:
        lab.join(leader)
    wait.until(lambda: ensemble.mode(leader) == "follower", 60, "the old leader as a follower")
    return took


def median(values):
    return sorted(values)[len(values) // 2]
