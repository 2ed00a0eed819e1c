"""Bluesky: posts, notifications, search, Jetstream and chat."""
