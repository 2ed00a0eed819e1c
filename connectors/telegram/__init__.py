"""Telegram chats and groups."""
