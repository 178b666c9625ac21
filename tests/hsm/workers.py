"""What other processes do with a signer that this one has opened."""

from __future__ import annotations

from multiprocessing.connection import Connection

from healthcert.issue.hsm.signer import Pkcs11Signer


def sign_and_send(signer: Pkcs11Signer, connection: Connection, data: bytes) -> None:
    connection.send_bytes(signer.sign(data))
    connection.close()
