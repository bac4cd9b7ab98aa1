"""The links between the servers of an ensemble on loopback, as proxies: each server knows the others by ports
of these, so that every direction between every two of them can be cut and mended. What is cut is held back,
as TCP does with a cable that was pulled: nobody is told, and once mended everything arrives."""

import selectors
import socket
import threading
import time

from support import ports

CHUNK = 1 << 18
REFUSED_MAX = 0.5  # seconds


class Pipe:
    """One direction of a connection."""

    def __init__(self, source, sink, way):
        self.source, self.sink, self.way = source, sink, way


class Listener:
    def __init__(self, way, target):
        self.way, self.target = way, target
        self.socket = socket.create_server((ports.HOST, 0), backlog=64)
        self.socket.setblocking(False)

    @property
    def port(self):
        return self.socket.getsockname()[1]


class Network(threading.Thread):
    """`with Network() as network: Ensemble(..., network=network)`. A way is (from, to), two server ids."""

    def __init__(self):
        super().__init__(daemon=True)
        self.selector = selectors.DefaultSelector()
        self.listeners, self.pipes, self.cut = [], {}, set()
        self.waiting = []  # connections whose targets are not there
        self.changes = {}  # way -> what is done to each piece of bytes on it
        self.lock = threading.Lock()
        self.wake, self.woken = socket.socketpair()
        self.selector.register(self.woken, selectors.EVENT_READ, "wake")
        self.ending = False

    def port(self, way, target):
        """A port that leads to `target` as long as the way is open."""
        listener = Listener(way, target)
        with self.lock:
            self.listeners.append(listener)
            self.selector.register(listener.socket, selectors.EVENT_READ, listener)
        return listener.port

    def part(self, *ways):
        with self.lock:
            self.cut |= set(ways)

    def isolate(self, number, others):
        self.part(*[way for n in others if n != number for way in ((n, number), (number, n))])

    def change(self, way, how):
        """Every piece of bytes on the way becomes how(bytes)."""
        with self.lock:
            self.changes[way] = how

    def heal(self):
        with self.lock:
            self.cut.clear()
            self.wake.send(b"x")

    def reset(self):
        """Ends every connection."""
        with self.lock:
            for source in list(self.pipes):
                self._close(source)

    # The thread's own part.
    def run(self):
        while not self.ending:
            ready = self.selector.select(0.002 if self.waiting else 0.2)
            with self.lock:
                for key, _ in ready:
                    if key.data == "wake":
                        self._resume()
                    elif isinstance(key.data, Listener):
                        self._accept(key.data)
                    elif key.fileobj in self.pipes:
                        self._carry(self.pipes[key.fileobj])
                waiting, self.waiting = self.waiting, []
                for near, listener, until in waiting:
                    self._connect(near, listener, until)

    def _blocked(self, way):
        return way in self.cut

    def _watch(self, thing, data, wanted):
        try:
            if wanted:
                self.selector.register(thing, selectors.EVENT_READ, data)
            else:
                self.selector.unregister(thing)
        except (KeyError, ValueError):
            pass  # it is so already, or was closed

    def _accept(self, listener):
        if self._blocked(listener.way) or self._blocked(listener.way[::-1]):
            self._watch(listener.socket, listener, False)  # waits in the queue until the way is mended
            return
        try:
            near, _ = listener.socket.accept()
        except OSError:
            return
        self.waiting.append((near, listener, time.monotonic() + REFUSED_MAX))

    def _connect(self, near, listener, until):
        """A target that is not there yet is tried again: the caller shall not see more than a slow answer."""
        try:
            far = socket.create_connection((ports.HOST, listener.target), timeout=2)
        except OSError:
            if time.monotonic() < until:
                self.waiting.append((near, listener, until))
            else:
                near.close()
            return
        for one, other, way in ((near, far, listener.way), (far, near, listener.way[::-1])):
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.pipes[one] = Pipe(one, other, way)
            self._watch(one, None, True)

    def _carry(self, pipe):
        if self._blocked(pipe.way):
            self._watch(pipe.source, None, False)
            return
        try:
            data = pipe.source.recv(CHUNK)
            if not data:
                self._close(pipe.source)
                return
            if pipe.way in self.changes:
                data = self.changes[pipe.way](data)
            pipe.sink.settimeout(2)
            pipe.sink.sendall(data)
            pipe.sink.setblocking(False)
        except BlockingIOError:
            pass
        except OSError:
            self._close(pipe.source)

    def _close(self, source):
        pipe = self.pipes.pop(source, None)
        if pipe is None:
            return
        self._watch(source, None, False)
        source.close()
        self._close(pipe.sink)

    def _resume(self):
        self.woken.recv(4096)
        for listener in self.listeners:
            self._watch(listener.socket, listener, True)
        for source in self.pipes:
            self._watch(source, None, True)

    def end(self):
        self.ending = True
        self.wake.send(b"x")
        self.join(10)
        self.reset()
        for near, _, _ in self.waiting:
            near.close()
        for listener in self.listeners:
            listener.socket.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()
