"""What Facebook and Instagram have in common: Meta's Graph API, its webhooks, its messages."""
