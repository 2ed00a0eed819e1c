"""RSS, Atom and the comments of blogs."""
