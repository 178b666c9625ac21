"""What was issued, and about whom, is nowhere in the files of a register: not in free pages, and not in its logs."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import healthcert as hc
from healthcert.authority.audit import audit_lines
from healthcert.authority.binding import claim, claim_request, new_code
from healthcert.authority.register import New, Register
from healthcert.encoding.algorithms import Algorithm
from healthcert.issue.pending import Terms
from healthcert.issue.pki import KeyKind, new_key
from healthcert.revocation.identifiers import signature_hash
from tests.registers import Place, sqlite_place
from tests.support import CLOCK, HOLDER, TEST, VACCINATION, dsc

# Of a beginning that no word of the code has: hypothesis tries the texts that it finds in there, too.
NAMES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzéèöüßñ", min_size=8, max_size=30).map("Xq".__add__)
DATES = st.dates(date(1900, 1, 1), date(2020, 1, 1)).map(date.isoformat)
HOLDERS = st.builds(hc.Holder, family_name=NAMES, given_name=NAMES, birth_date=DATES)
EVENTS = st.builds(lambda event, name: replace(event, issuer=name), st.sampled_from([VACCINATION, TEST]), NAMES)
DEVICE = hc.KeySigner(new_key(KeyKind.EC_P256))


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Place]:
    place = sqlite_place(tmp_path)
    yield place
    place.close()


# Another example shows no more than the first that fails.
@settings(max_examples=15, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(records=st.lists(st.tuples(HOLDERS, EVENTS), min_size=1, max_size=4, unique_by=lambda pair: pair[0].family_name))
def test_nothing_of_a_certificate_s_content_is_in_any_file(
    tmp_path_factory: pytest.TempPathFactory,
    caplog: pytest.LogCaptureFixture,
    records: list[tuple[hc.Holder, hc.Event]],
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    sqlite = sqlite_place(tmp_path_factory.mktemp("register"))
    issuer = hc.Issuer(dsc().signer(), country="FR", clock=CLOCK)
    register = sqlite.open(create=True)
    private: list[bytes] = []
    for holder, event in records:
        pending = issuer.prepare(event, holder=holder)
        issued = pending.sign()
        new = entered(pending.record, issued, event)
        register.enter([new, new])
        register.enter([replace(new, edition=2, replaces_earlier=True)])
        use(register, issued.certificate_id)
        private += [issued.signature, issued.signature[:32], issued.cose[20:60], issued.text[4:40].encode(), new.record]
        private += forms(holder, event)
    kept = b"".join(path.read_bytes() for path in Path(sqlite.url).parent.glob("register.db*"))
    register.close()
    told = ("\n".join(audit_lines(register)) + caplog.text).encode()
    register.close()
    kept += b"".join(path.read_bytes() for path in Path(sqlite.url).parent.glob("register.db*"))
    assert issued.certificate_id.encode() in kept  # so that what is searched is what was written
    assert [secret for secret in private if secret in kept or secret in told] == []


def entered(record: bytes, issued: hc.Issued, event: hc.Event) -> New:
    return New(
        record=record,
        terms=Terms(certificate_id=issued.certificate_id, issued_at=issued.issued_at, expires=issued.expires),
        kid=dsc().signer().kid,
        entry_type=event.entry_type,
        signature=issued.signature,
        signature_hash=signature_hash(issued.signature, Algorithm.ES256),
    )


def use(register: Register, certificate_id: str) -> None:
    """All that is done with a certificate afterwards."""
    code = new_code(register, certificate_id)
    proof = DEVICE.sign(claim_request(certificate_id, code, DEVICE.public_key))
    claim(register, certificate_id, code, public_key=DEVICE.public_key, proof=proof)
    register.revoke([certificate_id])


def forms(holder: hc.Holder, event: hc.Event) -> Iterator[bytes]:
    """Names, dates and the issuer's name as a careless program would write them."""
    assert isinstance(event, hc.Vaccination | hc.TestResult)
    for text in (holder.family_name, holder.given_name, event.issuer):
        assert text is not None
        yield from (
            text.encode(),
            text.upper().encode(),
            text.encode("utf-16-le"),
            base64.b64encode(text.encode())[:10],
        )
    yield from (holder.birth_date.encode(), holder.birth_date.replace("-", "").encode())


def test_the_search_would_find_what_is_there(sqlite: Place) -> None:
    """The same search over a register into which a name was written."""
    sqlite.open(create=True).close()
    name = str(HOLDER.family_name)
    sqlite.sql(f"INSERT INTO meta (name, value) VALUES ('note', '{name}')")
    kept = b"".join(path.read_bytes() for path in Path(sqlite.url).parent.glob("register.db*"))
    assert any(form in kept for form in forms(HOLDER, VACCINATION))
