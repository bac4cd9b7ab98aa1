"""A disk that fails under a running process, file by file."""

import os
import subprocess
from pathlib import Path

from support import wait


class Failing:
    """strace that makes the syncs of all files whose paths it is given fail; threads that there are."""

    def __init__(self, broker, paths):
        only = [word for path in paths for word in ("-P", str(path))]
        command = ["strace", "-f", "-q", "-p", str(broker.pid), *only, "-e", "trace=fdatasync,fsync",
                   "-e", "inject=fdatasync,fsync:error=EIO", "-o", os.devnull]
        self.tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait.until(lambda: self.holds(broker.pid), 20, "strace")

    @staticmethod
    def holds(pid):
        threads = Path(f"/proc/{pid}/task").iterdir()
        return all("TracerPid:\t0" not in (thread / "status").read_text() for thread in threads)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tracer.terminate()
        self.tracer.wait(20)
