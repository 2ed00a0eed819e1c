"""Effects, thin: classes that receive ports."""
