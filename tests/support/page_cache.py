"""What is in the page cache when serving is measured, and not the disk; memory the machine really has."""
import mmap


def warm(directory):
    """Reads the logs under a directory, once."""
    for path in directory.rglob("*.log"):
        with path.open("rb", buffering=0) as log:
            while log.read(1 << 20):
                pass


def populate(gib):
    """Touches so much free memory and frees it.

    On a virtual machine that gives free pages back to its host, the first write to each is the host's work,
    several times the append's own, and would drown what is measured.
    """
    with mmap.mmap(-1, gib << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE):
        pass
