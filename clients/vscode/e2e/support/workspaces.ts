/** Workspaces to open: made with the command line, as another client of the same files. */

import { execFile } from "node:child_process";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { PYTHON, ROOT } from "./code-server.ts";

/** The columns of the penguins that are no measurements. */
export const EXCLUDE = ["island", "sex", "year"];

/** Run the command line in a workspace; returns what it prints. */
export async function runforge(workspace: string, ...args: string[]): Promise<string> {
  const command = ["-I", "-m", "runforge_cli", ...args];
  const { stdout } = await promisify(execFile)(PYTHON, command, { cwd: workspace });
  return stdout;
}

/** Train on the penguins; returns the id of the run. */
export async function train(workspace: string, ...args: string[]): Promise<string> {
  const excluded = EXCLUDE.flatMap((column) => ["--exclude", column]);
  const data = ["penguins.csv", "--label", "species", ...excluded];
  const printed = await runforge(workspace, "train", ...data, "--json", ...args);
  return (JSON.parse(printed) as { run_id: string }).run_id;
}

/** Fill a workspace with runs that are entries of the index and empty folders. */
export async function manyRuns(workspace: string, size: number): Promise<void> {
  const program = [
    "import sys, pathlib",
    "sys.path.insert(0, sys.argv[1])",
    "from store import make_store",
    "make_store(pathlib.Path(sys.argv[2]), int(sys.argv[3]))",
  ];
  const benchmarks = path.join(ROOT, "benchmarks");
  const script = ["-c", program.join("\n"), benchmarks, workspace, String(size)];
  await promisify(execFile)(PYTHON, script);
  await rename(path.join(workspace, `${size}/.runforge`), path.join(workspace, ".runforge"));
  await rm(path.join(workspace, String(size)), { recursive: true });
}

/** Fill a workspace with copies of the sweep that it has, and with runs in no sweep. */
export async function manySweeps(workspace: string, sweeps: number, runs: number): Promise<void> {
  const script = path.join(ROOT, "benchmarks/swept_store.py");
  await promisify(execFile)(PYTHON, [script, workspace, String(sweeps), String(runs)]);
}

/** Whatever is shown of these must be shown as it is: markup, an icon, a link, an escape, a turn. */
export const HOSTILE = {
  markup: `<img src=x onerror="document.title='HARMED'">`,
  script: "<script>document.title='HARMED'</script>",
  icon: "$(flame)",
  link: "[press](command:workbench.action.closeWindow)",
  sequence: "\u001b[31mred\u001b[0m",
  turn: "a\u202Ecod.exe",
};

/** Modules and programs of a workspace, each of which leaves a file there when it is executed. */
export async function plantPrograms(workspace: string): Promise<string> {
  const trace = path.join(workspace, "HARMED");
  const python = `open(${JSON.stringify(trace)}, "a").write(__name__ + "\\n")\n`;
  for (const name of ["json", "site", "sitecustomize", "usercustomize", "numpy", "runforge_cli"]) {
    await writeFile(path.join(workspace, `${name}.py`), python);
  }
  return trace;
}

/** An environment of the workspace, whose interpreter leaves a file when it is started. */
export async function plantInterpreter(workspace: string): Promise<string> {
  const trace = path.join(workspace, "HARMED");
  const bin = path.join(workspace, ".venv/bin");
  await mkdir(bin, { recursive: true });
  const script = `#!/bin/sh\necho "$@" >> '${trace}'\nexec '${PYTHON}' "$@"\n`;
  await writeFile(path.join(bin, "python"), script, { mode: 0o755 });
  await symlink("python", path.join(bin, "python3"));
  await writeFile(path.join(workspace, ".venv/pyvenv.cfg"), "home = /usr/bin\n");
  return trace;
}

/** Put a model in the place of that of a run, which leaves a file when it is loaded. */
export async function poisonModel(workspace: string, run: string): Promise<string> {
  const trace = path.join(workspace, "HARMED");
  const program = [
    "import os, pickle, sys",
    "class Poison:",
    "    def __reduce__(self):",
    "        return os.system, ('touch ' + sys.argv[2],)",
    "open(sys.argv[1], 'wb').write(pickle.dumps(Poison()))",
  ];
  const model = path.join(workspace, ".runforge/runs", run, "artifacts/model.pkl");
  await promisify(execFile)(PYTHON, ["-c", program.join("\n"), model, trace]);
  return trace;
}
