// The packed packages in a fresh project: contents, types, Node.js, and a bundle for browsers.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createContext, Script } from "node:vm";
import { build } from "esbuild";
import { compile, project, ROOT } from "./packed.mjs";

const fresh = project();

const PROGRAM = `
import { edit, encode, formatDuration, parse } from "@runforge/client";
import { schemas } from "@runforge/contracts/schemas";

declare const source: string;
declare function print(text: string): void;

const { document } = parse("request.v1", source);
const { document: config } = parse("tfc.config.v1", ${JSON.stringify(
  readFileSync(join(ROOT, "docs/test-vectors/tfc.config.v1.full.yaml"), "utf8"),
)}, "yaml");
print(JSON.stringify([formatDuration(1250), schemas["request.v1"].title, config.experiment]));
print(encode("request.v1", edit("request.v1", document, { "/preset": "thorough" })));
`;

test("the packages work in Node.js and, bundled, without it", async () => {
  const modules = join(fresh.folder, "node_modules/@runforge");
  for (const name of ["contracts", "client"]) assert(existsSync(join(modules, name, "LICENSE")));
  assert(!existsSync(join(modules, "client/src")) && !existsSync(join(modules, "contracts/tests")));

  writeFileSync(join(fresh.folder, "program.ts"), PROGRAM);
  compile(fresh, ["program.ts"]);
  const before = readFileSync(join(ROOT, "docs/test-vectors/request.v1.full.json"), "utf8");
  const expected = before.replace('"preset": "custom"', '"preset": "thorough"');

  const prelude = `globalThis.source = ${JSON.stringify(before)}; globalThis.print = console.log;\n`;
  writeFileSync(join(fresh.folder, "main.js"), `${prelude}await import("./program.js");\n`);
  const [first, ...rest] = fresh.node("main.js").split("\n");
  assert.match(first, /^\["1\.3s","RequestV1","/);
  assert.equal(rest.join("\n"), `${expected}\n`);

  // A module of Node.js in the bundle would be an error for this platform.
  const { outputFiles } = await build({
    entryPoints: [join(fresh.folder, "program.js")],
    absWorkingDir: fresh.folder,
    bundle: true,
    format: "iife",
    platform: "browser",
    write: false,
    logLevel: "silent",
  });
  const printed = [];
  const browser = { source: before, print: (text) => printed.push(text), TextDecoder, TextEncoder };
  new Script(outputFiles[0].text).runInContext(createContext(browser));
  assert.deepEqual(printed, [first, expected]);
});

test("every schema is a file of the package", () => {
  writeFileSync(
    join(fresh.folder, "main.js"),
    `import { readFileSync } from "node:fs";
     import { schemas } from "@runforge/contracts/schemas";
     for (const [name, schema] of Object.entries(schemas)) {
       const url = new URL(import.meta.resolve(\`@runforge/contracts/schemas/\${name}.json\`));
       if (JSON.parse(readFileSync(url, "utf8")).$id !== schema.$id) throw new Error(name);
     }
     console.log(Object.keys(schemas).length);`,
  );
  assert(Number(fresh.node("main.js")) > 30);
});
