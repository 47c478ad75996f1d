"""Track the videos of a bucket into tables: `python examples/bucket.py s3://archive/clips s3://archive/tables`.

Both are addresses of fsspec (`pip install fsspec s3fs`, or gcsfs, adlfs): s3, gs, abfs, https, file. Run it again to
continue. `python examples/bucket.py FROM TO 3/20` is the third of twenty machines that share a bucket.
"""

import subprocess
import sys
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import fsspec

SUFFIXES = {".mp4", ".mov", ".mkv", ".avi", ".webm"}
AT_ONCE = 50  # videos on the disk of this machine


def track_bucket(source: str, target: str, *options: str, share: int = 1, machines: int = 1) -> list[str]:
    """Track each video that has no table yet, and return the names of those that failed."""
    videos, folder = fsspec.url_to_fs(source)
    tables, results = fsspec.url_to_fs(target)
    names = sorted(path.removeprefix(folder).strip("/") for path in videos.find(folder))
    names = [name for name in names if PurePosixPath(name).suffix.lower() in SUFFIXES][share - 1 :: machines]
    waiting = [name for name in names if not tables.exists(f"{results}/{name}.csv")]
    failed = []
    for number in range(0, len(waiting), AT_ONCE):
        chosen = waiting[number : number + AT_ONCE]
        with TemporaryDirectory() as scratch:
            for i, name in enumerate(chosen):  # a folder each, since names may differ only in the suffix
                clip = Path(scratch, "clips", str(i), PurePosixPath(name).name)
                clip.parent.mkdir(parents=True)
                videos.get_file(f"{folder}/{name}", str(clip))
            words = [f"{scratch}/clips", "--csv", f"{scratch}/tables", "--jobs", "auto", *options]
            subprocess.run([sys.executable, "-m", "posetrack", *words])
            for i, name in enumerate(chosen):
                table = Path(scratch, "tables", str(i), f"{PurePosixPath(name).stem}.csv")
                if not table.exists():
                    failed.append(name)
                    continue
                tables.makedirs(f"{results}/{PurePosixPath(name).parent}", exist_ok=True)
                tables.put_file(f"{table}.json", f"{results}/{name}.csv.json")
                tables.put_file(str(table), f"{results}/{name}.csv")  # last, since it says that the video is done
    return failed


if __name__ == "__main__":
    share, machines = map(int, sys.argv[3].split("/")) if len(sys.argv) > 3 else (1, 1)
    if failed := track_bucket(sys.argv[1], sys.argv[2], share=share, machines=machines):
        sys.exit(f"No table of {', '.join(failed)}; the messages above say why.")
