"""Track several cameras at once with networks that are loaded once: `python examples/multi_camera.py 0 1`.

Each camera has its own track IDs. Each iterator runs in its own thread, so that waiting for one camera does not block
the others.
"""

import sys
from collections.abc import Iterator
from queue import Queue
from threading import Thread

import posetrack

Found = tuple[str, posetrack.Frame, posetrack.Tracks]


def track_all(sources: list[str]) -> Iterator[Found]:
    """Yield the name of the source, the frame and its tracks, from all sources as they come."""
    pipeline = posetrack.load_pipeline()
    found: Queue[Found | None] = Queue(maxsize=len(sources))

    def follow(source: str) -> None:
        try:
            for frame, tracks in posetrack.track(source, pipeline=pipeline):
                found.put((source, frame, tracks))
        except posetrack.PosetrackError as error:
            print(error, file=sys.stderr)
        finally:
            found.put(None)

    for source in sources:
        Thread(target=follow, args=(source,), daemon=True).start()
    running = len(sources)
    while running:
        item = found.get()
        if item is None:
            running -= 1
        else:
            yield item


if __name__ == "__main__":
    for name, frame, tracks in track_all(sys.argv[1:] or ["0"]):
        print(f"camera {name}, {frame.time:.2f} s: people {tracks.ids.tolist()}")
