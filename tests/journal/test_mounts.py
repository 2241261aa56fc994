"""A journal is never put on a file system over the network."""

import os
from pathlib import Path

import pytest

from runmill.journal.mounts import is_on_network, network_kind

REMOTE = [
    "nfs", "nfs4", "cifs", "smbfs", "smb3", "9p", "lustre", "beegfs", "gpfs", "ceph", "afs", "fuse.sshfs", "fuse.s3fs",
    "fuse.gcsfuse", "fuse.rclone", "fuse.glusterfs", "fuse.ceph-fuse", "fuse.juicefs", "fuse.beegfs_mount",
]  # fmt: skip
LOCAL = ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk", "fuse.mergerfs", "fuse.overlayfs", "virtiofs"]


def table(*mounts: tuple[str, str]) -> str:
    return "".join(f"device {point} {kind} rw,relatime 0 0\n" for point, kind in mounts)


@pytest.mark.parametrize("kind", REMOTE)
def test_every_kind_of_network_file_system_is_known(kind: str) -> None:
    """By the name that the kernel gives it."""
    assert network_kind("/home/ann/state", table(("/", "ext4"), ("/home", kind))) == kind


@pytest.mark.parametrize("kind", LOCAL)
def test_local_file_systems_are_local(kind: str) -> None:
    """Also those through FUSE, and those of containers."""
    assert network_kind("/home/ann/state", table(("/", "nfs"), ("/home", kind))) is None


@pytest.mark.parametrize(
    ("path", "mounts"),
    [
        ("/mnt/lab data/home", [("/", "ext4"), (r"/mnt/lab\040data", "nfs4")]),
        ("/mnt/a\\b", [("/", "ext4"), (r"/mnt/a\134b", "nfs4")]),
        ("/anywhere", [("/", "nfs4")]),
        ("/mnt", [("/", "ext4"), ("/mnt", "ext4"), ("/mnt", "nfs4")]),
    ],
    ids=["blank", "backslash", "root", "mounted over"],
)
def test_the_mount_point_that_holds_a_path_is_found(path: str, mounts: list[tuple[str, str]]) -> None:
    """Escaped characters are read, and the file system that is seen is the one that counts."""
    assert network_kind(path, table(*mounts)) == "nfs4"


def test_a_neighbour_with_a_longer_name_is_another_place() -> None:
    """/home2 is not inside of /home; a line that is none is no mount point."""
    assert network_kind("/home2/ann", table(("/", "ext4"), ("/home", "nfs4")) + "broken\n") is None


def test_this_machines_own_table_is_read(tmp_path: Path) -> None:
    """A folder that does not exist yet is where it will be; a link is where it points to."""
    assert Path("/proc/self/mounts").exists() is (os.uname().sysname == "Linux")
    assert is_on_network(tmp_path / "not" / "there") is is_on_network(tmp_path)
