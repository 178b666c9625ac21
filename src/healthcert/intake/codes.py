"""Foreign codes to the codes of the EU DCC's value sets, by the table of ``healthcert.codings``.

A record may say one thing in several systems at once: a dose as CVX, as ATC and in a code of the hospital. All codings
of one thing are judged together. One that the table knows decides; one that it does not know is passed over where
another decides; two that say different things decide nothing. Nothing is guessed: not from a name, and not from a
class of vaccines that has several products.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from healthcert import codings
from healthcert.codings import (
    ATC,
    COVID_19,
    CVX,
    DETECTED,
    INTERPRETATION,
    LOINC,
    MVX,
    NAAT,
    NOT_DETECTED,
    RAPID_ANTIGEN,
    SNOMED_CT,
)
from healthcert.errors import Code, IssueError, Step
from healthcert.families.hcert.valuesets import (
    EMA_ORGANISATION,
    EU_MANUFACTURER,
    Product,
    coding,
    may_be_issued,
    product_of,
    value_sets,
)
from healthcert.intake.naming import shown
from healthcert.model import Coding

_REMEMBERED = 4096  # combinations of codes: a hospital has some dozens
_ANY_VACCINE = coding("vp", "28531000087107")
# Vaccines against COVID-19 of any kind: they agree with every product and name none.
_ANY = frozenset(
    (
        (SNOMED_CT, _ANY_VACCINE.code),
        (SNOMED_CT, "1119305005"),  # an antigen of SARS-CoV-2
        (ATC, "J07"),
        (ATC, "J07B"),
        (ATC, "J07BN"),
        (ATC, "J07BX"),
        (ATC, "J07BX03"),
        (CVX, "213"),
        (CVX, "500"),
    )
)
# CDC, MVX: it is not known, or not in the list, who made it.
_UNKNOWN_MAKER = frozenset(((MVX, "UNK"), (MVX, "OTH")))
_TESTS = (NAAT, RAPID_ANTIGEN)
# CDC has one code for two products of the value sets: Vaxzevria, and this one of another manufacturer.
_ALSO = {(codings.CVX, "210"): ("Covishield",)}
# HL7, ObservationInterpretation: flags that say no result themselves, and the only result that they go with.
_FLAGS: Mapping[str, Coding] = {
    "A": DETECTED,
    "AA": DETECTED,
    "H": DETECTED,
    "HH": DETECTED,
    "N": NOT_DETECTED,
}
# SNOMED CT and LOINC: qualitative results that other laboratories write, beside those that a certificate has.
_MORE_RESULTS = {
    (SNOMED_CT, "52101004"): DETECTED,  # present
    (SNOMED_CT, "2667000"): NOT_DETECTED,  # absent
    (LOINC, "LA9633-4"): DETECTED,  # present
    (LOINC, "LA9634-2"): NOT_DETECTED,  # absent
}
_READ_SYSTEMS = frozenset((SNOMED_CT, LOINC, INTERPRETATION, codings.ICD_11, codings.TWODDOC_RESULT))


class Vaccine(Struct, frozen=True):
    """A vaccine as an EU DCC names it: what it is against, its kind, the product and who may sell it."""

    disease: Coding
    vaccine: Coding
    product: Coding
    manufacturer: Coding


class OwnCodes(Struct, frozen=True, kw_only=True):
    """An operator's own codes beside the table: from system and code to the code of the EU's value set.

    The system of a code that names none is empty. ``product`` are codes of vaccines.
    """

    product: Mapping[tuple[str, str], str] = {}
    test_type: Mapping[tuple[str, str], str] = {}
    result: Mapping[tuple[str, str], str] = {}
    disease: Mapping[tuple[str, str], str] = {}


class Codes:
    """The table of this library, with an operator's own codes beside it. It may be used by several threads.

    Each method takes all codings that a record has for one thing, and raises :class:`IssueError`
    (``CODE_NOT_MAPPED``) where they say nothing that is known, several things, or things that contradict each other.
    """

    def __init__(self, own: OwnCodes | None = None) -> None:
        self._own = own or OwnCodes()
        remember = lru_cache(_REMEMBERED)
        self._vaccine = remember(self._find_vaccine)
        self._test_type = remember(self._find_test_type)
        self._disease_of_test = remember(self._find_disease_of_test)
        self._result = remember(self._find_result)
        self._disease = remember(self._find_disease)

    def __reduce__(self) -> tuple[type[Codes], tuple[OwnCodes]]:
        return Codes, (self._own,)  # what was remembered stays in its process

    def vaccine_of(self, codings: Sequence[Coding], manufacturer: Sequence[Coding] = ()) -> Vaccine:
        """The product that the codings of a dose name, with what belongs to it (the EU's encoding instructions).

        ``manufacturer`` are the codings of who made it: they tell products of one code apart, and must not contradict.
        """
        return self._vaccine(tuple(codings), tuple(manufacturer))

    def test_type_of(self, codings: Sequence[Coding]) -> Coding:
        """The kind of a test: NAAT (``LP6464-4``) or rapid antigen test (``LP217198-3``)."""
        return self._test_type(tuple(codings))

    def disease_of_test(self, codings: Sequence[Coding]) -> Coding:
        """What a test looks for. The EU's codes for kinds of test say nothing about that, nor do an operator's own."""
        return self._disease_of_test(tuple(codings))

    def result_of(self, codings: Sequence[Coding]) -> Coding:
        """What a test found, :data:`~healthcert.codings.DETECTED` or :data:`~healthcert.codings.NOT_DETECTED`.

        Flags of interpretation count as well: they must not contradict, and ``A`` or ``N`` alone say nothing.
        """
        return self._result(tuple(codings))

    def disease_of(self, codings: Sequence[Coding]) -> Coding:
        """The disease or agent that the codings name."""
        return self._disease(tuple(codings))

    def _find_vaccine(self, given: tuple[Coding, ...], makers: tuple[Coding, ...]) -> Vaccine:
        found = [products for one in given if (products := self._products(one))]
        if not found:
            raise _unmapped("vaccine", given)
        makers = tuple(one for one in makers if codings.system_of(one) in (MVX, EMA_ORGANISATION, EU_MANUFACTURER))
        possible = [
            product for product in found[0] if all(product in products for products in found[1:])
            and all(_made_by(product, maker) for maker in makers)
        ]  # fmt: skip
        if not possible or any(_is_other(possible, one) for one in given):
            raise _error(f"vaccine: {_all_shown((*given, *makers))} contradict each other")
        if len(possible) > 1:
            names = " or ".join(product.name for product in possible)
            raise _error(f"vaccine: {_all_shown(given)} may be {names}; a code of its manufacturer tells which")
        product = possible[0]
        return Vaccine(COVID_19, product.vaccines[0], product.product, product.manufacturer)

    def _products(self, one: Coding) -> tuple[Product, ...]:
        """The products that a coding may name."""
        if own := self._own.product.get(_key(one)):
            return _named((own,))
        if codings.system_of(one) in _PRODUCTS:
            # EMA: a pack has the number of its product, and three digits behind it.
            return _named((one.code, one.code.rpartition("/")[0] if one.code.count("/") == 4 else one.code))
        same = [other.code for other in codings.same(one) if other.system in _PRODUCTS]
        return _named([*same, *_ALSO.get((codings.system_of(one), one.code), ())])

    def _find_test_type(self, given: tuple[Coding, ...]) -> Coding:
        return _agreed("test_type", given, [self._kind_of_test(one) for one in given])

    def _kind_of_test(self, one: Coding) -> Coding | None:
        if own := self._own.test_type.get(_key(one)):
            return coding("tt", own)
        return next((kind for kind in _TESTS if one == kind or kind in codings.same(one)), None)

    def _find_disease_of_test(self, given: tuple[Coding, ...]) -> Coding:
        return _agreed("disease", given, [self._target(one) for one in given])

    def _target(self, one: Coding) -> Coding | None:
        if own := self._own.disease.get(_key(one)):
            return coding("tg", own)
        return codings.disease_of(one)

    def _find_result(self, given: tuple[Coding, ...]) -> Coding:
        flags = [one for one in given if codings.system_of(one) == INTERPRETATION and one.code in _FLAGS]
        rest = [one for one in given if one not in flags]
        found = _agreed("result", given, [self._finding(one) for one in rest])
        if unclear := [one for one in rest if self._finding(one) is None and codings.system_of(one) in _READ_SYSTEMS]:
            raise _error(f"result: {_all_shown(unclear)} is neither detected nor not detected")
        if any(_FLAGS[flag.code] != found for flag in flags):
            raise _error(f"result: {_all_shown(given)} contradict each other")
        return found

    def _finding(self, one: Coding) -> Coding | None:
        if own := self._own.result.get(_key(one)):
            return coding("tr", own)
        return codings.finding(one) or _MORE_RESULTS.get(_key(one))

    def _find_disease(self, given: tuple[Coding, ...]) -> Coding:
        return _agreed("disease", given, [self._named_disease(one) for one in given])

    def _named_disease(self, one: Coding) -> Coding | None:
        if own := self._own.disease.get(_key(one)):
            return coding("tg", own)
        if one == COVID_19 or _key(one) == _SARS_COV_2 or any(other in _COVID_19 for other in codings.same(one)):
            return COVID_19
        return None


_PRODUCTS = (codings.EU_REGISTER, codings.EU_PRODUCT_NAME)
_SARS_COV_2 = (SNOMED_CT, "840533007")
_COVID_19 = (COVID_19, Coding(*_SARS_COV_2))


def _key(one: Coding) -> tuple[str, str]:
    return codings.system_of(one), one.code


def _made_by(product: Product, maker: Coding) -> bool:
    """Whether a manufacturer is, or may be, who makes a product."""
    if _key(maker) in _UNKNOWN_MAKER or maker == product.manufacturer:
        return True
    return product.product in codings.made_by(maker)


def _is_other(possible: Sequence[Product], one: Coding) -> bool:
    """Whether a coding says that the dose is another vaccine than these products."""
    key, meant = _key(one), (one, *codings.same(one))
    if any(_key(other) in _ANY for other in meant) or _named([x.code for x in meant if x.system in _PRODUCTS]):
        return False  # one of any kind, or one whose products were compared already
    if kinds := {*meant} & _KINDS:
        # The EU knows no more of some products than that they are against COVID-19: any kind agrees with them.
        return all(product.vaccines[0] != _ANY_VACCINE and not kinds & {*product.vaccines} for product in possible)
    if key[0] == ATC:
        return key[1].startswith("J07") and not key[1].startswith(("J07BN", "J07BX"))
    # A code that has a name and none of these products: one against influenza, or another one against COVID-19.
    return key[0] in (CVX, codings.ICD_11) and codings.named(*key).display is not None


def _named(names: Sequence[str]) -> tuple[Product, ...]:
    """The products of these names, those in use for one that the EU's value set has no more."""
    products: dict[str, Product] = {}
    for name in names:
        if (found := product_of(name)) is not None:
            code = found.product.code
            for product in [found] if may_be_issued("mp", code) else _successors(code):
                products[product.product.code] = product
    return tuple(products.values())


def _successors(code: str) -> list[Product]:
    """The products in use that are of the kind that an old code of the value set names; itself where there is none."""
    old = coding("mp", code)
    later = [one for field, one in value_sets() if field == "mp" and may_be_issued("mp", one)]
    found = [product for one in later if old in codings.same(coding("mp", one)) and (product := product_of(one))]
    return found or [product for product in (product_of(code),) if product]


_KINDS = frozenset(
    coding("vp", code)
    for code in ("1119349007", "1157024006", "1162643001", "1187593009", "29061000087103", "30141000087107")
)


def _agreed(field: str, given: Sequence[Coding], found: Sequence[Coding | None]) -> Coding:
    """The one thing that those codings say that say something."""
    said = {one for one in found if one is not None}
    if not said:
        raise _unmapped(field, given)
    if len(said) > 1:
        raise _error(f"{field}: {_all_shown(given)} contradict each other")
    return said.pop()


def _unmapped(field: str, given: Sequence[Coding]) -> IssueError:
    if not given:
        return _error(f"{field}: no code is given")
    if field == "vaccine" and any(
        _key(other) in _ANY or other in _KINDS for one in given for other in (one, *codings.same(one))
    ):
        return _error(f"vaccine: {_all_shown(given)}: names a kind of vaccine and no product")
    return _error(f"{field}: {_all_shown(given)}: not in the tables")


def _all_shown(given: Sequence[Coding]) -> str:
    return ", ".join(dict.fromkeys(map(shown, given[:8]))) or "nothing"


def _error(detail: str) -> IssueError:
    return IssueError(Code.CODE_NOT_MAPPED, detail, Step.CONTENT)


SHIPPED = Codes()
"""The table of this library alone."""
vaccine_of = SHIPPED.vaccine_of
test_type_of = SHIPPED.test_type_of
disease_of_test = SHIPPED.disease_of_test
result_of = SHIPPED.result_of
disease_of = SHIPPED.disease_of
