// package.json agrees with the sources, and with the documentation.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HERE, ROOT } from "./places.ts";

const manifest = JSON.parse(readFileSync(join(HERE, "package.json"), "utf8"));
const { commands, menus, jsonValidation, yamlValidation, configuration, walkthroughs } =
  manifest.contributes;
const files = readdirSync(join(HERE, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => ({ name, text: readFileSync(join(HERE, "src", name), "utf8") }));
const sources = files.map(({ text }) => text);
const declared: string[] = commands.map(({ command }: { command: string }) => command);
const registered = sources.flatMap((text) =>
  [...text.matchAll(/app\.command\("(\w+)"/g)].map(([, name]) => `runforge.${name}`),
);
/** Commands that pages alone call. */
const INNER = ["viewMetrics", "viewImportance", "viewCoefficients", "openFile"];

test("every declared command is registered, and every other one is called by pages alone", () => {
  assert.deepEqual(
    [...registered].sort(),
    [...declared, ...INNER.map((name) => `runforge.${name}`)].sort(),
  );
});

test("questions are asked in one place, so that all of them stay when a page takes the focus", () => {
  const asking = files.filter(({ text }) => /\b(showQuickPick|showInputBox)\b/.test(text));
  assert.deepEqual(
    asking.map(({ name }) => name),
    [join("commands", "questions.ts")],
  );
});

test("notifications are shown in one place, so that no name in them is a link", () => {
  const call = /\bshow(Information|Warning|Error)Message\b|ProgressLocation\.Notification/;
  assert.deepEqual(
    files
      .filter(({ text }) => call.test(text))
      .map(({ name }) => name)
      .sort(),
    // The first one shows a dialog, which has no links.
    [join("commands", "questions.ts"), "notices.ts"],
  );
});

test("the commands have the twelve titles that users know", () => {
  const guide = readFileSync(join(ROOT, "docs/guides/editor-commands.md"), "utf8");
  const titles = [...guide.matchAll(/^\| RunForge: (.+?) \|/gm)].map(([, title]) => title);
  assert.equal(titles.length, 12);
  const own = commands.map(({ title }: { title: string }) => title);
  for (const title of titles) assert.ok(own.includes(title), title);
  for (const { category } of commands) assert.equal(category, "RunForge");
});

test("menus, links and the walkthrough name commands that exist", () => {
  const text = JSON.stringify([menus, manifest.contributes.viewsWelcome, walkthroughs]);
  const named = [...text.matchAll(/(?:"command":"|command:|onCommand:)(runforge\.\w+)/g)];
  assert.ok(named.length > declared.length);
  for (const [, name] of named) assert.ok(declared.includes(name as string), name);
});

test("every schema and every file that is named is in the package", () => {
  for (const { url } of [...jsonValidation, ...yamlValidation]) statSync(join(HERE, url));
  for (const { steps } of walkthroughs)
    for (const { media } of steps) statSync(join(HERE, media.markdown));
  for (const name of ["media/icon.png", "media/runforge.svg", "media/penguins.csv", "LICENSE"])
    statSync(join(HERE, name));
});

test("every setting is read, and every one that is read is declared", () => {
  const settings = Object.keys(configuration.properties);
  const read = new Set(
    sources.flatMap((text) =>
      [...text.matchAll(/setting(?:<[^>]+>)?\("(\w+)"/g)].map(([, name]) => `runforge.${name}`),
    ),
  );
  assert.deepEqual([...read].sort(), settings.sort());
});

test("an untrusted workspace chooses no program", () => {
  const { supported, restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
  assert.equal(supported, "limited");
  assert.deepEqual(restrictedConfigurations, ["runforge.pythonPath", "runforge.installArguments"]);
});

test("the bundles are below 400 kB, and the one that starts has no library in it", () => {
  const names = ["extension.cjs", "documents.cjs", "connection.cjs"];
  const sizes = names.map((name) => statSync(join(HERE, "dist", name)).size);
  assert.ok(sizes.reduce((sum, size) => sum + size) < 400_000, `${sizes}`);
  const start = readFileSync(join(HERE, "dist/extension.cjs"), "utf8");
  assert.doesNotMatch(start, /draft\/2020-12|Content-Length/);
});
