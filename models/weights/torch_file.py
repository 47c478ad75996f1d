"""Read an untrusted file of `torch.save` as tensors and plain data.

Nothing in a file is imported, called or built (see `pickle_interpreter`), and its memory is bounded by its size: the
archive is not compressed, all storages together are no larger than the file, and no tensor has more elements than its
storage.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from .pickle_interpreter import Interpreter, Record, UnsafeError

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # magic number and protocol of files of torch before 1.6
_PICKLE = 64 * 2**20  # maximum bytes of a pickle, which holds names and shapes; the largest published one has 2 MB
_SHARED = 4  # maximum ratio of the tensors' bytes to their storages' bytes; tensors may share storages

_DTYPES = {
    "Float": torch.float32,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Double": torch.float64,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
}
# Calls that files of weights may contain and that are not needed here: they become records.
_IDLE = (
    "_codecs.encode",  # bytes, in older protocols
    "builtins.getattr",
    "builtins.slice",
    "copyreg._reconstructor",
    "datetime.datetime",
    "numpy.dtype",
    "torch.device",
    "torchvision.transforms.functional.InterpolationMode",
    "types.SimpleNamespace",
    "ultralytics.utils.IterableSimpleNamespace",
    "ultralytics.yolo.utils.IterableSimpleNamespace",
    *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("scalar", "_reconstruct")),
    *(f"{module}.{kind}Path" for module in ("pathlib", "pathlib._local") for kind in ("Posix", "Windows")),
)
Load = Callable[[str, torch.dtype, int], Tensor]  # (key, dtype, numel) -> the values of a storage


def read(path: Path) -> Any:
    """Return the contents of a file; tensors are on the CPU, floating-point ones in float32.

    Raises:
        OSError: the file cannot be opened.
        UnsafeError: it holds more than tensors and plain data.
        ValueError: it was not written by `torch.save`, or is broken; the message gives the reason.
    """
    with path.open("rb") as file:
        try:
            return _read_archive(file) if zipfile.is_zipfile(file) else _read_legacy(file)
        except UnsafeError:
            raise
        except (OSError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
            raise ValueError(str(error).splitlines()[0] if str(error) else "it ends too early") from error
        except (ArithmeticError, AttributeError, EOFError, LookupError, TypeError) as error:
            raise ValueError("it is damaged") from error


def check_sharing(tensors: Iterable[Tensor]) -> None:
    """Check that tensors, once copied into a network, take no more than a few times the memory of the file.

    Raises:
        ValueError: many tensors refer to the same values.
    """
    tensors = list(tensors)
    held = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    if sum(tensor.nbytes for tensor in tensors) > _SHARED * sum(held.values()):
        raise ValueError("its tensors repeat the same values, so they are far larger than the file")


def _read_archive(file: BinaryIO) -> Any:
    archive, size = zipfile.ZipFile(file), file.seek(0, io.SEEK_END)
    entries = {entry.filename.partition("/")[2]: entry for entry in archive.infolist()}
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries.values()):
        raise ValueError("its archive is compressed, which torch.save never does")
    if "data.pkl" not in entries:
        raise ValueError("its archive contains no data.pkl")
    if entries["data.pkl"].file_size > min(size, _PICKLE):
        raise ValueError(f"its pickle has {entries['data.pkl'].file_size} bytes")
    if "byteorder" in entries and archive.read(entries["byteorder"]) != b"little":
        raise ValueError("its numbers are not little-endian")

    def load(key: str, dtype: torch.dtype, numel: int) -> Tensor:
        entry = entries[f"data/{key}"]
        if entry.file_size < numel * dtype.itemsize:
            raise ValueError(f"storage {key} has {entry.file_size} bytes, fewer than it states")
        with archive.open(entry) as stream:
            return _numbers(stream, dtype, numel)

    return _interpreter(load, size).run(io.BytesIO(archive.read(entries["data.pkl"])))


def _read_legacy(file: BinaryIO) -> Any:
    """Read the format of torch before 1.6: pickles, of which the fourth is the value, then the storages' bytes."""
    size, kinds, loaded = file.seek(0, io.SEEK_END), {}, {}

    def note(key: str, dtype: torch.dtype, numel: int) -> Tensor:
        kinds[key] = dtype, numel
        return torch.empty(numel, dtype=dtype, device="meta")

    file.seek(0)
    first = _interpreter(note, size)
    if _pickle(file, first) != _MAGIC or _pickle(file, first) != _PROTOCOL:
        raise ValueError("it was not written by torch.save")
    _pickle(file, first)  # byte order and integer sizes of the machine that wrote it
    start = file.tell()
    _pickle(file, first)
    for key in _pickle(file, first):
        dtype, numel = kinds[key]
        if int.from_bytes(file.read(8), "little") != numel:
            raise ValueError(f"storage {key} has another length than it states")
        loaded[key] = _numbers(file, dtype, numel)
    file.seek(start)
    return _pickle(file, _interpreter(lambda key, dtype, numel: loaded[key], size))


def _pickle(file: BinaryIO, interpreter: Interpreter) -> Any:
    start = file.tell()
    memory = io.BytesIO(file.read(_PICKLE))
    value = interpreter.run(memory)
    file.seek(start + memory.tell())
    return value


def _numbers(stream: Any, dtype: torch.dtype, numel: int) -> Tensor:
    values = torch.empty(numel, dtype=dtype)
    view = memoryview(values.view(torch.uint8).numpy()) if numel else b""  # type: ignore[arg-type]
    while view:
        count = stream.readinto(view)
        if not count:
            raise ValueError("it ends too early")
        view = view[count:]
    return values.float() if dtype.is_floating_point else values


def _interpreter(load: Load, size: int) -> Interpreter:
    """Return an interpreter of pickles that refer to storages.

    Args:
        load: returns the values of a storage.
        size: bytes of the file.
    """
    storages: dict[str, Tensor] = {}
    left = size

    def refer(reference: Any) -> Tensor:
        nonlocal left
        _, kind, key, _, numel, *_ = reference
        if key not in storages:
            dtype = _DTYPES.get(kind.name.removeprefix("torch.").removesuffix("Storage"))
            if dtype is None:
                raise ValueError(f"it holds a {kind.name}")
            left -= _natural(numel) * dtype.itemsize
            if left < 0:
                raise ValueError("its storages need more bytes than the file has")
            storages[key] = load(key, dtype, numel)
        return storages[key]

    return Interpreter(_CALLS, refer)


def _natural(number: Any) -> int:
    if type(number) is not int or number < 0:
        raise ValueError(f"{number!r} is not a count")
    return number


def _tensor(storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Tensor:
    """Return a view of a storage: `torch.as_strided` with bounds checks, since the file is untrusted."""
    shape = [_natural(number) for number in size]
    steps = [_natural(number) for number in stride]
    last = _natural(offset) + sum((n - 1) * step for n, step in zip(shape, steps, strict=True))
    if (math.prod(shape) and last >= len(storage)) or math.prod(shape) > len(storage):
        raise ValueError(f"a tensor of shape {tuple(shape)} is larger than its storage of {len(storage)}")
    return storage.as_strided(shape, steps, offset if math.prod(shape) else 0)


def _dictionary(pairs: Any = ()) -> dict[Any, Any]:
    return {key: value for key, value in (pairs.items() if isinstance(pairs, dict) else pairs) if isinstance(key, str)}


_CALLS: dict[str, Callable[..., Any]] = {
    **{name: partial(lambda name, *arguments: Record(name, arguments), name) for name in _IDLE},
    **{f"builtins.{name}": lambda values=(): list(values) for name in ("set", "frozenset")},
    **{f"torch._utils._rebuild_{name}": _tensor for name in ("tensor", "tensor_v2")},
    **{f"torch._utils._rebuild_{name}": lambda data, *_: data for name in ("parameter", "parameter_with_state")},
    "collections.OrderedDict": _dictionary,
    "collections.Counter": _dictionary,
    "collections.defaultdict": lambda *_: {},
    "torch.Size": tuple,
}
