// The TypeScript of the guide and the READMEs, compiled strictly and run with the installed packages.
import assert from "node:assert/strict";
import { copyFileSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compile, project, ROOT, WORKSPACE } from "./packed.mjs";

const PAGES = {
  guide: join(ROOT, "docs/guides/read-and-write-runs.md"),
  client: join(WORKSPACE, "client/README.md"),
  contracts: join(WORKSPACE, "contracts/README.md"),
};

/** Return the TypeScript of a page: what uses no server, and what does. */
function programs(page) {
  const blocks = [...readFileSync(page, "utf8").matchAll(/^```ts\n(.*?)^```/gms)].map(
    (block) => block[1],
  );
  assert(blocks.length > 0, page);
  const serves = (block) => block.includes("/serve");
  return [blocks.filter((block) => !serves(block)).join("\n"), blocks.filter(serves).join("\n")];
}

test("the documented clients of the server train", () => {
  const fresh = project();
  copyFileSync(join(ROOT, "examples/penguins.csv"), join(fresh.folder, "penguins.csv"));
  const pages = { serve: join(ROOT, "docs/guides/serve.md"), readme: PAGES.client };
  for (const [name, page] of Object.entries(pages)) {
    writeFileSync(join(fresh.folder, `${name}.ts`), programs(page)[1]);
  }
  compile(fresh, ["serve.ts", "readme.ts"]);
  assert.match(fresh.node("serve.js"), /^succeeded \{.*^ARTIFACT_NOT_FOUND /ms);
  assert.match(fresh.node("readme.js"), /^\d{8}-\d{6}-\w{8} succeeded$/m);
});

test("the documented programs compile, run and change one line", () => {
  const fresh = project();
  for (const [name, page] of Object.entries(PAGES)) {
    const [blocks] = programs(page);
    writeFileSync(join(fresh.folder, `${name}.ts`), blocks);
  }
  compile(
    fresh,
    Object.keys(PAGES).map((name) => `${name}.ts`),
  );

  const vectors = join(ROOT, "docs/test-vectors");
  const before = readFileSync(join(vectors, "request.v1.full.json"), "utf8");
  cpSync(join(vectors, "run.v0.4.0.full.json"), join(fresh.folder, "run.json"));
  cpSync(join(vectors, "result.v1.full.json"), join(fresh.folder, "result.json"));
  for (const [program, output] of [
    ["guide.js", /^20260201-120000-abc12345 0\.95 /],
    ["client.js", /^succeeded \{ name: 'accuracy', value: /],
  ]) {
    writeFileSync(join(fresh.folder, "request.json"), `\uFEFF${before}`);
    assert.match(fresh.node(program), output);
    const after = readFileSync(join(fresh.folder, "request.json"), "utf8");
    assert.equal(after, before.replace('"preset": "custom"', '"preset": "thorough"'));
  }
});

test("the tsconfig.json of the guide is enough for its programs", () => {
  const fresh = project();
  const page = readFileSync(PAGES.guide, "utf8");
  const config = JSON.parse(/^```json\n(.*?)^```/ms.exec(page)[1]);
  config.compilerOptions.typeRoots = [join(WORKSPACE, "node_modules/@types")];
  config.files = ["guide.ts"];
  writeFileSync(join(fresh.folder, "tsconfig.json"), JSON.stringify(config));
  writeFileSync(join(fresh.folder, "guide.ts"), programs(PAGES.guide)[0]);
  fresh.node(join(WORKSPACE, "node_modules/typescript/bin/tsc"), "--project", ".", "--noEmit");
});
