"""The configuration of a run: all groups of options, and the rules between them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from ...errors import UsageError
from .networks import Networks
from .outputs import Outputs
from .source import Source
from .tracking import Tracking
from .workers import Workers

GROUPS = {"source": Source, "outputs": Outputs, "networks": Networks, "tracking": Tracking, "workers": Workers}
# Options that change neither results nor their sidecars.
UNSTATED = ("skip_existing", "retry_failed", "checksums", *(each.name for each in dataclasses.fields(Workers)))
TYPES = {each.name: str(each.type) for group in GROUPS.values() for each in dataclasses.fields(group)}


@dataclass(frozen=True)
class RunConfig:
    """Complete configuration of a run."""

    source: Source = field(default_factory=Source)
    outputs: Outputs = field(default_factory=Outputs)
    networks: Networks = field(default_factory=Networks)
    tracking: Tracking = field(default_factory=Tracking)
    workers: Workers = field(default_factory=Workers)

    def __post_init__(self) -> None:
        if not self.outputs.blur_faces:
            return
        if self.networks.max_people:
            raise UsageError("max_people ignores people whose faces blur_faces must hide. Leave one of them out.")
        if (every := self.tracking.detect_every) != 1:
            raise UsageError(f"detect_every is {every}, so blur_faces would miss new people; give 1.")

    @classmethod
    def of(cls, **values: Any) -> RunConfig:
        """Return the configuration with these options, each by its name."""
        groups = {}
        for name, group in GROUPS.items():
            own = {each.name for each in dataclasses.fields(group)} & values.keys()
            groups[name] = group(**{key: values.pop(key) for key in own})
        if values:
            raise TypeError(f"There is no option {', '.join(values)}.")
        return cls(**groups)

    def flat(self) -> dict[str, Any]:
        """Return every option by its name."""
        return {name: value for group in dataclasses.asdict(self).values() for name, value in group.items()}

    def stated(self) -> dict[str, Any]:
        """Return every option that results depend on, by its name."""
        return {name: value for name, value in self.flat().items() if name not in UNSTATED}
