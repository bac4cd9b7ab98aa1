#!/usr/bin/env python3
# The walkthrough of the coordination service with one server: zkServer.sh and zkCli.sh typed as they stand,
# with our tools and with Apache's shell.
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from peers import peers  # noqa: E402
from support import ports, wait, zk_wire  # noqa: E402

BIN = Path(__file__).resolve().parents[2] / "dist" / "bin"
STATE = '{"controller_epoch":32,"leader":1,"version":1,"leader_epoch":0,"isr":[1,2]}'


class Show:
    def __init__(self, directory):
        self.directory = directory
        self.passed = self.failed = 0

    def type(self, what, command, expected, code=0, stdin=None):
        """Runs a command line, prints it with its output, and looks for each expected text."""
        print(f"$ {what}", flush=True)
        result = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120,
                                env={**os.environ, "ZOO_LOG_DIR": str(self.directory / "log")})
        print(result.stdout, end="" if result.stdout.endswith("\n") else "\n")
        missing = [text for text in expected if text not in result.stdout + result.stderr]
        if missing or result.returncode != code:
            self.failed += 1
            print(f"NOT AS EXPECTED: exit {result.returncode}, missing {missing}\n{result.stderr}")
        else:
            self.passed += 1

    def tool(self, words, expected, code=0, stdin=None):
        name, *arguments = words
        self.type(f"bin/{name} {' '.join(arguments)}", [str(BIN / name), *arguments], expected, code, stdin)


def zoo_cfg(directory, port):
    path = directory / "zoo.cfg"
    path.write_text(f"tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir={directory}/data\n"
                    f"dataLogDir={directory}/logs\nclientPort={port}\n")
    return str(path)


def servers_part(show, config, port):
    found = f"Client port found: {port}. Client address: localhost. Client SSL: false."
    show.tool(["zkServer.sh", "start", config], ["Starting zookeeper ... STARTED"])
    show.tool(["zkServer.sh", "status", config], [found, "Mode: standalone"])
    show.type("what Apache's zkServer.sh status asks with",
              peers.java("zookeeper", peers.ZOOKEEPER, "org.apache.zookeeper.client.FourLetterWordMain",
                         "localhost", str(port), "srvr", "false"), ["Mode: standalone"])
    show.tool(["zkServer.sh", "restart", config], ["STOPPED", "STARTED"])


def shell_part(show, server):
    path = "/brokers/topics/mytest2/partitions"
    commands = ["create /brokers", "create /brokers/topics", "create /brokers/topics/mytest2",
                f"create {path}", f"create {path}/2", f"create {path}/0", f"create {path}/1",
                f"create {path}/0/state '{STATE}'", f"ls {path}", f"get {path}/0/state", "quit"]
    prompt = f"[zk: {server}(CONNECTED) "
    show.tool(["zkCli.sh", "-server", server], [f"{prompt}8] [0, 1, 2]", f"{prompt}9] {STATE}"],
              stdin="\n".join(commands) + "\n")
    show.tool(["zkCli.sh", "-server", server, "ls", path], ["[0, 1, 2]"])
    chroot = f"{server}/brokers"
    show.tool(["zkCli.sh", "-server", chroot, "get", "/topics/mytest2/partitions/0/state"], [STATE])
    show.tool(["zkCli.sh", "-server", server, "get", "/none"], ["Node does not exist: /none"], code=1)
    show.tool(["zookeeper-shell.sh", server, "ls", "/"], ["[brokers, zookeeper]"])
    apaches_shells(show, server, path)


def apaches_shells(show, server, path):
    show.type(f"Apache's zkCli.sh -server {server}, interactive", peers.zookeeper_shell("-server", server),
              ["[0, 1, 2]", STATE], stdin=f"ls {path}\nget {path}/0/state\nquit\n")
    for words, expected in ((("get", f"{path}/0/state"), STATE), (("ls", path), "[0, 1, 2]")):
        show.type(f"Apache's zkCli.sh -server {server} {' '.join(words)}",
                  peers.zookeeper_shell("-server", server, *words), [expected])
    show.type(f"Apache's zookeeper-shell.sh {server} ls {path}",
              peers.java("kafka", peers.KAFKA, "org.apache.zookeeper.ZooKeeperMainWithTlsSupportForKafka",
                         "-server", server, "ls", path), ["[0, 1, 2]"])


def foreground_part(show, config, port):
    print(f"$ bin/zkServer.sh start-foreground {config} &", flush=True)
    with open(show.directory / "foreground.log", "wb") as log:
        command = [str(BIN / "zkServer.sh"), "start-foreground", config]
        child = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    wait.until(lambda: "Mode:" in ports.four_letter_word(port, "srvr"), 30, "the server in the foreground")
    big = zk_wire.Session(port)
    kept = big.create("/a-megabyte", b"x" * 1000000) == 0 and len(big.get("/a-megabyte")) == 1000000
    big.close()
    child.terminate()
    code = child.wait(30)
    good = kept and code == 0
    print(f"a znode of a megabyte: {'kept' if kept else 'LOST'}; after SIGTERM: exit {code}", flush=True)
    show.passed += good
    show.failed += not good


def main():
    with tempfile.TemporaryDirectory(prefix="tandem-walkthrough-") as name:
        directory = Path(name)
        show = Show(directory)
        port = ports.free_port()
        config = zoo_cfg(directory, port)
        try:
            servers_part(show, config, port)
            shell_part(show, f"{ports.HOST}:{port}")
        finally:
            show.tool(["zkServer.sh", "stop", config], ["Stopping zookeeper ... STOPPED"])
        log = next((directory / "logs" / "version-2").glob("log.*"))
        show.tool(["zkTxnLogToolkit.sh", str(log)], ["create2 /brokers", "EOF reached after"])
        foreground_part(show, config, port)
    print(f"walkthrough of the coordination service: {show.passed} steps as expected, {show.failed} not")
    return 1 if show.failed else 0


if __name__ == "__main__":
    sys.exit(main())
