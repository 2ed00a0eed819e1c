"""Interval statistics and their definitions."""
