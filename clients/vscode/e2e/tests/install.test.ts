import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { PYTHON, ROOT } from "../support/code-server.ts";
import { inVsCode } from "../support/suite.ts";

const run = promisify(execFile);
const PACKAGES = ["contracts", "engine", "cli"].map((name) =>
  path.join(ROOT, "packages", `runforge-${name}`),
);
/** Where `pip` finds wheels, and the environment that it changes. */
const FOLDER = mkdtempSync(path.join(tmpdir(), "runforge-install-"));
const WHEELS = path.join(FOLDER, "wheels");
const TARGET = path.join(FOLDER, "environment");
const TARGET_PYTHON = path.join(TARGET, "bin/python");

async function sitePackages(python: string): Promise<string> {
  const program = "import sysconfig; print(sysconfig.get_path('purelib'))";
  return (await run(python, ["-c", program])).stdout.trim();
}

/** Make an environment that has what RunForge needs, and no RunForge. */
async function makeEnvironment(): Promise<void> {
  await run(PYTHON, ["-m", "venv", TARGET]);
  const others = path.join(FOLDER, "others");
  await mkdir(others);
  const source = await sitePackages(PYTHON);
  for (const name of await readdir(source))
    if (!/runforge|^pip\b|\.pth$/.test(name))
      await symlink(path.join(source, name), path.join(others, name));
  await writeFile(path.join(await sitePackages(TARGET_PYTHON), "others.pth"), `${others}\n`);
}

describe("the offer to install", () => {
  const code = inVsCode({
    settings: { "runforge.pythonPath": TARGET_PYTHON },
    env: { PIP_NO_INDEX: "1", PIP_FIND_LINKS: WHEELS },
  });

  before(async () => {
    await makeEnvironment();
    const wheel = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", WHEELS];
    await run(TARGET_PYTHON, [...wheel, ...PACKAGES]);
  });
  after(() => rm(FOLDER, { recursive: true, force: true }));

  test("runs the command that it shows, in the environment that it names", async () => {
    const workspace = await code.server.workspace("install", ["examples/penguins.csv"]);
    const window = await code.server.open(workspace);
    await window.run("RunForge: Install RunForge for Python");
    const dialog = window.page.getByRole("dialog");
    // The system may have a Python, too.
    const which = window.option(TARGET_PYTHON);
    await window.bring(async () => {
      if (await which.isVisible()) await window.choose(TARGET_PYTHON);
    }, dialog);
    const command = `${TARGET_PYTHON} -m pip install --upgrade runforge-cli`;
    await dialog.getByText(command).waitFor();
    await window.picture("install offer");
    await window.clickAway(dialog.getByRole("button", { name: "Run the Command" }));
    const started = new RegExp(`Starting RunForge \\S+ with ${TARGET_PYTHON}`);
    await window.until(async () => started.test(await code.server.log()));
    await window.picture("installed");
    const installed = await readdir(await sitePackages(TARGET_PYTHON));
    for (const name of ["contracts", "engine", "cli"])
      assert.ok(
        installed.some((one) => one.startsWith(`runforge_${name}-`)),
        name,
      );

    await window.run("RunForge: Train (Standard)");
    await window.choose("penguins.csv");
    await window.choose("species");
    await window.accept();
    await window.tab(/^Run /).waitFor();
  });
});
