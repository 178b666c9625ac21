"""A gateway on this machine: a real HTTPS server that serves lists of keys as they were served, well or badly."""
