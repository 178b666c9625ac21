"""A look inside a certificate without verifying anything."""

from __future__ import annotations

from typing import Any

from healthcert.errors import Code, DecodeError, HealthCertError
from healthcert.families import recognise, scanned, split
from healthcert.families.protocol import Layer
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.model import NoTruth
from healthcert.verify.report import plain


class Unverified(NoTruth, frozen=True, kw_only=True):
    """What a text claims. Anyone can have written it: nothing here was checked.

    ``layers`` go from the outside in, as far as they could be read; ``problem`` is why the next one could not.
    """

    family: str | None
    layers: tuple[Layer, ...]
    problem: HealthCertError | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values, marked as unverified."""
        return {
            "verified": False,
            "family": self.family,
            "layers": [{"name": la.name, "size": la.size, "content": plain(la.content)} for la in self.layers],
            "problem": None
            if self.problem is None
            else {"code": self.problem.code.value, "step": self.problem.step, "detail": self.problem.detail},
        }


def inspect_unverified(text: str | bytes, *, limits: Limits = DEFAULT_LIMITS) -> Unverified:
    """The layers of a certificate, for developers and support; of a document with several, one after the other.

    Never raises on bad input.

    The result is of another type than a verified certificate, so that it cannot be taken for one.
    """
    layers: list[Layer] = []
    family = None
    try:
        text = scanned(text, limits)
        for certificate in split(text, limits) or (text,):
            found, recognised = recognise(certificate, limits)
            family = found.name
            for layer in found.layers(recognised, limits):
                layers.append(layer)  # noqa: PERF402 (those before a failure are kept)
    except HealthCertError as error:
        return Unverified(family=family, layers=tuple(layers), problem=error)
    except Exception as error:  # noqa: BLE001 As in the verifier: what is looked at may be anything.
        problem = DecodeError(Code.GENERAL_ERROR, f"an internal error ({type(error).__name__}); please report it")
        return Unverified(family=family, layers=tuple(layers), problem=problem)
    return Unverified(family=family, layers=tuple(layers), problem=None)
