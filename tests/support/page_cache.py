"""What is in the page cache when serving is measured, and not the disk; memory the machine really has."""
import os
from pathlib import Path

FREE_KEPT_MIB = 700
PIECE = 1 << 20


def warm(directory):
    """Reads the logs under a directory, once."""
    for path in directory.rglob("*.log"):
        with path.open("rb", buffering=0) as log:
            while log.read(PIECE):
                pass


def fill(directory):
    """Fills the page cache with an empty file, as the cache of a machine that has run for a day is full.

    What is written next takes the place of what is clean there. On a virtual machine that gives free pages
    back to its host, the first write to each is the host's work, several times the append's own, and would
    drown what is measured.
    """
    size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    buffer = bytearray(PIECE)
    with (directory / "empty").open("w+b", buffering=0) as file:
        file.truncate(size)
        for at in range(0, size, PIECE):
            if at % (64 * PIECE) == 0 and free_mib() <= FREE_KEPT_MIB:
                return
            os.preadv(file.fileno(), [buffer], at)


def free_mib():
    values = dict(line.split(":") for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    return int(values["MemFree"].split()[0]) >> 10
