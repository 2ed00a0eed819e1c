"""The pure routing rules: who may get which conversation, in what order, and why."""
