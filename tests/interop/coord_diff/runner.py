"""Asks one server the whole list, one operation at a time, and writes down all that came back."""

import struct
from collections import Counter
from dataclasses import dataclass, field

from interop.coord_diff import operations
from interop.coord_diff.masks import masked
from support import zk_wire as zk

SESSION_MS = 600000


@dataclass
class Answer:
    outcome: object  # the error code, or "closed" when the connection ended without a reply
    frame: bytes = b""
    events: list = field(default_factory=list)  # (link, frame or "closed")

    def differs(self, other):
        for name in ("outcome", "frame", "events"):
            if getattr(self, name) != getattr(other, name):
                return name
        return None


def closes(step, outcome):
    """Whether a server hangs up after this answer: the end of a session, bad credentials, unknown codes."""
    if step.name in ("closeSession", "auth"):
        return step.name == "closeSession" or outcome != 0
    return outcome == -6 and step.name.startswith(("code", "notification", "check"))


class Side:
    def __init__(self, port):
        self.port = port
        self.sessions = {}
        self.links = [None] * operations.LINKS

    def link(self, number):
        if self.links[number] is None:
            self.links[number] = zk.Link(self.port, SESSION_MS)
            self.sessions[self.links[number].session] = len(self.sessions) + 1
        return self.links[number]

    def drop(self, number):
        self.links[number].close()
        self.links[number] = None

    def ask(self, step):
        try:
            frame = self.link(step.link).call(step.code, step.body, step.xid)
            answer = Answer(zk.header(frame)[2], masked(step.name, frame, self.sessions))
            if closes(step, answer.outcome):
                answer.events.append((step.link, self.await_close(step.link)))
        except zk.Closed:
            answer = Answer("closed")
        for number, link in enumerate(self.links):
            if link is None:
                continue
            try:
                link.ping()
            except zk.Closed:
                answer.events += [(number, event) for event in link.take_events()] + [(number, "closed")]
                self.drop(number)
                continue
            answer.events += [(number, event) for event in link.take_events()]
        if step.name == "closeSession":  # a session's ephemerals go in the order of a hash set
            answer.events.sort(key=repr)
        return answer

    def await_close(self, number):
        """What the server does to a connection after an answer that ends it; a moment may pass."""
        try:
            while True:
                self.links[number].receive_frame()
        except zk.Closed as error:
            self.drop(number)
            return "closed" if "timed out" not in str(error) else "left open"

    def run(self, steps):
        for number in range(operations.LINKS):
            self.link(number)
        try:
            return [self.ask(step) for step in steps]
        finally:
            for link in self.links:
                if link:
                    link.close()


def matrix(steps, answers):
    """{(operation, outcome): count}; the parts of a multi count by their own results."""
    cells = Counter()
    for step, answer in zip(steps, answers):
        cells[step.name, str(answer.outcome)] += 1
        if step.name == "multi" and answer.outcome == 0:
            for error in part_errors(answer.frame):
                cells["multi part", str(error)] += 1
    return cells


def part_errors(frame):
    """Errors inside the reply of a multi that failed; nothing for one that went through."""
    at = 16
    while at + 13 <= len(frame):
        kind, done, error, inner = struct.unpack_from(">iBii", frame, at)
        if done or kind != -1:
            return
        yield inner
        at += 13


def table(cells):
    rows = []
    for name in sorted({name for name, _ in cells}):
        row = sorted(((o, n) for (m, o), n in cells.items() if m == name), key=lambda r: (len(r[0]), r[0]))
        rows.append(f"  {name:<22} " + "  ".join(f"{outcome}:{count}" for outcome, count in row))
    return "\n".join(rows)
