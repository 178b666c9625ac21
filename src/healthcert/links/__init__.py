"""Health links (SMART Health Links, WHO's Verifiable Health Links): read, written, and opened only when asked to."""
