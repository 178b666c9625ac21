"""A verifier that each process makes for itself: of the lists that the run began with, or not at all."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import pytest

import healthcert as hc
from healthcert.batch.verifying import VerifierPlan, VerifyWork
from tests.support import CLOCK, DAY, NOW, issue, trust
from tests.support_rule_lists import raw, rule
from tests.unit.verify.test_many import install


@pytest.fixture
def plan(tmp_path: Path) -> VerifierPlan:
    """All three stores, each in its place."""
    hc.TrustStore.open(tmp_path / "trust.db").add(trust())
    install(hc.RevocationStore.open(tmp_path / "lists"), issue().text)
    rules(tmp_path / "rules.db", 2)
    return VerifierPlan(
        trust=(tmp_path / "trust.db",), revocation=tmp_path / "lists", rules=tmp_path / "rules.db", at=NOW
    )


def rules(path: Path, doses: int) -> None:
    feed = hc.RuleFeed(name="door", format="folder", max_age=DAY, options={"countries": "FR"})
    logic = {">=": [{"var": "payload.v.0.dn"}, doses]}
    hc.install_rules(hc.RuleStore.open(path), feed, {"1.json": raw(rule(Logic=logic))}, clock=CLOCK)


@pytest.mark.parametrize("there", [False, True], ids=["no folder", "an empty one"])
def test_a_revocation_folder_without_lists_is_none(plan: VerifierPlan, there: bool) -> None:
    assert plan.revocation is not None
    shutil.rmtree(plan.revocation)
    if there:
        plan.revocation.mkdir()
    with pytest.raises(hc.RevocationError, match="no revocation lists are in this folder") as raised:
        plan.open()
    assert raised.value.code is hc.Code.REVOCATION_STORE_UNREADABLE


@pytest.mark.parametrize("name", ["trust", "rules"])
def test_keys_and_rules_that_are_not_there_are_told(plan: VerifierPlan, tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.db").unlink()
    with pytest.raises(hc.HealthCertError, match="no such file") as raised:
        plan.open()
    assert raised.value.code.value == f"{name.removesuffix('s').upper()}_STORE_UNREADABLE"


def test_a_worker_that_comes_late_sees_the_lists_that_the_run_began_with(plan: VerifierPlan) -> None:
    sent = pickle.dumps(VerifyWork(verifier=plan))
    assert len(sent) < 5000
    work: VerifyWork = pickle.loads(sent)
    assert callable(work())
    assert work.verifier.to_dict() == plan.to_dict()


@pytest.mark.parametrize("changed", ["trust", "revocation", "rules"])
def test_other_lists_end_the_run(plan: VerifierPlan, tmp_path: Path, changed: str) -> None:
    sent = pickle.dumps(VerifyWork(verifier=plan))
    if changed == "trust":
        store = hc.TrustStore.open(tmp_path / "trust.db")
        store.remove(next(iter(store)).kid)
    elif changed == "revocation":
        install(hc.RevocationStore.open(tmp_path / "lists"), issue().text, issue().text)
    else:
        rules(tmp_path / "rules.db", 3)
    work: VerifyWork = pickle.loads(sent)
    with pytest.raises(hc.HealthCertError, match="other lists were taken in since the run began") as raised:
        work()
    assert raised.value.code.value == f"{changed.removesuffix('s').upper()}_STORE_UNREADABLE"
    # A run that is begun now, or gone on with, takes them as they are.
    assert callable(VerifyWork(verifier=plan)())
