"""Certificates issued here under other people's code, one kind of reader a file."""
