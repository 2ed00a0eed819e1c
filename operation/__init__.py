"""The commands of parley.py."""
