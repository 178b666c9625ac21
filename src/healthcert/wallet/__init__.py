"""A holder's own certificates, in one encrypted file."""
