"""Our client over the loss of its server: its session, ephemeral nodes and watches are there again."""

import subprocess
import threading

import pytest

from peers import peers
from support import servers, wait


class Shell:
    """An interactive zkCli.sh whose output is gathered."""

    def __init__(self, server, *options):
        command = servers.tool("zkCli.sh", "-server", server.connect, *options)
        self.child = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT)
        self.output = ""
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while text := self.child.stdout.read(1):
            self.output += text

    def type(self, line, expected):
        before = len(self.output)
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        self.hears(expected, before)

    def hears(self, expected, before=0):
        wait.until(lambda: expected in self.output[before:], 20, f"'{expected}' in {self.output[before:]}")

    def __enter__(self):
        self.hears("(CONNECTED) 0]")
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.wait(20)
        self.reader.join(5)
        self.child.stdout.close()


@pytest.fixture(params=["apache", "tandem"])
def server(request, tmp_path):
    kind = peers.ApacheZooKeeper if request.param == "apache" else servers.Coord
    with kind(tmp_path) as running:
        yield running


def one_command(server, *words):
    result = subprocess.run(servers.tool("zkCli.sh", "-server", server.connect, *words), check=True,
                            capture_output=True, text=True, timeout=60)
    return result.stdout


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_watches_and_ephemerals_survive_a_restart(server, end):
    # Apache's standalone server accepts before it has its database; a connection that it closes in that
    # moment fails in ZooKeeperServer.removeCnxn and stays open, never answered. A client gives it up after
    # 2/3 of its session's timeout.
    with Shell(server, "-timeout", "12000") as shell:
        shell.type("create /kept 1", "Created /kept")
        shell.type("create -e /mine x", "Created /mine")
        shell.type("get -w /kept", "1\n")
        shell.type("ls -w /kept", "[]")
        shell.type("stat -w /missing", "Node does not exist")
        shell.type("addWatch /kept", "CONNECTED) 6]")
        before = len(shell.output)
        getattr(server, end)()
        shell.hears("state:Disconnected", before)
        server.start()
        shell.hears("state:SyncConnected type:None", before)
        one_command(server, "set", "/kept", "2")
        shell.hears("type:NodeDataChanged path:/kept", before)
        one_command(server, "create", "/kept/child", "x")
        shell.hears("type:NodeChildrenChanged path:/kept", before)
        shell.hears("type:NodeCreated path:/kept/child", before)
        one_command(server, "create", "/missing", "x")
        shell.hears("type:NodeCreated path:/missing", before)
        shell.type("getEphemerals", "[/mine]")


def test_what_changed_while_the_server_was_away_is_told_on_return(tmp_path):
    """Another client changes the node over the same data while the shell cannot reach its server."""
    with servers.Coord(tmp_path) as server, Shell(server) as shell:
        shell.type("create /kept 1", "Created /kept")
        shell.type("get -w /kept", "1\n")
        before = len(shell.output)
        server.stop()
        shell.hears("state:Disconnected", before)
        away = servers.Coord(tmp_path / "away", config={"dataDir": tmp_path / "data"})
        with away:
            one_command(away, "set", "/kept", "2")
        server.start()
        shell.hears("type:NodeDataChanged path:/kept", before)
