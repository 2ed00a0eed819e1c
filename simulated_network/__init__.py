"""A social network of its own for demonstrations and tests: knows nothing of Parley."""
