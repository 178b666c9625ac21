"""Every format that lists of keys come in: one module each, behind one protocol."""
