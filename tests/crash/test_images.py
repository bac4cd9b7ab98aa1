"""The disks of these tests themselves."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import cycles  # noqa: E402


def test_a_new_disk_is_new_though_another_mount_namespace_has_the_one_before(tmp_path):
    if not cycles.loop_mounts_work(tmp_path):
        pytest.skip("loop mounts are not allowed here")
    disk = cycles.Ext4Image(tmp_path, "other")
    disk.format(mib=8)
    (disk.mount_point / "before").touch()
    # As servers in network namespaces of a test beside this one do.
    holder = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-c", "echo; exec cat"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"\n"
        disk.format(mib=8)
        assert not (disk.mount_point / "before").exists()
    finally:
        holder.communicate(timeout=10)
        disk.unmount()
