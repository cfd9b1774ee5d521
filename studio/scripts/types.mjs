// Writes src/protocol/types.ts from the schema that page and engine share; with --check it says whether that is up to date.
import { readFile, writeFile } from "node:fs/promises";
import { compile } from "json-schema-to-typescript";

const from = new URL("../../src/reseau/studio/protocol.schema.json", import.meta.url);
const to = new URL("../src/protocol/types.ts", import.meta.url);

// What stands beside a $ref counts for nothing, but would make a second type of the same.
const schema = JSON.parse(await readFile(from, "utf8"), (_, value) => (value?.$ref ? { $ref: value.$ref } : value));
schema.anyOf.push({ $ref: "#/definitions/SessionFile" }); // no message, but of a form of its own
const types = await compile(schema, "Protocol", {
  bannerComment: "// Written by `npm run types` from src/reseau/studio/protocol.schema.json: change that, not this.",
  ignoreMinAndMaxItems: true,
  style: { printWidth: 120 },
});
if (process.argv.includes("--check")) {
  const found = await readFile(to, "utf8").catch(() => "");
  if (found !== types) {
    console.error("src/protocol/types.ts is not what the schema says: npm run types");
    process.exit(1);
  }
} else {
  await writeFile(to, types);
}
