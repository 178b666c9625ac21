"""Bulk issuing and verifying: from files to files, over processes or a cluster, gone on with after a crash."""
