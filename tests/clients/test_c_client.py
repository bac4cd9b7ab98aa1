"""The C client of Debian (libzookeeper-mt) against tandem-coord."""

import subprocess
from pathlib import Path

# What Apache ZooKeeper 3.9.5 gave the same program.
TRANSCRIPT = """create 0
create again -110
get 0 one version 0 length 3
set 0
event 1 of type 3
set with an old version -103
sequential 0 /c/s-0000000000
delete with children -111
missing -101
children 0 count 1 cversion 1
set acl 0
get acl 0 1 entries, perms 1, world:anyone, aversion 1
set without right -102
multi 0 0 0 0
failing multi -101 0 -101 -2
close 0
"""


def transcript(directory, connect):
    program = directory / "c_client"
    source = Path(__file__).parent / "c_client.c"
    subprocess.run(["cc", "-O1", "-DTHREADED", "-o", program, source, "-lzookeeper_mt"], check=True)
    done = subprocess.run([program, connect], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_c_client_sees_what_apaches_server_shows_it(new_coord, tmp_path):
    assert transcript(tmp_path, new_coord().connect) == TRANSCRIPT
