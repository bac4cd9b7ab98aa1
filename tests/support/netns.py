"""One network namespace for each server on a bridge of the test's own, so that a server can be cut off as by
a pulled cable: nothing is refused, nothing arrives. Needs root; ask available() first."""

import os
import random
import subprocess


def ip(*words):
    subprocess.run(["ip", *map(str, words)], check=True, capture_output=True, text=True)


def available():
    if os.geteuid() != 0:
        return False
    name = f"tdm{random.SystemRandom().randrange(10**6)}"
    try:
        ip("netns", "add", name)
        ip("netns", "del", name)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


class Lab:
    """`with Lab(3) as lab`: hosts 1 to 3, reached from here and from each other."""

    def __init__(self, count):
        mark = random.SystemRandom().randrange(10**5)
        self.net = f"10.{random.SystemRandom().randrange(64, 250)}.{random.SystemRandom().randrange(250)}"
        self.bridge = f"tdmb{mark}"
        self.names = {n: f"tdm{mark}n{n}" for n in range(1, count + 1)}

    def host(self, number):
        return f"{self.net}.{number}"

    def prefix(self, number):
        """What a command line begins with to run on that host."""
        return ["ip", "netns", "exec", self.names[number]]

    def _port(self, number):
        return f"{self.bridge}v{number}"

    def cut(self, number):
        ip("link", "set", self._port(number), "nomaster")

    def join(self, number):
        ip("link", "set", self._port(number), "master", self.bridge)

    def __enter__(self):
        ip("link", "add", self.bridge, "type", "bridge")
        ip("addr", "add", f"{self.net}.254/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")
        for number, name in self.names.items():
            ip("netns", "add", name)
            ip("link", "add", self._port(number), "type", "veth", "peer", "name", "eth0", "netns", name)
            self.join(number)
            ip("link", "set", self._port(number), "up")
            ip("-n", name, "addr", "add", f"{self.host(number)}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
        subprocess.run(["ip", "link", "del", self.bridge], capture_output=True)
