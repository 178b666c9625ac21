// Verifies a DIVOC credential with jsonld (URDNA2015) and Node's own cryptography.
// Given {credential, contexts, key}: contexts by their URLs, the public key in PEM; answers true or false.
const crypto = require("crypto");
const jsonld = require("jsonld");

const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
const documentLoader = async (url) => {
  if (!(url in given.contexts)) throw new Error("a context that was not given: " + url);
  return { contextUrl: null, documentUrl: url, document: given.contexts[url] };
};
const digest = async (document) => {
  const form = await jsonld.canonize(document, { algorithm: "URDNA2015", format: "application/n-quads", documentLoader, safe: false });
  return crypto.createHash("sha256").update(form, "utf8").digest();
};

(async () => {
  const { proof, ...document } = given.credential;
  const { jws, ...rest } = proof;
  const [header, , signature] = jws.split(".");
  const options = { ...rest, "@context": "https://w3id.org/security/v2" };
  const signed = Buffer.concat([Buffer.from(header + "."), await digest(options), await digest(document)]);
  const key = crypto.createPublicKey(given.key);
  const alg = JSON.parse(Buffer.from(header, "base64url")).alg;
  const how = alg === "PS256" ? { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : key;
  const hash = alg === "PS256" ? "sha256" : null;
  console.log(JSON.stringify(crypto.verify(hash, signed, how, Buffer.from(signature, "base64url"))));
})();
