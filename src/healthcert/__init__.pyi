# The public names for type checkers; tests/unit/test_public_names.py holds it against __init__.py.

from healthcert.barcode.read import read_barcodes as read_barcodes
from healthcert.barcode.write import QrCode as QrCode
from healthcert.clock import Clock as Clock
from healthcert.clock import FixedClock as FixedClock
from healthcert.clock import SystemClock as SystemClock
from healthcert.encoding.algorithms import Algorithm as Algorithm
from healthcert.errors import Code as Code
from healthcert.errors import DecodeError as DecodeError
from healthcert.errors import FetchError as FetchError
from healthcert.errors import HealthCertError as HealthCertError
from healthcert.errors import IssueError as IssueError
from healthcert.errors import Step as Step
from healthcert.errors import TrustError as TrustError
from healthcert.errors import VerificationError as VerificationError
from healthcert.families.protocol import Finding as Finding
from healthcert.issue.issuer import Issued as Issued
from healthcert.issue.issuer import Issuer as Issuer
from healthcert.issue.policy import IssuePolicy as IssuePolicy
from healthcert.issue.signer import PemSigner as PemSigner
from healthcert.issue.signer import Signer as Signer
from healthcert.limits import Limits as Limits
from healthcert.model import Coding as Coding
from healthcert.model import EntryType as EntryType
from healthcert.model import Event as Event
from healthcert.model import HealthCertificate as HealthCertificate
from healthcert.model import Holder as Holder
from healthcert.model import Recovery as Recovery
from healthcert.model import TestResult as TestResult
from healthcert.model import Vaccination as Vaccination
from healthcert.trust.keys import TrustedKey as TrustedKey
from healthcert.trust.store import TrustStore as TrustStore
from healthcert.verify.inspect import Unverified as Unverified
from healthcert.verify.inspect import inspect_unverified as inspect_unverified
from healthcert.verify.policy import Policy as Policy
from healthcert.verify.policy import RevocationCheck as RevocationCheck
from healthcert.verify.report import Outcome as Outcome
from healthcert.verify.report import Report as Report
from healthcert.verify.report import StepOutcome as StepOutcome
from healthcert.verify.report import StepResult as StepResult
from healthcert.verify.report import Verified as Verified
from healthcert.verify.verifier import Verifier as Verifier

__version__: str
