"""Refuse a limit of memory under which libraries hang or crash instead of reporting an error."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import PosetrackError

try:
    import resource
except ImportError:  # Windows, which has no such limits
    resource = None  # type: ignore[assignment]

OPTIONS = {"RLIMIT_AS": "-v", "RLIMIT_DATA": "-d"}  # of ulimit
# Bytes of each limit that commands take on two processors: with the bundled networks, and if they read tables at most.
# An address space holds the stacks and heaps of all threads; with less, OpenBLAS waits for ever, and OpenVINO and LLVM
# crash.
NETWORKS = {"RLIMIT_AS": 2_500_000_000, "RLIMIT_DATA": 1_000_000_000}
TABLES = {"RLIMIT_AS": 800_000_000, "RLIMIT_DATA": 400_000_000}


def check_limits(needed: Mapping[str, int]) -> None:
    """Check the limits of memory of this process.

    Args:
        needed: bytes of each limit, `NETWORKS` or `TABLES`.

    Raises:
        PosetrackError: one is too low.
    """
    for name, least in needed.items() if resource else ():
        limit, _ = resource.getrlimit(getattr(resource, name))
        if limit != resource.RLIM_INFINITY and limit < least:
            raise PosetrackError(
                f"Memory is limited to {limit / 1e9:.1f} GB (ulimit {OPTIONS[name]}), and this command needs "
                f"{least / 1e9:.1f} GB of this kind. Raise the limit, or limit memory by a container instead."
            )
