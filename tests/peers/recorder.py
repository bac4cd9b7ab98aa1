"""A TCP proxy on loopback that keeps what passes: one file for each connection and direction."""

import socket
import threading
from pathlib import Path

from support import ports


class Recorder:
    """Listens on `port`, forwards to `target`; keeps DIRECTORY/NAME-K.up (of who connects) and .down."""

    def __init__(self, port, target, directory, name):
        self.target, self.directory, self.name = target, Path(directory), name
        self.connections = 0
        self.links = []
        self.listener = socket.create_server((ports.HOST, port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection((ports.HOST, self.target), timeout=5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            self.connections += 1
            self.links += [near, far]
            base = self.directory / f"{self.name}-{self.connections}"
            for source, sink, suffix in ((near, far, "up"), (far, near, "down")):
                link = (source, sink, base.with_suffix(f".{suffix}"))
                threading.Thread(target=self._pump, args=link, daemon=True).start()

    @staticmethod
    def _pump(source, sink, path):
        with open(path, "wb") as kept:
            try:
                while part := source.recv(65536):
                    kept.write(part)
                    kept.flush()
                    sink.sendall(part)
            except OSError:
                pass
        for link in (source, sink):
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        for link in (self.listener, *self.links):
            link.close()
