"""Count the squats of every person in a video: `python examples/squat_counter.py squats.mp4`."""

import sys

import posetrack


def count_squats(source: str) -> dict[int, int]:
    """Return the number of squats of each person, by track ID."""
    actions = posetrack.ActionFeatures()
    events = posetrack.EventDetector(actions)
    counts: dict[int, int] = {}
    for frame, tracks in posetrack.track(source):
        for row in actions.update(frame.index, frame.time, tracks):
            for event in events.update(row):
                if event.event == "squat":
                    counts[event.track] = counts.get(event.track, 0) + 1
                    print(f"{event.time:.2f} s: squat {counts[event.track]} of person {event.track}")
    return counts


if __name__ == "__main__":
    count_squats(sys.argv[1] if len(sys.argv) > 1 else "0")
