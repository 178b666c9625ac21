"""Foreign records to claims."""
