"""The data of the flow, one frame at a time: Frame -> Detections -> Poses -> Tracks."""

from .checks import as_seconds
from .flow import Detections, Frame, Poses, Tracks
from .person import STATES, State

__all__ = ["STATES", "Detections", "Frame", "Poses", "State", "Tracks", "as_seconds"]
