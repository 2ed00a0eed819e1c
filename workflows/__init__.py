"""Durable lives: the conversation, the listeners, the sweep and the marker."""
