// Where a Python with RunForge may be, and whether one is there.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** The oldest release of RunForge that this extension works with. */
export const OLDEST = "0.4.0";

/** Where a Python was found. */
export type Origin = "extension" | "setting" | "workspace" | "path";

export interface Interpreter {
  readonly path: string;
  readonly origin: Origin;
  /** Why it could not be started. */
  readonly problem?: string;
}

/** What is known of a Python. */
export interface Inspected extends Interpreter {
  /** Version of Python, such as `3.11.7`; absent if it could not be started. */
  readonly python?: string;
  /** Version of RunForge; absent if it has none. */
  readonly runforge?: string;
}

export interface Places {
  /** The interpreter that the Python extension has selected. */
  readonly extension?: string | undefined;
  /** The setting `runforge.pythonPath`. */
  readonly setting?: string | undefined;
  /** The workspace folder. */
  readonly folder?: string | undefined;
  /** The variable `PATH`. */
  readonly path?: string | undefined;
  readonly windows?: boolean;
}

/** Return the interpreters to look at, in this order, each one once. */
export function interpreters(
  { extension, setting, folder, path = "", windows = false }: Places,
  exists: (path: string) => boolean = existsSync,
): Interpreter[] {
  const found: Interpreter[] = [];
  const add = (origin: Origin, candidate: string | undefined) => {
    if (candidate && !found.some((one) => one.path === candidate))
      found.push({ path: candidate, origin });
  };
  add("extension", extension);
  if (setting) {
    const named = isAbsolute(setting) || !/[\\/]/.test(setting);
    if (isAbsolute(setting)) add("setting", setting);
    else if (named) {
      const program = onPath([setting], path, windows, exists);
      if (program) add("setting", program);
      // The log says why it is not used.
      else found.push({ path: setting, origin: "setting", problem: "it is not on the path." });
    } else if (folder) add("setting", join(folder, setting));
  }
  if (folder) {
    const inside = windows ? ["Scripts", "python.exe"] : ["bin", "python"];
    const venv = join(folder, ".venv", ...inside);
    if (exists(venv)) add("workspace", venv);
  }
  for (const name of ["python3", "python"]) add("path", onPath([name], path, windows, exists));
  return found;
}

/**
 * Return the first program with one of the names on the path. Relative entries are left out: they
 * would be folders of the workspace.
 */
function onPath(
  names: readonly string[],
  path: string,
  windows: boolean,
  exists: (path: string) => boolean,
): string | undefined {
  for (const folder of path.split(delimiter)) {
    if (!isAbsolute(folder)) continue;
    for (const name of names) {
      const program = join(folder, windows && !name.endsWith(".exe") ? `${name}.exe` : name);
      if (exists(program)) return program;
    }
  }
  return undefined;
}

/**
 * Return an environment in which Python imports no file of the workspace: `PYTHONPATH` may have
 * relative entries, and the current folder comes first without `PYTHONSAFEPATH`.
 */
export function safeEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const safe: NodeJS.ProcessEnv = { ...environment, PYTHONSAFEPATH: "1", PYTHONUTF8: "1" };
  for (const name of ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT"])
    delete safe[name];
  return safe;
}

const QUESTION = `
import json, sys
try:
    from importlib.metadata import version
    found = version("runforge-cli")
except Exception:
    found = None
print(json.dumps({"python": "%d.%d.%d" % sys.version_info[:3], "runforge": found}))
`;

/** Start a Python in a folder that is not the workspace, and ask for the versions. */
export function inspectInterpreter(one: Interpreter, cwd: string): Promise<Inspected> {
  if (one.problem !== undefined) return Promise.resolve(one);
  return new Promise((resolve) => {
    const options = { cwd, env: safeEnvironment(process.env), timeout: 60_000, windowsHide: true };
    execFile(one.path, ["-c", QUESTION], options, (error, output) => {
      if (error) return resolve({ ...one, problem: error.message.split("\n")[0] ?? "" });
      try {
        const { python, runforge } = JSON.parse(output.trim().split("\n").at(-1) ?? "");
        resolve({ ...one, python, ...(runforge ? { runforge } : {}) });
      } catch {
        resolve({ ...one, problem: "It printed something else than was asked for." });
      }
    });
  });
}

/** Return why an interpreter cannot be used, or undefined if it can. */
export function whyNot(one: Inspected): string | undefined {
  if (one.python === undefined) return `It could not be started: ${one.problem ?? "no reason"}`;
  if (isOlder(one.python, "3.11.0")) return `It is Python ${one.python}; RunForge needs 3.11.`;
  if (one.runforge === undefined) return "It has no RunForge.";
  if (isOlder(one.runforge, OLDEST))
    return `It has RunForge ${one.runforge}; this extension needs ${OLDEST} or later.`;
  return undefined;
}

/** Compare the numbers of two versions; a pre-release counts as its release. */
export function isOlder(version: string, than: string): boolean {
  const [ours, theirs] = [numbers(version), numbers(than)];
  for (let index = 0; index < Math.max(ours.length, theirs.length); index += 1) {
    const difference = (ours[index] ?? 0) - (theirs[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function numbers(version: string): number[] {
  return (/^\d+(?:\.\d+)*/.exec(version)?.[0] ?? "0").split(".").map(Number);
}

/** Say in words where an interpreter was found. */
export function originText(origin: Origin): string {
  return {
    extension: "selected in the Python extension",
    setting: "the setting runforge.pythonPath",
    workspace: "the .venv of the workspace",
    path: "on the path of the system",
  }[origin];
}
