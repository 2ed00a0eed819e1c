"""Slack channels and direct messages."""
