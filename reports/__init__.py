"""Figures of the floor, now and by intervals, and their definitions."""
