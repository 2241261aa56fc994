"""Whether a folder is on a file system over the network, where a journal must not be.

A shared map over the network is neither coherent nor safe from a lost server; its locks may not hold.
"""

import os
import re
from pathlib import Path
from typing import Final

__all__ = ["is_on_network", "network_kind"]

_KINDS: Final = re.compile(
    r"(nfs|smb|cifs$|9p|lustre|beegfs|gpfs|ceph|afs|ncpfs|glusterfs|orangefs|pvfs|panfs|wekafs|quobyte"
    # Through FUSE: only those that are known to be remote, since many are local (ntfs-3g, overlayfs, mergerfs).
    r"|fuse\.(sshfs|s3fs|gcsfuse|goofys|mount-s3|rclone|blobfuse|glusterfs|ceph|juicefs|seaweedfs|davfs|beegfs|cvmfs))"
)
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")
_MOUNTS: Final = Path("/proc/self/mounts")


def is_on_network(path: Path) -> bool:
    """Say whether *path*, which need not exist, is on a network file system; False where the system does not tell."""
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    return network_kind(os.path.realpath(path), mounts) is not None


def network_kind(path: str, mounts: str) -> str | None:
    r"""Give the kind of network file system that *path* is on by the table *mounts*; None for a local one.

    Source: fstab(5), whose format the kernel keeps to: blanks in a mount point are ``\040``.
    """
    found, deepest = "", -1
    for _device, escaped, kind, *_ in (line.split(" ") for line in mounts.splitlines() if line.count(" ") > 1):
        point = _ESCAPED.sub(lambda digits: chr(int(digits[1], 8)), escaped).rstrip("/")
        # Not `<`: the last of several file systems mounted at one point is the one that is seen.
        if f"{path}/".startswith(f"{point}/") and len(point) >= deepest:
            found, deepest = kind, len(point)
    return found if _KINDS.match(found) else None
