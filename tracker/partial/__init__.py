"""Files that take their final names only when they are complete: `out.csv` is `out.partial.csv` until then."""

from .claim import claim
from .file import PartialFile
from .names import check_inputs, check_name, check_target, partial_path, sidecar_path
from .transaction import Transaction, scratch_folder, sync

__all__ = [
    "PartialFile",
    "Transaction",
    "check_inputs",
    "check_name",
    "check_target",
    "claim",
    "partial_path",
    "scratch_folder",
    "sidecar_path",
    "sync",
]
