"""Apache's own shell (zkCli.sh of 3.9.5) prints the same over tandem-coord as over Apache's server."""

import difflib
import re
import subprocess

from peers import peers
from support import servers, tree as zk_tree, wait
from support.ensembles import Ensemble

# One session of the interactive shell, which reads its commands from standard input.
SESSION = """
create /t a
create -s /t/s- b
create -e /t/e c
create -c /t/c d
create -t 1000 /t/ttl e
get -s /t
set /t d
set -v 9 /t e
set -s /t f
ls -R /t
ls -s /t
ls -w /t
stat -w /t/e
getAcl -s /t
setAcl /t world:anyone:cdrwa
setAcl /t/s-0000000000 world:anyone:r
set /t/s-0000000000 x
addauth digest ann:pw
create /t/mine m auth::cdrwa
getAcl /t/mine
getEphemerals
getEphemerals /t
getAllChildrenNumber /t
setquota -n 5 -b 100 /t
listquota /t
delquota /t
setquota -N 1 /t
addWatch /t
addWatch -m PERSISTENT /t
removewatches /t -a
sync /t
whoami
config
reconfig -add server.9=localhost:1:2
get /nowhere
delete /nowhere
create /t/a/b/c
create /t
ls t
delete /t
delete -v 7 /t/e
deleteall /t
ls /
quit
"""
ONE_SHOT = [("create", "/shell", "first"), ("get", "/shell"), ("stat", "/shell"), ("ls", "/"),
            ("get", "/nowhere")]
TIMES = re.compile(r"(\w+time = ).*|(127\.0\.0\.1:)\d+|(0x)1[0-9a-f]{14,}")
LOG_LINE = re.compile(r"^(\d{4}-\d\d-\d\d |\w+ \d+, \d{4} ).*\n", re.M)
EVENT = re.compile(r"^WatchedEvent (?!state:Closed).*$", re.M)  # the last one comes or does not
NOISE = re.compile(r"^WATCHER::$|^WatchedEvent .*$|\[zk: .*?\] ", re.M)


def printed(server, *command, stdin=""):
    """What the shell prints without times, ports, session ids, prompts and log lines; events apart, because
    the thread that prints them races with the one that prints the answers, and not those of a shell that ends
    with its one command: it may be gone before it has printed that it is connected."""
    line = peers.zookeeper_shell("-server", server.connect, *command)
    done = subprocess.run(line, input=stdin, capture_output=True, text=True, timeout=90)
    answers = "\n".join(line for line in NOISE.sub("", done.stdout).splitlines() if line.strip())
    events = EVENT.findall(done.stdout) if stdin else []
    parts = answers, LOG_LINE.sub("", done.stderr), *events
    return done.returncode, [TIMES.sub(lambda m: (m[1] or m[2] or m[3]) + "*", part) for part in parts]


def test_apaches_shell_sees_no_difference(tmp_path):
    seen = []
    properties = {"zookeeper.extendedTypesEnabled": "true"}
    # A shell that ends with an error leaves its session behind: it must not expire between the commands whose
    # zxids are compared.
    config = {"minSessionTimeout": 300000, "maxSessionTimeout": 300000}
    for make in (peers.ApacheZooKeeper, servers.Coord):
        with make(tmp_path / make.__name__, config=config, properties=properties) as server:
            one_shots = [printed(server, *command) for command in ONE_SHOT]
            seen.append([*one_shots, printed(server, stdin=SESSION)])
    for (code, theirs), (own_code, own) in zip(*seen):
        left, right = ("\n".join(parts).splitlines() for parts in (theirs, own))
        difference = "\n".join(difflib.unified_diff(left, right, "Apache", "ours"))
        assert not difference, difference
        assert own_code == code


def test_apaches_shell_reads_from_a_member_without_a_quorum(tmp_path):
    """With -r, as its users do when an ensemble has lost its quorum."""
    options = {"readonlymode.enabled": "true"}
    with Ensemble(tmp_path, ["ours"] * 3, config={"tickTime": 500}, properties=options) as ensemble:
        peers.run(peers.zookeeper_shell("-server", ensemble.hosts(1), "create", "/kept", "data"))
        left = next(n for n in ensemble.ids if n != ensemble.leader())
        member = ensemble.members[left]
        wait.until(lambda: "/kept" in str(zk_tree.dump(member.port)), 10, "the node at every server")
        for n in ensemble.ids:
            if n != left:
                ensemble.members[n].kill()
        wait.until(lambda: member.word("isro") == "ro", 20, "read-only mode")
        shell = peers.zookeeper_shell("-r", "-server", member.connect)
        assert "data" in peers.run([*shell, "get", "/kept"])
        refused = subprocess.run([*shell, "create", "/refused"], capture_output=True, text=True, timeout=90)
        assert "Not a read-only call: /refused" in refused.stderr
