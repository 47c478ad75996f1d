"""What people do, computed from keypoints: kinematics, calibration, features, events and whole movements.

Each sub-package imports only those before it.
"""
