"""One module a format of lists of rules; each turns what a server gives into rules and value sets."""
