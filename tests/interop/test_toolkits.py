"""Logs and snapshots that either server wrote, shown by Apache's toolkits and by ours: the same text."""

import os
import subprocess

import pytest
from kazoo.client import KazooClient

from peers import peers
from support import servers

TXN_TOOLKIT = "org.apache.zookeeper.server.persistence.TxnLogToolkit"
SNAPSHOT_TOOLKIT = "org.apache.zookeeper.server.SnapshotFormatter"
COMMANDS = """
create /a plain
create /a/b "with, comma"
create -e /e gone
create -s /a/s- x
create -c /c
create -t 100000 /ttl x
set /a new
set /a newer
setAcl /a world:anyone:cdrwa,ip:127.0.0.1:r
addauth digest user:secret
create /d x auth::cdrwa
delete /a/none
delete -v 9 /a
deleteall /a
quit
"""


def transactions(server):
    """Multis, which the shell has not: every kind of operation, data that is no text, and one that fails."""
    client = KazooClient(server.connect)
    client.start(20)
    for last in ("/m", "/nowhere"):
        multi = client.transaction()
        multi.create("/m", "grün".encode())
        multi.create("/m/s-", bytes(range(256)), sequence=True)
        multi.create("/m/cut", b"\xe2\x82 \xf0\x9f\x98 \xed\xa0\x80 \xc0\x80 \xf4\x90\x80\x80 \xe0\x80 \xc3")
        multi.set_data("/m", b"two", version=0)
        multi.check("/m", 1)
        multi.create("/m/gone")
        multi.delete("/m/gone")
        multi.check(last, -1)
        multi.commit()
    client.delete("/m", recursive=True)
    client.stop()
    client.close()


def output(command, stdin=None):
    unicode = {**os.environ, "LC_ALL": "C.UTF-8"}
    result = subprocess.run(command, input=stdin, capture_output=True, timeout=90, env=unicode)
    return result.stdout.decode().splitlines(), result.returncode


def apache_toolkit(main, *arguments):
    return peers.java("zookeeper", peers.ZOOKEEPER, main, *arguments)


@pytest.fixture(scope="module", params=["apache", "tandem"])
def files(request, tmp_path_factory):
    """The log and the last snapshot of a server that was used and stopped."""
    directory = tmp_path_factory.mktemp(request.param)
    kind = peers.ApacheZooKeeper if request.param == "apache" else servers.Coord
    server = kind(directory, config={"snapCount": 6}, properties={"zookeeper.extendedTypesEnabled": "true"})
    for _ in range(2):
        with server:
            subprocess.run(servers.tool("zkCli.sh", "-server", server.connect), input=COMMANDS, text=True,
                           capture_output=True, timeout=60, check=True)
            transactions(server)
    data = directory / "data" / "version-2"
    number = lambda path: int(path.name.split(".")[1], 16)  # noqa: E731
    return min(data.glob("log.*"), key=number), max(data.glob("snapshot.*"), key=number)


def nodes(lines):
    """The blocks of a snapshot's listing, in an order of our own: the original's is that of a hash set."""
    return sorted(block.strip("\n") for block in "\n".join(lines).split("----\n"))


def test_a_log_is_dumped_alike(files):
    original = output(apache_toolkit(TXN_TOOLKIT, files[0]))
    assert len(original[0]) > 6
    assert output(servers.tool("zkTxnLogToolkit.sh", files[0])) == original


def test_a_log_is_cut_alike(files, tmp_path):
    cuts = []
    for who in ("apache", "tandem"):
        copy = tmp_path / f"{who}.log"
        copy.write_bytes(files[0].read_bytes())
        arguments = (copy, "-c", "-z", "0x3")
        text = output(apache_toolkit(TXN_TOOLKIT, *arguments) if who == "apache"
                      else servers.tool("zkTxnLogToolkit.sh", *arguments))
        cuts.append((text, (tmp_path / f"{who}.log.chopped3").read_bytes()))
    assert cuts[0] == cuts[1]


def test_a_broken_checksum_is_mended_alike(files, tmp_path):
    broken = bytearray(files[0].read_bytes())
    broken[broken.index(b"plain")] ^= 1
    mended = []
    for who in ("apache", "tandem"):
        copy = tmp_path / who / "log.1"
        copy.parent.mkdir()
        copy.write_bytes(broken)
        arguments = ("-r", "-y", copy)
        text = output(apache_toolkit(TXN_TOOLKIT, *arguments) if who == "apache"
                      else servers.tool("zkTxnLogToolkit.sh", *arguments))
        text = [line.replace(str(copy.parent), "") for line in text[0]], text[1]
        mended.append((text, copy.with_name("log.1.fixed").read_bytes().rstrip(b"\0")))
    assert any("CRC FIXED" in line for line in mended[0][0][0])
    assert mended[0] == mended[1]


@pytest.mark.parametrize("option", [[], ["-d"]], ids=["plain", "with-data"])
def test_a_snapshot_is_listed_alike(files, option):
    original, code = output(apache_toolkit(SNAPSHOT_TOOLKIT, *option, files[1]))
    ours, our_code = output(servers.tool("zkSnapShotToolkit.sh", *option, files[1]))
    assert len(original) > 60
    assert (nodes(ours), our_code) == (nodes(original), code)
