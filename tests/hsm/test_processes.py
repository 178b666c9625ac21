"""Other processes: each opens sessions of its own, and none touches its parent's."""

from __future__ import annotations

import multiprocessing
import pickle
from pathlib import Path

import pytest

from healthcert.issue.hsm.signer import Pkcs11Signer
from tests import softhsm
from tests.hsm.keys import KeyOnToken
from tests.hsm.test_lost import run
from tests.hsm.workers import sign_and_send

FORK = """
import os
import healthcert as hc
from pathlib import Path
from tests import softhsm
from tests.hsm.keys import key_on_token
from healthcert.issue.hsm import native
from healthcert.issue.hsm.signer import Pkcs11Signer

token = softhsm.SoftToken(Path(os.environ["SOFTHSM2_CONF"]), "Health")
made = key_on_token(token, "DSC", "ec-p256")
signer = Pkcs11Signer(made.uri, made.certificate, pin=softhsm.PIN)
holds = lambda: signer.algorithm.verify(made.key.public_key(), signer.sign(b"data"), b"data")
assert holds()
parents = signer._pool
asked, initialize = [], native.Native.initialize
native.Native.initialize = lambda self, threads: asked.append(threads) or initialize(self, threads=threads)
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        good = holds() and holds() and signer._pool is not parents and asked and asked[0]
        # A PIN that the parent would not try again is not tried by the child either.
        os._exit(0 if good else 1)
    children.append(child)
    assert holds()
assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]
assert holds() and signer._pool is parents and not asked
print("done")
"""

REFUSED = """
import os
import healthcert as hc
from pathlib import Path
from tests import softhsm
from tests.hsm.keys import csca
from healthcert.issue.hsm import native
from healthcert.issue.hsm.signer import Pkcs11Signer

token = softhsm.SoftToken(Path(os.environ["SOFTHSM2_CONF"]), "Health")
tries, login = [], native.Native.login
native.Native.login = lambda self, session, pin: tries.append(pin) or login(self, session, pin)


def refused():
    try:
        Pkcs11Signer(token.uri("DSC"), csca().certificate_der(), pin="wrong")
    except hc.IssueError as error:
        return error.code is hc.Code.PIN_REFUSED
    return False


assert refused() and len(tries) == 1
child = os.fork()
if child == 0:
    os._exit(0 if refused() and len(tries) == 1 else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print("done")
"""


def test_forked_children(tmp_path: Path, token: softhsm.SoftToken) -> None:
    assert run(FORK, softhsm.make_token(tmp_path)) == "done\n"


def test_a_child_does_not_try_the_pin_that_its_parent_was_refused(tmp_path: Path, token: softhsm.SoftToken) -> None:
    assert run(REFUSED, softhsm.make_token(tmp_path)) == "done\n"


def test_a_spawned_process_opens_its_own(ec_key: KeyOnToken) -> None:
    signer = Pkcs11Signer(ec_key.uri, ec_key.certificate, pin=softhsm.PIN)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=sign_and_send, args=(signer, theirs, b"data"))
    process.start()
    theirs.close()
    signature = ours.recv_bytes()
    process.join()
    assert process.exitcode == 0
    assert signer.algorithm.verify(ec_key.key.public_key(), signature, b"data")


def test_a_pin_gets_into_no_other_pickle(ec_key: KeyOnToken) -> None:
    signer = Pkcs11Signer(ec_key.uri, ec_key.certificate, pin=softhsm.PIN)
    with pytest.raises(TypeError, match="PIN"):
        pickle.dumps(signer)
    with pytest.raises(TypeError, match="token"):
        pickle.dumps(ec_key.key)
