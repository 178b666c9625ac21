"""From a scanned text to a verdict: which checks, in which order, under which policy."""
