// @pathcheck/dcc-sdk: text to signature, under a list of keys. The time and the schema are not looked at.
"use strict";
const { readFileSync } = require("node:fs");
const { createInterface } = require("node:readline");
const { X509Certificate, verify } = require("node:crypto");
const { createRequire } = require("node:module");

const [installed, folder] = process.argv.slice(2);
const sdk = createRequire(`${installed}/`)("@pathcheck/dcc-sdk");
const read = (name) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));
const texts = read("texts.json");
const certificate = readFileSync(`${folder}/dsc.der`);
sdk.addCachedCerts({ [read("kid.json")]: certificate.toString("base64") });
const key = { key: new X509Certificate(certificate).publicKey, dsaEncoding: "der" };
const signed = read("signed.json").map((pair) => pair.map((hex) => Buffer.from(hex, "hex")));

async function verified(text) {
  const found = await sdk.unpackAndVerify(text);
  if (found.status !== "verified") throw new Error(`a certificate was not accepted: ${found.status}`);
}

async function main() {
  for (const text of texts) await verified(text);
  for await (const asked of createInterface({ input: process.stdin })) {
    const count = Number(asked);
    const start = process.cpuUsage();
    for (let at = 0; at < count; at++) await verified(texts[at % texts.length]);
    const middle = process.cpuUsage();
    for (let at = 0; at < count; at++) {
      const [der, data] = signed[at % signed.length];
      if (!verify("sha256", data, key, der)) throw new Error("a signature was not accepted");
    }
    const end = process.cpuUsage();
    const seconds = (from, to) => (to.user + to.system - from.user - from.system) / 1e6;
    process.stdout.write(`${JSON.stringify({ peer: seconds(start, middle), bare: seconds(middle, end) })}\n`);
  }
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
