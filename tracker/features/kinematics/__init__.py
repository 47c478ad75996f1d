"""Geometry and motion of one pose or signal: body points, angles, derivatives, posture."""
