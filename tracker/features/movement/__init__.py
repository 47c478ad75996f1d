"""Whole movements: gait cycles, repetitions with their phases, standing and jumps."""
