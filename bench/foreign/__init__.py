"""Runs in the environments of other implementations, where this project is not installed: it imports nothing of it."""
