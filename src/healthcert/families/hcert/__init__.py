"""HCERT: the electronic health certificate of the EU DCC (``HC1:`` + base45 + ZLIB + COSE_Sign1 + CWT + CBOR)."""
