"""One module per network: wire format to conversations and back."""
