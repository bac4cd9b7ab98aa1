"""One child process with its log file: started, watched and ended by its own pid."""

import os
import signal
import subprocess
from pathlib import Path

from support import wait


def alive(pid):
    """Whether a process runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state != "Z"


def stopped(pid):
    """Whether no thread of it goes on."""
    threads = Path(f"/proc/{pid}/task").glob("*/stat")
    return {path.read_text().rpartition(")")[2].split()[0] for path in threads} <= {"T"}


def stop_pid(pid, signum=signal.SIGTERM, timeout=30.0):
    """Signals a process that need not be our child and waits for its end; SIGKILL when it does not heed."""
    try:
        os.kill(pid, signum)
        wait.until(lambda: not alive(pid), timeout, f"end of process {pid}")
    except ProcessLookupError:
        return
    except wait.Timeout:
        os.kill(pid, signal.SIGKILL)


class Process:
    """Subclasses set `command`, `environment`, and `ready()`, which is asked until it says true."""

    name = "process"
    start_timeout = 60.0

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.log_path = self.directory / f"{self.name}.log"
        self.child = None
        self.log_began = 0  # where the log of this start begins

    def command(self):
        raise NotImplementedError

    def environment(self):
        return dict(os.environ)

    def ready(self):
        return True

    @property
    def pid(self):
        return self.child.pid if self.child else None

    @property
    def running(self):
        return self.child is not None and self.child.poll() is None

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_of_this_start(self):
        return self.log_path.read_bytes()[self.log_began:].decode(errors="replace")

    def launch(self):
        """Starts the process and returns at once."""
        if self.running:
            raise RuntimeError(f"{self.name} already runs, pid {self.pid}")
        with open(self.log_path, "ab") as log:
            self.log_began = log.tell()
            self.child = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          env=self.environment(), cwd=self.directory, start_new_session=True)
        return self

    def start(self):
        """Starts the process and waits until it answers."""
        self.launch()

        def answered():
            if not self.running:
                raise RuntimeError(f"{self.name} ended with {self.child.returncode}:\n{self.log()[-3000:]}")
            return self.ready()

        try:
            wait.until(answered, self.start_timeout, f"start of {self.name}")
        except wait.Timeout as error:
            self.kill()
            raise RuntimeError(f"{error}\n{self.log()[-3000:]}") from error
        return self

    def signal(self, signum):
        if not self.running:
            return
        self.child.send_signal(signum)
        if signum == signal.SIGSTOP:  # on busy processors threads go on until the one that was told has run
            wait.until(lambda: stopped(self.pid), 10, f"process {self.pid} to stand still", interval=0.0005)

    def wait(self, timeout=30.0):
        """The exit code."""
        return self.child.wait(timeout)

    def stop(self, timeout=30.0):
        """SIGTERM; the exit code."""
        if self.child is None:
            return None
        self.signal(signal.SIGTERM)
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self):
        """SIGKILL: what was not durable is gone."""
        if self.child is not None:
            if self.child.poll() is None:
                self.child.kill()
            self.child.wait(30)

    def restart(self):
        self.stop()
        return self.start()

    def __enter__(self):
        return self if self.running else self.start()

    def __exit__(self, *_):
        if self.running:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                pass
