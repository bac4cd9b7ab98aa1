"""A steady load that remembers what was acknowledged: numbered nodes, created one after the other."""

import threading

from kazoo.exceptions import KazooException

from support import wait


class Creator(threading.Thread):
    """Creates PREFIX000000 and so on through a client that the caller has started, and skips what fails."""

    def __init__(self, client, prefix, size=100):
        super().__init__(daemon=True)
        self.client, self.prefix, self.data = client, prefix, b"x" * size
        self.acknowledged, self.stopping = [], threading.Event()

    def run(self):
        number = 0
        while not self.stopping.is_set():
            path = f"{self.prefix}{number:06d}"
            try:
                self.client.create(path, self.data)
                self.acknowledged.append(path)
            except KazooException:
                self.stopping.wait(0.02)
            number += 1

    def more(self, count=30, timeout=40.0):
        """Waits for `count` more acknowledgements."""
        before = len(self.acknowledged)
        wait.until(lambda: len(self.acknowledged) >= before + count, timeout, "acknowledged writes")

    def end(self):
        self.stopping.set()
        self.join(60)
