"""Live scanning: what a scanner types, sends or sees becomes a verdict on the whole screen, and nothing stays."""
