"""What is recognised and refused clearly: other countries' and other makers' codes that cannot be verified here."""

from __future__ import annotations

from healthcert.errors import Code
from healthcert.families.protocol import Family
from healthcert.families.refused.dutch import DutchDomestic
from healthcert.families.refused.ins import NationalHealthIdentity
from healthcert.families.refused.recognised import Prefixed
from healthcert.families.refused.shaped import (
    BinaryTwoDDoc,
    HealthLink,
    IsraeliGreenPass,
    OpenAttestation,
    OtherCredential,
)

_INTERNATIONAL = "ask for the international (HC1) code"

REFUSED: tuple[Family, ...] = (
    DutchDomestic(
        "Dutch domestic pass",
        "Dutch domestic CoronaCheck pass; it uses an Idemix zero-knowledge proof that this tool does not verify; "
        + _INTERNATIONAL,
    ),
    Prefixed(
        "French domestic pass",
        ("HCFR1:", "EX1:"),
        "French activity or exemption pass of TousAntiCovid, for use within France, which this tool does not verify; "
        + _INTERNATIONAL,
    ),
    HealthLink(
        "health link",
        "a health link; nothing signs the link itself, so there is nothing to verify; whoever has it can open it in "
        "a viewer of health links; ask for a certificate, or for what the link leads to",
        Code.NOT_SIGNED,
    ),
    NationalHealthIdentity(
        "French INS DataMatrix",
        "a French INS DataMatrix: it tells who somebody is, without a signature, and certifies nothing; ask for a "
        "health certificate",
        Code.NOT_SIGNED,
    ),
    BinaryTwoDDoc(
        "binary 2D-Doc",
        "a French 2D-Doc in the binary form, which this tool does not verify; ask for the document with a 2D-Doc in "
        "the form of text, or for the international (HC1) code",
    ),
    Prefixed(
        "PathCheck paper credential",
        ("CRED:",),
        "a PathCheck paper credential; its keys stand in the name service of whoever issued it, which this tool does "
        "not ask; ask for a SMART Health Card",
    ),
    IsraeliGreenPass(
        "Israeli green pass",
        f"an Israeli green pass for use within the country, which this tool does not verify; {_INTERNATIONAL}",
    ),
    OpenAttestation(
        "OpenAttestation",
        (
            "https://action.openattestation.com/?",
            "https://action.openattestation.com?",
            "https://www.verify.gov.sg/verify?",
        ),
        "an OpenAttestation document (Singapore's HealthCerts), or a link to one; it is anchored in a blockchain or in "
        f"the name service, which this tool does not ask; {_INTERNATIONAL}",
    ),
    OtherCredential(
        "JSON-LD credential",
        "a credential in JSON-LD of a kind that this tool does not verify (New York's Excelsior Pass is one); ask for "
        "a SMART Health Card or for the international (HC1) code",
    ),
)
"""In the order in which they are tried, after all that can be verified."""
