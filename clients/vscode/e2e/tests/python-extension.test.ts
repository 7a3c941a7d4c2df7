import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { before, describe, test } from "node:test";
import { promisify } from "node:util";
import { PYTHON } from "../support/code-server.ts";
import { inVsCode } from "../support/suite.ts";

/** The command that packs extensions. */
const VSCE = createRequire(import.meta.resolve("../../package.json")).resolve("@vscode/vsce/vsce");

/**
 * Pack a stand-in for the Python extension, which no registry of packages has: it exports the part
 * of the interface that RunForge asks for, and has selected one interpreter.
 */
async function packPythonExtension(folder: string, python: string): Promise<string> {
  await mkdir(folder);
  const manifest = {
    name: "python",
    publisher: "ms-python",
    version: "1.0.0",
    license: "MIT",
    engines: { vscode: "^1.96.0" },
    main: "main.js",
    activationEvents: [],
  };
  const main = `exports.activate = () => ({
  environments: {
    getActiveEnvironmentPath: () => ({ id: "selected", path: "selected" }),
    resolveEnvironment: async ({ id }) =>
      id === "selected" && { executable: { uri: { fsPath: ${JSON.stringify(python)} } } },
  },
});
`;
  await writeFile(path.join(folder, "package.json"), JSON.stringify(manifest));
  await writeFile(path.join(folder, "main.js"), main);
  await writeFile(path.join(folder, "README.md"), "A stand-in for tests.\n");
  await writeFile(path.join(folder, "LICENSE"), "MIT\n");
  const file = path.join(folder, "python.vsix");
  const pack = ["package", "--no-dependencies", "--allow-missing-repository", "--out", file];
  await promisify(execFile)(process.execPath, [VSCE, ...pack], { cwd: folder });
  return file;
}

describe("the interpreter that the Python extension has selected", () => {
  const code = inVsCode({ settings: { "runforge.pythonPath": "/nowhere/python" } });

  before(async () => {
    const file = await packPythonExtension(path.join(code.server.folder, "python"), PYTHON);
    await code.server.install(file);
  });

  test("comes first: RunForge starts with it, whatever the setting says", async () => {
    const workspace = await code.server.workspace("selected", ["examples/penguins.csv"]);
    const window = await code.server.open(workspace);
    await window.run("RunForge: Inspect Dataset");
    await window.choose("penguins.csv");
    await window.webview.getByText("bill_length_mm").first().waitFor();
    await window.until(async () => (await code.server.log()).includes(`with ${PYTHON}`));
  });
});
