"""A webcam of OpenCV that needs no device."""

import time

import numpy as np


class Camera:
    """A camera that gives `count` images at a fixed pace and then is unplugged; images say their number."""

    def __init__(self, count=10**9, pace=0.005, opened=True):
        self.count, self.pace, self.opened, self.grabbed, self.released = count, pace, opened, 0, 0

    def isOpened(self):
        return self.opened

    def grab(self):
        time.sleep(self.pace)
        self.grabbed += self.grabbed < self.count
        return self.grabbed < self.count

    def retrieve(self):
        return True, np.full((4, 6, 3), self.grabbed % 256, np.uint8)

    def get(self, _):
        return 30.0

    def set(self, *_):
        return True

    def release(self):
        self.released += 1
