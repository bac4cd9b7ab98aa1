"""The helpers that every other test leans on."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support import ports, wait
from support.process import Process, alive

TESTS = Path(__file__).resolve().parents[1]


class Echo(Process):
    """A one-port server in Python that answers like a coordination server that is up."""

    name = "echo"
    program = """
import socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen()
while True:
    link = s.accept()[0]; link.recv(4); link.sendall(b"imok"); link.close()
"""

    def __init__(self, directory, port):
        super().__init__(directory)
        self.port = port

    def command(self):
        return [sys.executable, "-c", self.program, str(self.port)]

    def ready(self):
        return ports.four_letter_word(self.port, "ruok") == "imok"


def test_a_process_is_ready_when_it_answers_and_gone_when_stopped(tmp_path):
    server = Echo(tmp_path, ports.free_port()).start()
    pid = server.pid
    assert alive(pid)
    assert server.stop() == -signal.SIGTERM
    assert not alive(pid)


def test_a_process_that_ends_at_once_is_reported_with_its_log(tmp_path):
    class Broken(Echo):
        program = "import sys; sys.exit('no such luck')"

    with pytest.raises(RuntimeError, match="no such luck"):
        Broken(tmp_path, ports.free_port()).start()


def test_a_condition_that_never_holds_ends_with_what_was_awaited():
    with pytest.raises(wait.Timeout, match="the moon"):
        wait.until(lambda: False, 0.05, "the moon")


def test_no_port_is_given_twice_here_or_to_another_process():
    program = f"import sys; sys.path.insert(0, {str(TESTS)!r})\nfrom support import ports\n" \
              "print(*ports.free_ports(250), flush=True)\nsys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as other:
        theirs = [int(port) for port in other.stdout.readline().split()]
        given = ports.free_ports(250) + theirs
        other.communicate("")
    assert len(theirs) == 250 and len(set(given)) == len(given)
