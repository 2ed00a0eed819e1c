"""Text messages in Twilio's shape."""
