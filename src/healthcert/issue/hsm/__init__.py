"""Keys in hardware modules, over PKCS #11: signing with them, making them, naming them. Needs the extra ``hsm``."""
