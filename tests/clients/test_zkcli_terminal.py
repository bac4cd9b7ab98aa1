"""zkCli.sh at a terminal: prompt, completion by TAB, and a history that outlives the shell."""

import os
import pty
import select
import signal

import pytest

from support import servers, wait


class Terminal:
    """zkCli.sh on a pseudo terminal; what it shows is gathered as it is looked at."""

    def __init__(self, connect, home):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(HOME=str(home), TERM="dumb")
            command = servers.tool("zkCli.sh", "-server", connect)
            os.execv(command[0], command)
        self.shown = ""

    def look(self):
        while select.select([self.fd], [], [], 0.05)[0]:
            try:
                self.shown += os.read(self.fd, 4096).decode(errors="replace")
            except OSError:
                break
        return self.shown

    def press(self, keys, expected):
        before = len(self.shown)
        os.write(self.fd, keys.encode())
        wait.until(lambda: expected in self.look()[before:], 10, f"'{expected}' after {keys!r}")

    def quit(self):
        os.write(self.fd, b"quit\n")
        wait.until(lambda: self.look() and os.waitpid(self.pid, os.WNOHANG)[0] == self.pid, 10, "its end")
        self.pid = None

    def close(self):
        os.close(self.fd)
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


@pytest.fixture
def terminal(coord, tmp_path):
    opened = []

    def open_one():
        one = Terminal(coord.connect, tmp_path)
        opened.append(one)
        wait.until(lambda: "(CONNECTED) 0] " in one.look(), 10, "the prompt")
        return one

    yield open_one
    for one in opened:
        one.close()


def test_commands_and_paths_are_completed(terminal):
    shell = terminal()
    shell.press("create /apple 1\n", "Created /apple")
    shell.press("create /apricot 2\n", "Created /apricot")
    shell.press("listq\t", "listquota ")
    shell.press("/zoo\t", "/zookeeper ")
    shell.press("\n", "absolute path is /zookeeper/quota/zookeeper/zookeeper_limits")
    shell.press("get /app\t\n", "1\r\n")
    shell.press("get /ap\t", "/apple  /apricot")
    shell.press("r\t\n", "2\r\n")
    shell.quit()


def test_the_last_commands_come_back_in_the_next_shell(terminal):
    first = terminal()
    first.press("create /kept-in-history x\n", "Created /kept-in-history")
    first.press("get /kept-in-history\n", "x\r\n")
    first.quit()
    second = terminal()
    second.press("\x10\x10\n", "get /kept-in-history")  # two lines up: quit, then get
    second.quit()
