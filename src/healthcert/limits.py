"""Every bound on hostile input, by name. Each is tested at its value and one beyond."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from healthcert.errors import Code, DecodeError


class Limits(Struct, frozen=True, kw_only=True):
    """How much of anything is looked at before it is refused.

    Defaults are several times what any real certificate needs. Raising one raises what an attacker
    can make the verifier do; lowering one may refuse honest certificates.
    """

    text_chars: int = 4300
    """Characters of one certificate: a QR symbol holds 4296 alphanumeric ones (ISO/IEC 18004, version 40-L)."""

    document_chars: int = 256 * 1024
    """Characters of a certificate, or of several together, that comes as a JSON document or token and not in one
    barcode: a file of SMART Health Cards, or a card too long for one symbol."""

    cards_per_document: int = 64
    """Certificates in one such document."""

    parts: int = 64
    """Barcodes that one SMART Health Card is spread over; real ones took up to 5."""

    archive_bytes: int = 64 * 1024
    """Bytes of what a DIVOC archive holds; real ones stay below 2 KiB."""

    inflated_bytes: int = 256 * 1024
    """Bytes after decompression; real COSE messages stay below 1 KiB. Also bounds the number of CBOR items."""

    cbor_depth: int = 16
    """Nested CBOR arrays, maps and tags; an EU DCC has 5."""

    json_depth: int = 32
    """Nested JSON arrays and objects; a FHIR bundle in a card has some 10."""

    candidate_keys: int = 16
    """Keys tried for one kid. A kid is 8 bytes of a hash, so even two keys of one kid are rare."""

    file_bytes: int = 32 * 1024 * 1024
    """Bytes of one image or text file."""

    key_file_bytes: int = 1024 * 1024
    """Bytes of a file with a key, a certificate or a passphrase."""

    texts_per_file: int = 10_000
    """Certificates in one text file."""

    image_pixels: int = 36_000_000
    """Width times height of all pictures in a file together: an A4 page at 600 dpi has 35 million. A large
    photograph in JPEG counts as it is after being reduced in decoding."""

    image_side: int = 20_000
    """Pixels on the longer side of a picture."""

    image_frames: int = 32
    """Pictures in one file (TIFF pages, GIF frames); further ones are not looked at."""

    trust_entries: int = 100_000
    """Keys in one trust store, and entries in one list; the EU list had under 4,000."""

    revocation_entries: int = 50_000_000
    """Identifiers in one revocation list; the EU's may come to ten million."""

    chunk_filters: int = 4096
    """Filters of one chunk of a revocation list. Each is asked about every certificate that leads there."""

    varhash_bytes: int = 256 * 1024
    """Bytes of one list of shortened hashes, all of which is looked through; real ones have up to 50 KiB."""

    rules: int = 20_000
    """Rules in one store, and in one list; the EU had under 1,000 in use at a time."""

    rule_bytes: int = 64 * 1024
    """Bytes of one rule; the largest one known has under 10 KiB, of which its logic takes 3."""

    list_bytes: int = 32 * 1024 * 1024
    """Bytes of one list of keys or rules, or of one document of a revocation list; the largest one known had 4 MiB."""

    list_pages: int = 1000
    """Answers that one list may come in."""

    record_bytes: int = 256 * 1024
    """Bytes of one foreign record in CSV or JSON Lines, and of each of its lines; real ones have under 2 KiB."""

    record_lines: int = 100
    """Lines of one record in CSV, whose cells may hold line ends."""

    signer_line_bytes: int = 16 * 1024
    """Bytes of a line that goes to a remote signer or comes from it; a signature of RSA with 4096 bits takes 1,100."""

    message_bytes: int = 8 * 1024 * 1024
    """Bytes of one HL7 v2 message; one that carries a report as PDF has some hundred KiB."""

    message_segments: int = 10_000
    """Segments of one HL7 v2 message; real ones have up to some hundred."""

    resource_bytes: int = 4 * 1024 * 1024
    """Bytes of one FHIR resource, without white space; one that carries a report as PDF has some hundred KiB."""

    bundle_bytes: int = 64 * 1024 * 1024
    """Bytes of one FHIR Bundle, and of one line of NDJSON. All of it is in memory."""

    bundle_entries: int = 200_000
    """Entries of one FHIR Bundle; at a KiB each, `bundle_bytes` has room for 65,000."""

    linked_resources: int = 1_000_000
    """FHIR resources in one file that its records refer to (patients, specimens, organisations ...): where each is in
    the file is kept in memory, some 250 bytes. Also bounds the results that reports refer to."""

    report_results: int = 256
    """Results that one FHIR report, or one panel of it, refers to; large panels have some 100."""

    pdf_pages: int = 200
    """Pages of one PDF file."""

    pdf_seconds: int = 60
    """How long the pages of one PDF file may take to be drawn, all together; a page of A4 takes under a tenth."""

    table_columns: int = 1000
    """Columns of a table in Parquet, and of one in CSV that holds certificates."""

    table_groups: int = 100_000
    """Row groups of a file in Parquet. Its directory, which is read whole, has an entry for each with each column."""

    image_seconds: int = 8
    """How long codes that are not read at once are searched for in all pictures of one file together. What is clean
    takes some hundredths; a quick look at every picture is taken in any case."""

    pdf_memory: int = 1024 * 1024 * 1024
    """Bytes of memory of the process that draws PDF files, where the system bounds it; a page of A4 that was scanned at
    600 dpi in colour takes 260 MiB."""

    wallet_entries: int = 1000
    """Certificates in one wallet."""

    wallet_bytes: int = 16 * 1024 * 1024
    """Bytes of the file of a wallet. All of it is in memory."""

    sheet_chars: int = 20_000
    """Characters that one printed certificate says beside its barcode; real ones have under 2,000."""

    sheet_fields: int = 200
    """Fields that one printed certificate has, and their headings; three vaccinations have some 40."""

    logo_bytes: int = 512 * 1024
    """Bytes of the logo of a document's template."""

    logo_pixels: int = 4_000_000
    """Width times height of such a logo in PNG; at 300 dpi, 80 by 20 mm have 0.2 million."""

    logo_elements: int = 2000
    """Elements of such a logo in SVG."""


DEFAULT_LIMITS = Limits()


def read_file(path: str | Path, limit: int) -> bytes:
    """The content of a file of at most ``limit`` bytes; no more than that is ever read of it.

    Raises :class:`DecodeError` (``INPUT_TOO_LONG``), OSError.
    """
    with Path(path).open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise DecodeError(Code.INPUT_TOO_LONG, f"a file of more than {limit} bytes")
    return data
