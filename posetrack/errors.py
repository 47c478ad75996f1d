"""Everything that posetrack raises on purpose. Each message is a sentence: what, with the value, and what to do.

PosetrackError            the base: catch this one
+-- UsageError            the request itself is wrong (option, recipe, name); the command line exits with 2
|   +-- InputError        an array, a time or another value that a function was given cannot be used; a ValueError, too
+-- SourceError           an image, video, camera or stream cannot be read
+-- OutputError           a result cannot be written
+-- ModelError            weights or boxes cannot be found, fetched, verified or loaded
|   +-- ConversionError   a network cannot be brought to another runtime
+-- TrainingError         a training run cannot go on
+-- DeviceError           the device that was asked for is not there
+-- InstallationError     a library that posetrack needs is missing from this machine
"""


class PosetrackError(Exception):
    """Base of all errors that are meant for the user."""


class UsageError(PosetrackError):
    """The request itself is wrong: an option's value, a recipe's key, an unknown name."""


class InputError(UsageError, ValueError):
    """An array, a time or another value that a function was given cannot be used."""


class SourceError(PosetrackError):
    """An image, video, camera or stream cannot be read."""


class OutputError(PosetrackError):
    """A result cannot be written."""


class ModelError(PosetrackError):
    """Weights or detections cannot be found, fetched, verified or loaded."""


class TrainingError(PosetrackError):
    """A training run cannot go on."""


class DeviceError(PosetrackError):
    """The device that was asked for is not there."""


class InstallationError(PosetrackError):
    """A library that posetrack needs is missing from this machine."""


class ConversionError(ModelError):
    """A network cannot be brought to another runtime; its weights are fine."""
