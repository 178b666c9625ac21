"""Bulk issuing and verifying: rows from files to files, over worker processes or a cluster, gone on with after a crash."""
