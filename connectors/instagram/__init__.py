"""Instagram: comments, mentions and messages."""
