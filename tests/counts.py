"""Count what drawn people do: events of the bundled networks, and of the true keypoints of the same frames.

    python tests/counts.py FOLDER [NAME]         # poses go to FOLDER, and are used again if they are there
    python tests/counts.py FOLDER "" boxes       # with the person's true box instead of the detector

The clips `FIRST` were there when thresholds and confidences were set; the clips `OTHERS` have other bodies, clothes,
tempos and sides, and no threshold was set by them.
"""

import pickle
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import mannequin
import motions

import posetrack
from posetrack.tracker.evaluation.synthetic import regular
from posetrack.tracker.features.events.hands import HANDS
from posetrack.tracker.types import State, Tracks

FPS = 25
STAND = motions.stand(1)
TOLERANCE = {"squat": 1.0}  # seconds between an event and the true one, otherwise 0.8; the end of a squat is slow
CHILD = motions.Build(trunk=0.29, neck=0.15, thigh=0.22, shank=0.22, arm=0.17, forearm=0.135, shoulder=0.11, hip=0.08)
LEAN = motions.Build(trunk=0.275, thigh=0.255, shank=0.255, arm=0.195, forearm=0.155, shoulder=0.105)
BROAD = motions.Build(trunk=0.3, thigh=0.24, shank=0.24, shoulder=0.13, hip=0.1)
BLUE = mannequin.Look(shirt=(150, 90, 40), trousers=(60, 60, 65), skin=(90, 120, 170), hair=(20, 20, 20))
LIGHT = mannequin.Look(shirt=(225, 230, 230), trousers=(90, 130, 160), stout=0.85)
DARK = mannequin.Look(shirt=(60, 55, 50), trousers=(50, 45, 45), skin=(60, 85, 130), hair=(15, 15, 20), stout=1.2)


@dataclass(frozen=True)
class Clip:
    """One person who does something: parts of `motions`, the side, and how they look."""

    name: str
    parts: list
    yaw: float
    blend: float = 1.0
    build: motions.Build = motions.ADULT
    look: mannequin.Look = mannequin.RED
    tall: float = 330
    speed: float = 0.0

    @property
    def view(self):
        yaw = self.yaw % 360
        return "front" if 50 < yaw < 130 else "back" if 230 < yaw < 310 else "left" if 90 < yaw < 270 else "right"

    @property
    def event(self):
        return next((name for part in self.parts for name, _ in part[2]), "")

    def motion(self):
        times = regular(sum(part[0] + self.blend for part in self.parts) + 0.5, FPS)
        words = {"yaw": self.yaw, "blend": self.blend, "speed": self.speed, "build": self.build}
        return motions.perform(self.parts, times, **words)

    def pixels(self):
        """Return the keypoints (T, 17, 2) in the video."""
        poses = mannequin.placed(self.motion(), self.tall)
        if self.speed:  # the middle of the way is that of the image
            poses[..., 0] += (mannequin.SIZE[0] - poses[..., 0].min() - poses[..., 0].max()) / 2
        return poses


def clips(name, part, yaws, *, blend=1.0, end=True, **words):
    """Return one clip for each side."""
    parts = [STAND, part, *([STAND] if end else [])]
    return [Clip(f"{name}-{yaw}", parts, yaw, blend, **words) for yaw in yaws]


FIRST = [
    *clips("squat", motions.squats(5), (0, 45, 90, 270)),
    *clips("chair", motions.chair_stands(4), (0, 45, 180), blend=1.5),
    *clips("curl", motions.curls(5), (0, 45, 180)),
    *clips("press", motions.presses(5), (0, 180)),
    *clips("jack", motions.jumping_jacks(7), (90, 60, 270)),
    *clips("lunge", motions.lunges(4), (0, 180, 90)),
    *clips("push-up", motions.push_ups(5), (0, 180), blend=2.5),
    *clips("walk", motions.walk(13), (0, 180, 30, 90, 270)),
    *clips("hand", motions.raise_hand("left"), (90, 0)),
    *clips("fall", motions.fall(1), (0, 180), end=False),
    *clips("bow", motions.bows(3), (0, 90)),
]
OTHERS = [
    *clips("slow-squat", motions.squats(3, seconds=3.2, depth=80), (20, 120), build=LEAN, look=BLUE),
    *clips("fast-squat", motions.squats(5, seconds=1.4), (160, 250), build=CHILD, look=LIGHT, tall=240),
    *clips("broad-chair", motions.chair_stands(3, seconds=2.6), (20, 200), blend=1.5, build=BROAD, look=DARK),
    *clips("slow-curl", motions.curls(4, seconds=2.6), (20, 160), build=LEAN, look=LIGHT),
    *clips("fast-curl", motions.curls(6, seconds=1.0), (330,), build=BROAD, look=DARK),
    *clips("slow-press", motions.presses(3, seconds=3.0), (20, 150), build=BROAD, look=BLUE),
    *clips("fast-jack", motions.jumping_jacks(8, seconds=0.9), (90, 110), build=CHILD, look=LIGHT, tall=240),
    *clips("slow-jack", motions.jumping_jacks(5, seconds=1.5), (75, 260), build=BROAD, look=DARK),
    *clips("right-lunge", motions.lunges(4, seconds=1.8, first="right"), (0, 200), build=LEAN, look=BLUE),
    *clips("slow-lunge", motions.lunges(3, seconds=3.2), (30, 120), build=BROAD, look=LIGHT),
    *clips("slow-push-up", motions.push_ups(4, seconds=2.2), (20, 160), blend=2.5, build=LEAN, look=BLUE),
    *clips("fast-push-up", motions.push_ups(5, seconds=1.2), (0,), blend=2.5, build=BROAD, look=LIGHT),
    *clips("child-push-up", motions.push_ups(4, seconds=1.8), (340, 200), blend=2.5, build=CHILD, look=DARK, tall=280),
    *clips("slow-walk", motions.walk(10, cadence=80), (0, 150, 100), build=BROAD, look=DARK),
    *clips("fast-walk", motions.walk(14, cadence=135), (20, 180, 280), build=CHILD, look=LIGHT, tall=240),
    *clips("passing", motions.walk(11, cadence=105), (0, 180), build=LEAN, look=BLUE, tall=250, speed=0.35),
    *clips("crossing", motions.walk(9, cadence=120), (10, 170), build=BROAD, look=LIGHT, tall=230, speed=0.4),
    *clips("right-hand", motions.raise_hand("right"), (90, 180), build=CHILD, look=BLUE),
    *clips("backwards", motions.fall(-1), (0, 160), end=False, build=BROAD, look=DARK),
]


def detected(clip):
    """Return a detector that knows where the person of a clip is."""
    boxes = iter([[*(pose.min(0) - 0.06 * clip.tall), *(pose.max(0) + 0.06 * clip.tall)] for pose in clip.pixels()])
    return lambda frame: ([next(boxes)], [0.9])


def followed(clip, folder, pipeline, kind):
    """Return number, time and tracks of each frame of a clip as the networks see it."""
    kept = folder / f"{clip.name}.{kind}"
    if not kept.exists():
        seen = mannequin.images(clip.pixels(), view=clip.view, tall=clip.tall, look=clip.look)
        tracks = ((index, index / FPS, pipeline(image, time=index / FPS)) for index, image in enumerate(seen))
        kept.write_bytes(pickle.dumps(list(tracks)))
    return pickle.loads(kept.read_bytes())


def true(clip):
    """Yield the same of the true keypoints."""
    for index, time, poses in clip.motion().frames():
        yield index, time, Tracks([1], poses, [[0.0, 0.0]], (State.MEASURED,))


def events(frames):
    """Return the events of frames: number, time and tracks."""
    actions = posetrack.ActionFeatures()
    detector = posetrack.EventDetector(actions)
    rows = [row for frame in frames for row in actions.update(*frame)]
    return [event for row in rows + actions.finish() for event in detector.update(row)]


def count(clip, found):
    """Return how many true events are found, and the names of the others."""
    too = HANDS if clip.event == "shoulder_press" else ()  # a press raises both hands
    left = [one for one in found if one.event not in too]
    truth = [(name, time) for name, time in clip.motion().events]
    right = 0
    for name, time in truth:
        near = [one for one in left if one.event == name and abs(one.time - time) <= TOLERANCE.get(name, 0.8)]
        if near:
            right += 1
            left.remove(min(near, key=lambda one: abs(one.time - time)))
    return right, len(truth), Counter(one.event for one in left)


def report(line):
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(folder, name="", kind="networks"):
    """Print the counts of all clips whose name contains `name`; with `kind` "boxes" the person need not be detected."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    whole = posetrack.load_pipeline() if kind == "networks" else None
    for title, group in (("first", FIRST), ("others", OTHERS)):
        sums = Counter()
        for clip in (clip for clip in group if name in clip.name):
            pipeline = whole.session() if whole else posetrack.load_pipeline(detector=detected(clip))
            right, known, wrong = count(clip, events(followed(clip, folder, pipeline, kind)))
            ideal, _, also = count(clip, events(true(clip)))
            line = f"{title:7}{clip.name:20}{clip.event:18}{right:3} of {known:2}; true keypoints {ideal:2}"
            report(f"{line}; false {dict(wrong)}, true keypoints {dict(also)}")
            sums.update({(clip.event, "right"): right, (clip.event, "known"): known, ("", "false"): wrong.total()})
        for event in sorted({event for event, _ in sums} - {""}):
            report(f"{title:7}{event:18}{sums[event, 'right']} of {sums[event, 'known']}")
        report(f"{title:7}{sums['', 'false']} false")


if __name__ == "__main__":
    main(*sys.argv[1:])
