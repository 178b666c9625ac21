"""Whom a trust store's lists vouch for as uploaders of revocation batches, and whose kid is whose."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import healthcert as hc
from tests.gateway_world import parts, world
from tests.support import CLOCK, DAY, NOW, dsc


def listed(max_age: timedelta | None = timedelta(hours=48)) -> hc.TrustStore:
    store = hc.TrustStore()
    feed = hc.Feed(name="dgcg", format="dgcg", anchors=(world().anchor.anchor(),), max_age=max_age)
    hc.install_list(store, feed, parts(), clock=CLOCK)
    return store


def test_the_upload_certificates_of_a_chained_list_are_anchors() -> None:
    found = listed().uploaders()
    assert {one.certificate for one in found} == {pair.der for pair in world().upload.values()}
    assert {one.name for one in found} == {"upload certificate of FR", "upload certificate of DE"}


def test_keys_alone_vouch_for_nobody() -> None:
    assert hc.TrustStore.from_certificates([dsc().certificate_der()]).uploaders() == ()


def test_a_list_that_is_long_over_vouches_for_nobody_any_more() -> None:
    store = listed()
    assert store.uploaders(at=NOW + 9 * DAY)
    assert store.uploaders(at=NOW + 9 * DAY + timedelta(seconds=1)) == ()
    assert store.uploaders(at=NOW + 3 * DAY, grace=timedelta(0)) == ()
    assert listed(max_age=None).uploaders(at=NOW + 900 * DAY)


def test_a_kid_leads_to_the_countries_whose_keys_have_it() -> None:
    store = listed()
    kid = hashlib.sha256(world().dsc["DE"].der).digest()[:8]
    assert store.countries_of(kid) == {"DE"}
    assert store.countries_of(b"nobody's") == frozenset()
