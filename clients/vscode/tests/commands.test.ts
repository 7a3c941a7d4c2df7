// What the commands do, with a stand-in for the editor and a real server.
import assert from "node:assert/strict";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { editor, pick, Uri } from "./editor.ts";
import { folder, PYTHON, ROOT, VECTORS } from "./places.ts";

const { activate, deactivate } = await import("../src/extension.ts");

const remembered = new Map<string, unknown>();
editor.folder = folder();
activate({
  subscriptions: [],
  extensionPath: ROOT,
  extension: { id: "runforge.runforge", packageJSON: { version: "9.9.9" } },
  workspaceState: {
    get: (name: string) => remembered.get(name),
    update: async (name: string, value: unknown) => remembered.set(name, value),
  },
} as never);
copyFileSync(join(ROOT, "examples/penguins.csv"), join(editor.folder, "penguins.csv"));
after(deactivate);

beforeEach(() => {
  editor.trusted = true;
  editor.settings = { pythonPath: PYTHON, reportCurves: false, openRunWhenDone: false };
  editor.notifications.length = editor.answers.length = editor.pages.length = 0;
  editor.press = () => undefined;
});

const MINIMUM = readFileSync(join(VECTORS, "request.v1.min.json"), "utf8");
/** What the editor makes a link of, in the notifications of VS Code 1.139. */
const LINK = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;

test("a name of a document is no link in a notification, in Restricted Mode neither", async () => {
  editor.trusted = false;
  const path = join(editor.folder, "linked.request.json");
  const name = "[press](command:workbench.action.closeWindow)";
  for (const preset of ["fast", name]) {
    editor.documents[path] = JSON.stringify({ ...JSON.parse(MINIMUM), preset, name });
    await editor.call("validateDocument", Uri.file(path));
  }
  const texts = editor.notifications.map(({ text }) => text);
  assert.equal(texts.length, 2);
  assert.match(texts[0] ?? "", /valid request\.v1\..*press/);
  for (const text of texts) assert.doesNotMatch(text, LINK);
});

test("a request that is edited while its change is chosen keeps that edit", async () => {
  const path = join(editor.folder, "edited.request.json");
  editor.documents[path] = MINIMUM;
  editor.answers.push(
    pick("Preset"),
    (items) => {
      const typed = { ...JSON.parse(MINIMUM), notes: "typed meanwhile\n".repeat(3), mine: [1, 2] };
      editor.documents[path] = `${JSON.stringify(typed, null, 4)}\n\n`;
      return pick("thorough")(items);
    },
    pick("$(play) Change"),
  );
  await editor.call("changeRequest", Uri.file(path));
  const { preset, notes, mine } = JSON.parse(editor.documents[path] ?? "");
  assert.deepEqual([preset, notes, mine], ["thorough", "typed meanwhile\n".repeat(3), [1, 2]]);
});
