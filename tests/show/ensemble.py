#!/usr/bin/env python3
# The walkthrough's first chapter: ensembles of three and of five by zkServer.sh, the elections that its rules
# foretell, an observer, what the tutorials use an ensemble for, and the service by init script and systemd.
import logging
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from kazoo.client import KazooClient  # noqa: E402
from kazoo.exceptions import BadVersionError, NodeExistsError  # noqa: E402
from support import wait  # noqa: E402
from support.process import alive  # noqa: E402

DIST = Path(__file__).resolve().parents[2] / "dist"
BIN = DIST / "bin"
NET = f"127.{random.randrange(1, 250)}.{random.randrange(1, 250)}"
HOSTS = {0: 90, 1: 105, 2: 126, 3: 150, 4: 151, 5: 152}


def host(number):
    return f"{NET}.{HOSTS[number]}"


class Show:
    """Servers of one ensemble, each with a loopback address of its own, as on machines of their own."""

    passed = failed = 0

    def __init__(self, directory, ids, observers=()):
        self.directory, self.ids = directory, list(ids)
        lines = [f"server.{n}={host(n)}:3188:3288" + (":observer" if n in observers else "") for n in ids]
        print(f"\n== {len(self.ids)} servers\n" + "\n".join(lines), flush=True)
        self.configs = {n: self.write(n, lines + ["peerType=observer"] * (n in observers)) for n in self.ids}

    def write(self, number, lines):
        home = self.directory / str(number)
        (home / "data").mkdir(parents=True)
        (home / "data" / "myid").write_text(f"{number}\n")
        path = home / "zoo.cfg"
        path.write_text("\n".join(["tickTime=2000", "initLimit=10", "syncLimit=5", f"dataDir={home}/data",
                                   f"dataLogDir={home}/logs", "clientPort=2181",
                                   f"clientPortAddress={host(number)}", *lines]) + "\n")
        return path

    def tool(self, number, words, quiet=False):
        environment = {**os.environ, "ZOO_LOG_DIR": str(self.directory / str(number) / "log")}
        result = subprocess.run([str(BIN / words[0]), *words[1:]], capture_output=True, text=True, timeout=60,
                                env=environment)
        self.code = result.returncode
        if not quiet:
            print(f"[{number}] $ bin/{' '.join(words)}\n{result.stdout}", end="", flush=True)
        return result.stdout + result.stderr

    @classmethod
    def expect(cls, what, holds):
        cls.passed, cls.failed = cls.passed + bool(holds), cls.failed + (not holds)
        print(f"{'as expected' if holds else 'NOT AS EXPECTED'}: {what}", flush=True)

    def server(self, verb, *numbers):
        return "".join(self.tool(n, ["zkServer.sh", verb, str(self.configs[n])]) for n in numbers)

    def pid(self, number):
        return int((self.directory / str(number) / "data" / "zookeeper_server.pid").read_text())

    def signal(self, signum, *numbers):
        for n in numbers:
            print(f"[{n}] $ kill -{signal.Signals(signum).name[3:]} {self.pid(n)}", flush=True)
            os.kill(self.pid(n), signum)

    def mode(self, number, quiet=True):
        text = self.tool(number, ["zkServer.sh", "status", str(self.configs[number])], quiet)
        return next((line[6:] for line in text.splitlines() if line.startswith("Mode: ")), None)

    def modes(self, expected):
        """Waits for the modes, then shows what status prints on each server."""
        try:
            wait.until(lambda: {n: self.mode(n) for n in expected} == expected, 30, "the modes")
        except wait.Timeout:
            pass
        shown = {n: self.mode(n, quiet=False) for n in expected}
        self.expect(f"{expected}", shown == expected)

    def shell(self, number, *words):
        return self.tool(number, ["zkCli.sh", "-server", f"{host(number)}:2181", *words])

    def client(self):
        client = KazooClient(",".join(f"{host(n)}:2181" for n in self.ids))
        client.start(20)
        return client

    def end(self):
        for n in self.ids:
            try:
                os.kill(self.pid(n), signal.SIGCONT)
            except (OSError, ValueError):
                pass
        self.server("stop", *self.ids)


def three(show):
    show.server("start", 1)
    show.expect("one of three serves nobody", show.mode(1) is None)
    show.server("start", 2)
    show.modes({1: "follower", 2: "leader"})
    show.server("start", 3)
    show.modes({1: "follower", 2: "leader", 3: "follower"})
    text = show.server("status", 3)
    show.expect("status tells the client port", "Client port found: 2181" in text)
    show.shell(1, "create", "/walk", "through")
    show.expect("every server answers with the same data",
                all("through" in show.shell(n, "get", "/walk") for n in show.ids))
    pid = show.pid(2)
    show.server("stop", 2)
    show.expect("stop has ended the process, exit code 0", show.code == 0 and not alive(pid))
    show.modes({1: "follower", 3: "leader"})
    show.expect("a majority keeps the service up", "Created" in show.shell(1, "create", "/more"))
    show.server("start", 2)
    show.modes({1: "follower", 2: "follower", 3: "leader"})
    pid = show.pid(1)
    show.server("restart", 1)
    show.modes({1: "follower", 2: "follower", 3: "leader"})
    show.expect("restart has given server 1 another process", show.pid(1) != pid)
    promises(show)
    foreground(show)


def promises(show):
    """What the tutorials promise and use."""
    client, other = show.client(), show.client()
    for i in range(50):
        client.set_async("/walk", b"%d" % i)
    client.sync("/walk")
    show.expect("one client's writes apply in the order sent", client.get("/walk")[0] == b"49")
    multi = client.transaction()
    multi.create("/whole")
    multi.create("/no/parent")
    multi.commit()
    show.expect("a write that fails in part does not happen", not client.exists("/whole"))
    client.create("/large", b"x" * 1000000)
    other.sync("/large")
    show.expect("a znode holds a megabyte", len(other.get("/large")[0]) == 1000000)
    naming(show, client, other)
    pushed = queue.Queue()
    other.DataWatch("/settings")(lambda data, stat: pushed.put(data))
    client.create("/settings", b"new")
    show.expect("configuration is pushed to who watches it",
                (pushed.get(timeout=10), pushed.get(timeout=10)) == (None, b"new"))
    member = show.client()
    member.create("/members/one", ephemeral=True, makepath=True)
    other.sync("/members")
    joined = other.get_children("/members")
    member.stop()
    other.sync("/members")
    left = other.get_children("/members")
    show.expect("members come and go with their sessions", (joined, left) == (["one"], []))
    least_loaded(show, client, other)
    with client.Lock("/lock", "first"):
        taken = other.Lock("/lock", "second").acquire(blocking=False)
    show.expect("a lock has one owner", not taken and other.Lock("/lock", "second").acquire(timeout=10))
    for i in range(3):
        client.Queue("/queue").put(b"%d" % i)
    jobs = other.Queue("/queue")
    show.expect("a queue gives in order", [jobs.get() for _ in range(3)] == [b"0", b"1", b"2"])
    for each in (client, other):
        each.stop()


def naming(show, client, other):
    client.create("/names/printer", b"10.0.0.7:631", makepath=True)
    try:
        other.create("/names/printer", b"10.0.0.8:631")
        taken = False
    except NodeExistsError:
        taken = True
    show.expect("a name is given once and found by all",
                taken and other.get("/names/printer")[0] == b"10.0.0.7:631")
    given = [each.create("/names/job-", sequence=True) for each in (client, other) * 3]
    show.expect("sequential names differ whoever asks, in the order given",
                len(set(given)) == 6 and given == sorted(given))


def least_loaded(show, client, other):
    """Two balancers at the same time; each server's users stand in its node."""
    for name in ("a", "b", "c"):
        client.create(f"/servers/{name}", b"0", makepath=True)
    other.sync("/servers")
    with ThreadPoolExecutor(2) as balancers:
        chosen = list(balancers.map(choose, (client, other) * 6))
    show.expect("the least loaded server is chosen", sorted(chosen) == sorted("abc" * 4))


def choose(client):
    """The server with the fewest users, who are one more now; refused when another chose it in between."""
    while True:
        found = {name: client.get(f"/servers/{name}") for name in client.get_children("/servers")}
        name = min(found, key=lambda each: int(found[each][0]))
        users, stat = found[name]
        try:
            client.set(f"/servers/{name}", b"%d" % (int(users) + 1), version=stat.version)
            return name
        except BadVersionError:
            client.sync("/servers")


def foreground(show):
    show.server("stop", 1)
    command = [str(BIN / "zkServer.sh"), "start-foreground", str(show.configs[1])]
    print(f"[1] $ bin/zkServer.sh start-foreground {show.configs[1]}", flush=True)
    with open(show.directory / "foreground.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    show.modes({1: "follower", 2: "follower", 3: "leader"})
    process.terminate()
    show.expect("in the foreground SIGTERM ends it with 0", process.wait(30) == 0)


def from_zero(show):
    show.server("start", 0, 1)
    show.modes({0: "follower", 1: "leader"})
    show.server("start", 2)
    show.modes({0: "follower", 1: "leader", 2: "follower"})


def with_observer(show):
    show.server("start", 1, 2, 3, 4)
    show.modes({4: "observer"})
    show.expect("an observer takes writes", "Created" in show.shell(4, "create", "/observed"))
    show.expect("and serves reads", "observed" in show.shell(4, "ls", "/"))
    leader = next(n for n in (1, 2, 3) if show.mode(n) == "leader")
    rest = [n for n in (1, 2, 3) if n != leader]
    show.server("stop", *rest)
    try:
        wait.until(lambda: show.mode(leader) is None, 30, "the end of leading")
    except wait.Timeout:
        pass
    show.expect("it has no vote: one of three and an observer serve nobody", show.mode(leader) is None)


def five(show):
    show.server("start", 1, 2)
    show.expect("two of five serve nobody", show.mode(1) is None and show.mode(2) is None)
    show.server("start", 3)
    show.modes({1: "follower", 2: "follower", 3: "leader"})
    show.server("start", 4, 5)
    show.modes({1: "follower", 2: "follower", 3: "leader", 4: "follower", 5: "follower"})
    print("the worked example: 4 and 5 are behind when 3 and 5 die", flush=True)
    show.signal(signal.SIGSTOP, 4, 5)
    show.expect("a write that 4 and 5 miss", "Created" in show.shell(1, "create", "/missed"))
    show.signal(signal.SIGKILL, 3, 5)
    show.signal(signal.SIGKILL, 4)  # what lies in its sockets must not reach it any more
    show.server("start", 4)
    show.modes({1: "follower", 2: "leader", 4: "follower"})  # the larger zxid beats the larger id
    show.expect("which 4 has now", "missed" in show.shell(4, "ls", "/"))
    show.server("start", 3, 5)
    show.modes({1: "follower", 2: "leader", 3: "follower", 4: "follower", 5: "follower"})


INIT_SCRIPT = """#!/bin/sh
### BEGIN INIT INFO
# Provides: zookeeper
# Required-Start: $network
# Required-Stop: $network
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
# Short-Description: zookeeper
### END INIT INFO
case $1 in
  start | stop | restart | status) exec su root -c "{tool} $1 {config}" ;;
  *) echo "use: $0 start|stop|restart|status"; exit 2 ;;
esac
"""


def service(directory):
    """`service zookeeper start` and so on by an init script such as the tutorials', and the unit of conf/."""
    show = Show(directory, [1])
    show.configs[1].write_text(re.sub("server.*\n", "", show.configs[1].read_text()))
    script = Path("/etc/init.d/zookeeper")
    if os.geteuid() != 0 or script.exists() or not shutil.which("service"):
        show.expect("root, `service` and no other /etc/init.d/zookeeper, which an init script needs", False)
    else:
        script.write_text(INIT_SCRIPT.format(tool=BIN / "zkServer.sh", config=show.configs[1]))
        script.chmod(0o755)
        try:
            for verb, said in (("start", "STARTED"), ("status", "Mode: standalone"), ("restart", "STARTED"),
                               ("stop", "STOPPED")):
                command = ["service", "zookeeper", verb]
                done = subprocess.run(command, capture_output=True, text=True, timeout=60)
                print(f"# service zookeeper {verb}\n{done.stdout}", end="", flush=True)
                show.expect(f"service zookeeper {verb}", done.returncode == 0 and said in done.stdout)
        finally:
            show.end()
            script.unlink()
    if shutil.which("systemd-analyze"):
        unit = directory / "zookeeper.service"
        unit.write_text((DIST / "conf" / "zookeeper.service").read_text().replace("/opt/tandem", str(DIST)))
        done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
        print(f"# systemd-analyze verify zookeeper.service\n{done.stdout}{done.stderr}", end="", flush=True)
        found = done.returncode != 0 or unit.name in done.stderr
        show.expect("systemd finds no fault in the unit", not found)
    else:
        show.expect("systemd-analyze is here (Debian's package systemd)", False)


STORIES = ((three, (1, 2, 3), ()), (from_zero, (0, 1, 2), ()), (with_observer, (1, 2, 3, 4), (4,)),
           (five, (1, 2, 3, 4, 5), ()))


def main():
    logging.getLogger("kazoo").setLevel(logging.ERROR)
    for story, ids, observers in STORIES:
        with tempfile.TemporaryDirectory(prefix="tandem-ensemble-") as directory:
            show = Show(Path(directory), ids, observers)
            try:
                story(show)
            finally:
                show.end()
    with tempfile.TemporaryDirectory(prefix="tandem-service-") as directory:
        service(Path(directory))
    print(f"ensembles of three and five: {Show.passed} steps as expected, {Show.failed} not")
    return 1 if Show.failed else 0


if __name__ == "__main__":
    sys.exit(main())
