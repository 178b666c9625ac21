// Verifies an ICAO seal with canonicalize (RFC 8785) and Node's own cryptography: given {text}, answers true or false.
const crypto = require("crypto");
const canonicalize = require("canonicalize");

const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
const seal = JSON.parse(given.text);
const key = new crypto.X509Certificate(Buffer.from(seal.sig.cer, "base64url")).publicKey;
const digest = { ES256: "sha256", ES384: "sha384", ES512: "sha512" }[seal.sig.alg];
const signature = Buffer.from(seal.sig.sigvl, "base64url");
const data = Buffer.from(canonicalize(seal.data), "utf8");
console.log(JSON.stringify(crypto.verify(digest, data, { key, dsaEncoding: "ieee-p1363" }, signature)));
