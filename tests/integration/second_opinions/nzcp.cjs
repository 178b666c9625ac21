// Reads an NZ COVID Pass with @vaxxnz/nzcp: given {text, issuer, document}, answers what it found.
const { verifyPassURIOffline } = require("@vaxxnz/nzcp");

const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
const found = verifyPassURIOffline(given.text, { trustedIssuer: given.issuer, didDocument: given.document });
console.log(JSON.stringify(found));
