"""One list of shell commands through Apache's shell and ours, on Apache's server and ours: both streams
hold the same text, but for times, transaction ids and session ids."""

import itertools
import re
import subprocess

import pytest

from peers import peers
from support import servers

NODES = """
ls /
create /t
create /t
get /t
get -s /t
stat /t
create /t/a data
create /t/b "two words"
create /t/c 'single quoted'
get /t/a
get /t/b
get /t/c
get -b /t/a
get -x /t/b
get -sb /t/a
ls /t
ls -s /t
ls -R /t
ls -w -s /t
ls /t true
create -s /t/seq- x
create -s /t/seq- y
create -s /t/sub/
create -e /t/eph gone
create -e -s /t/eseq- gone
create /t/eph/child x
create -c /t/container
create -t 100000 /t/ttl x
create -t 100000 -s /t/ttl- x
create -t 0 /t/ttl2 x
create -t abc /t/ttl2 x
create -t 5 -e /t/ttl2 x
create -t 5 -c /t/ttl2 x
create -c -e /t/ttl2 x
create -t
create
create nopath
create /t//x
create /t/./x
create /t/
create /no/parent x
getEphemerals
getEphemerals /t
getEphemerals /none
getAllChildrenNumber /t
getAllChildrenNumber /none
getAllChildrenNumber
set /t/a new
set /t/a newer -s
set -v 1 /t/a x
set -v 2 /t/a six
set /t/none x
set -b /t/a aGVsbG8=
get /t/a
set
set /t/a
delete -v 0 /t/a
delete /t/none
delete /t
delete
delete /
stat /t/none
stat -w /t/a
stat
get /t/none
get
ls /none
ls
ls -z /
ls -R /none
sync /t
sync
sync bad
deleteall /t -b 3
deleteall /none
deleteall /t -b x
ls /
"""

ACLS = """
create /acl x
getAcl /acl
getAcl -s /acl
setAcl /acl world:anyone:r
set /acl y
get /acl
setAcl /acl world:anyone:rw
setAcl /acl foo
setAcl /acl foo:bar:r
setAcl /acl
addauth digest user:secret
create /acl2 data auth::cdrwa
create /acl3 data digest:user:iMlLzlJiBxFYLAVEYxEhVYZcdVM=:cdra
getAcl /acl2
getAcl /acl3
create /acl4 x ip:127.0.0.1:cdrwa
getAcl /acl4
create /acl5 x world:anyone:xyz
create /acl6 x bad
setAcl -s /acl2 auth::cdr
setAcl -v 7 /acl2 auth::cdrwa
setAcl -R /acl4 world:anyone:cdrwa
setAcl /none world:anyone:r
getAcl /none
getAcl
whoami
addauth
delete /acl
delete /acl2
delete /acl3
delete /acl4
delete /acl5
ls /
"""

QUOTAS = """
create /q x
create /q/a x
listquota /q
setquota -n 5 /q
listquota /q
setquota -b 100 /q
setquota -N 10 /q
setquota -B 1000 /q
listquota /q
setquota -n 1 /q
setquota -n 5 /q/a
setquota -n 5 /none
setquota -n 0 /q
setquota -n abc /q
setquota -n 5 /zookeeper/quota/x
setquota /q
setquota -n 5 -b 5 /q
delquota -n /q
listquota /q
delquota /q
listquota /q
delquota /q
delquota /none
delquota
setquota -n 3 /q/a
setquota -n 3 /q
delquota /q/a
deleteall /q
"""

WATCHES = """
create /w x
get -w /w
set /w y
set /w z
ls -w /w
create /w/c x
stat -w /w/none
create /w/none x
get -w /w
removewatches /w -d
removewatches /w -d
removewatches /none
removewatches
addWatch /w
set /w/c y
create /w/d x
delete /w/d
removewatches /w -r
addWatch -m PERSISTENT /w
set /w 1
create /w/e x
addWatch -m NONSENSE /w
addWatch
removewatches /w
get -w /w
ls -w /w
removewatches /w -a
printwatches on
printwatches
config
config -s
deleteall /w
"""

# Events come when they like: what is said before the shell is told to be silent would be heard or not.
SILENCE = """
create /silent x
printwatches off
get -w /silent
set /silent unheard
printwatches
deleteall /silent
"""

SHELL = """
nonsense
history
redo 0
redo 99
create "/with space" x
get "/with space"
delete "/with space"
version extra
reconfig
reconfig -add server.1=a:1:2;3
close
ls /
"""

LISTS = {
    "nodes": NODES,
    "acls": ACLS,
    "quotas": QUOTAS,
    "watches": WATCHES,
    "silence": SILENCE,
    "shell": SHELL,
}
PROPERTIES = {"zookeeper.extendedTypesEnabled": "true"}

EVENT = re.compile(r"\nWATCHER::\n|\n(WatchedEvent .*)\n")  # a prompt may come between the two
SUBSTITUTIONS = [
    (re.compile(r"(ctime|mtime) = .*"), r"\1 = DATE"),
    (re.compile(r"0x(?!0\b)[0-9a-f]+"), "0xN"),
    (re.compile(r"zxid: (?!-1)\d+"), "zxid: N"),
    (re.compile(r"\[zk: [^(]*\((\w+)\) "), r"[zk: HOST(\1) "),
    (re.compile(r"\(CONNECTING\) 0\]"), "(CONNECTED) 0]"),
]
NOISE = re.compile(r"(.*org\.jline\.utils\.Log.*|WARNING: Unable to create a system terminal.*)\n")


def sorted_list(match):
    """getEphemerals gives the order of a hash set."""
    return "[" + ", ".join(sorted(match.group(1).split(", "))) + "]"


def plain(text):
    text = re.sub(r"\[(/[^]]*)\]", sorted_list, text)
    for pattern, replacement in SUBSTITUTIONS:
        text = pattern.sub(replacement, text)
    return text


def transcript(command, commands):
    """What the shell said: prompt and output, events apart (they come when they come), remarks.

    That its session is closed an Apache shell tells only where the thread of its events still runs by then.
    """
    result = subprocess.run(command, input=commands.lstrip() + "quit\n", capture_output=True, text=True,
                            timeout=120)
    output = result.stdout[result.stdout.index("Welcome"):]
    events = [plain(event) for event in EVENT.findall(output) if event and "state:Closed" not in event]
    remarks = plain(NOISE.sub("", result.stderr))
    return {"output": plain(EVENT.sub("", output)), "events": in_order(events), "remarks": remarks}


def in_order(events):
    """One removal tells of several kinds in an order that Java's hash decides: sort each such run."""
    runs = itertools.groupby(events, key=lambda event: "WatchRemoved" in event)
    return [event for removals, run in runs for event in (sorted(run) if removals else run)]


@pytest.fixture(scope="module")
def apache(tmp_path_factory):
    with peers.ApacheZooKeeper(tmp_path_factory.mktemp("apache"), properties=PROPERTIES) as server:
        yield server


@pytest.fixture(scope="module")
def tandem(tmp_path_factory):
    with servers.Coord(tmp_path_factory.mktemp("coord"), properties=PROPERTIES) as server:
        yield server


@pytest.fixture(scope="module")
def originals(apache):
    """Apache's shell on Apache's server, once for each list."""
    return {name: transcript(peers.zookeeper_shell("-server", apache.connect), commands)
            for name, commands in LISTS.items()}


def compare(original, ours):
    assert ours["output"].splitlines() == original["output"].splitlines()
    assert ours["remarks"].splitlines() == original["remarks"].splitlines()
    assert ours["events"] == original["events"]


@pytest.mark.parametrize("name", LISTS)
def test_our_shell_says_what_apaches_says(name, originals, apache):
    compare(originals[name], transcript(servers.tool("zkCli.sh", "-server", apache.connect), LISTS[name]))


@pytest.mark.parametrize("name", LISTS)
def test_our_shell_on_our_server_says_the_same(name, originals, tandem):
    compare(originals[name], transcript(servers.tool("zkCli.sh", "-server", tandem.connect), LISTS[name]))


@pytest.mark.parametrize("name", LISTS)
def test_apaches_shell_on_our_server_says_the_same(name, originals, tandem):
    compare(originals[name], transcript(peers.zookeeper_shell("-server", tandem.connect), LISTS[name]))


def one_command(command):
    """Output without events, remarks, exit code."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    remarks = [line for line in result.stderr.splitlines() if "ServiceUtils" not in line]
    return EVENT.sub("", result.stdout), remarks, result.returncode


COMMANDS = (["ls", "/"], ["get", "/none"], ["create", "/zookeeper", "data"], ["ls"], ["nonsense"],
            ["history"])


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_one_command_prints_and_ends_as_apaches_shell_does(words, apache):
    original = one_command(peers.zookeeper_shell("-server", apache.connect, *words))
    assert one_command(servers.tool("zkCli.sh", "-server", apache.connect, *words)) == original
