"""Refuse a limit of memory under which libraries hang or crash instead of reporting an error."""

from __future__ import annotations

from ...errors import PosetrackError

try:
    import resource
except ImportError:  # Windows, which has no such limits
    resource = None  # type: ignore[assignment]

# Bytes that tracking with the bundled networks takes on two processors, by limit and its option of ulimit. An address
# space holds the stacks and heaps of all threads; with less, OpenBLAS waits for ever, and OpenVINO and LLVM crash.
NEEDED = {"RLIMIT_AS": ("-v", 2_500_000_000), "RLIMIT_DATA": ("-d", 1_000_000_000)}


def check_limits() -> None:
    """Check the limits of memory of this process.

    Raises:
        PosetrackError: one is too low.
    """
    for name, (option, needed) in NEEDED.items() if resource else ():
        limit, _ = resource.getrlimit(getattr(resource, name))
        if limit != resource.RLIM_INFINITY and limit < needed:
            raise PosetrackError(
                f"Memory is limited to {limit / 1e9:.1f} GB (ulimit {option}), and posetrack needs "
                f"{needed / 1e9:.1f} GB of this kind. Raise the limit, or limit memory by a container instead."
            )
