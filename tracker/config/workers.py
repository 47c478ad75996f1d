"""The processes that share the work."""

from __future__ import annotations

from dataclasses import dataclass

from .option import AUTO, check, every, not_negative, option


@dataclass(frozen=True)
class Workers:
    """How many processes share the work, and where."""

    jobs: int | str = option(
        1,
        "number of worker processes, for the files of a batch or the minutes of a long video; `auto` is one per two "
        "cores, as far as memory allows",
        "N",
        check=every,
        remedy=f"a number of processes, 1 or more, or {AUTO}",
        see="scale.md",
    )
    engine: str = option(
        "local",
        "where worker processes run: `local`, on this machine, or `ray`, on a cluster",
        "NAME",
        choices=("local", "ray"),
        see="cluster.md",
    )
    address: str = option(
        "local",
        "address of the Ray cluster; `auto` is the cluster of this machine, `local` starts Ray on this machine only",
        "HOST",
    )
    gpus: float = option(
        0.0,
        "GPUs per process on Ray; with 0.25, four processes share one",
        "SHARE",
        check=not_negative,
        remedy="a number of 0 or more",
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def parallel(self) -> bool:
        """Whether worker processes are requested."""
        return self.jobs != 1 or self.engine != "local"
