"""Repeatable measurements that print ratios."""
