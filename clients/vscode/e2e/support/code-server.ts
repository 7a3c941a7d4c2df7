/** A real VS Code of its own: a code-server on a free loopback port, and Chromium to look at it. */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { type Browser, chromium } from "playwright-core";
import { TIMEOUT, Window } from "./window.ts";

export const ROOT = path.resolve(import.meta.dirname, "../../../..");
/** The Python in which this checkout of RunForge is installed. */
export const PYTHON = process.env["RUNFORGE_TEST_PYTHON"] ?? path.join(ROOT, ".venv/bin/python");
const EXTENSION = path.resolve(import.meta.dirname, "../..");
const ENTRY = path.join(
  path.dirname(createRequire(import.meta.url).resolve("code-server/package.json")),
  "out/node/entry.js",
);

/** What every window of the tests begins with: none of VS Code's own offers, nothing asked online. */
const SETTINGS = {
  "chat.disableAIFeatures": true,
  "editor.accessibilitySupport": "off",
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "window.commandCenter": false,
  "workbench.enableExperiments": false,
  "workbench.layoutControl.enabled": false,
  // A page that is drawn late takes the focus, which would close the palette and lists of the editor.
  "workbench.quickOpen.closeOnFocusLost": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
};

export interface Options {
  /** Settings of the user, beside those of `SETTINGS`. */
  settings?: Record<string, unknown>;
  /** Environment of VS Code, beside a clean one. */
  env?: Record<string, string>;
  /** Whether to install the extension [true]. */
  install?: boolean;
}

export interface OpenOptions {
  width?: number;
  height?: number;
  /** `dark`, `light`, or another one that the system prefers; the colour theme follows. */
  colorScheme?: "dark" | "light";
}

export class CodeServer {
  readonly folder: string;
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #browser: Browser;
  readonly #settings: Record<string, unknown>;
  /** What was asked of other machines by the pages, which must be nothing. */
  readonly foreign: string[] = [];
  readonly windows: Window[] = [];

  private constructor(
    folder: string,
    url: string,
    server: ChildProcess,
    browser: Browser,
    settings: Record<string, unknown>,
  ) {
    this.folder = folder;
    this.url = url;
    this.#process = server;
    this.#browser = browser;
    this.#settings = settings;
  }

  /** Start a server with folders of its own, and install the packed extension in it. */
  static async start(options: Options = {}): Promise<CodeServer> {
    const folder = await mkdtemp(path.join(tmpdir(), "runforge-vscode-"));
    const settings = { ...SETTINGS, "runforge.pythonPath": PYTHON, ...options.settings };
    await mkdir(path.join(folder, "home"));
    await writeSettings(folder, settings);
    const env = environment(folder, options.env);
    const browser = await chromium.launch({
      executablePath: await findChromium(),
      args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
    });
    const code = [ENTRY, ...folders(folder)];
    if (options.install !== false) await install(folder, await packed(), env);
    const serve = [...code, "--auth=none", "--bind-addr=127.0.0.1:0"];
    const server = spawn(process.execPath, serve, { env, stdio: ["ignore", "pipe", "pipe"] });
    // Also when the tests are broken off.
    process.once("exit", () => server.kill());
    return new CodeServer(folder, await listening(server), server, browser, settings);
  }

  /** Install another packed extension, for windows that are opened later. */
  async install(vsix: string): Promise<void> {
    await install(this.folder, vsix, environment(this.folder));
  }

  /** A new folder for a workspace, with the files of `from`. */
  async workspace(name = "workspace", from: string[] = []): Promise<string> {
    const parent = await mkdtemp(path.join(this.folder, "w-"));
    const workspace = path.join(parent, name);
    await mkdir(workspace);
    for (const file of from) {
      await cp(path.join(ROOT, file), path.join(workspace, path.basename(file)));
    }
    return workspace;
  }

  /** Open a folder in a new window, as a user who has never been here. */
  async open(workspace: string, options: OpenOptions = {}): Promise<Window> {
    const { width = 1280, height = 800, colorScheme = "light" } = options;
    const context = await this.#browser.newContext({ viewport: { width, height }, colorScheme });
    context.setDefaultTimeout(TIMEOUT);
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    context.on("request", (request) => {
      const { protocol, hostname } = new URL(request.url());
      if (protocol.startsWith("http") && hostname !== "127.0.0.1") this.foreign.push(request.url());
    });
    const page = await context.newPage();
    await page.goto(`${this.url}?folder=${encodeURIComponent(workspace)}`);
    await page.locator(".monaco-workbench .statusbar").waitFor();
    const window = new Window(page, workspace, this);
    this.windows.push(window);
    return window;
  }

  /** Change settings of the user while windows are open. */
  async set(settings: Record<string, unknown>): Promise<void> {
    Object.assign(this.#settings, settings);
    await writeSettings(this.folder, this.#settings);
  }

  /** The processes that this server has started, with their command lines, the eldest first. */
  async processes(): Promise<{ pid: number; command: string[] }[]> {
    const parents = new Map<number, number>();
    const commands = new Map<number, string[]>();
    for (const name of await readdir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const stat = await readFile(`/proc/${name}/stat`, "utf8");
        const command = await readFile(`/proc/${name}/cmdline`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        if (fields[0] === "Z") continue;
        parents.set(Number(name), Number(fields[1]));
        commands.set(Number(name), command.split("\0").slice(0, -1));
      } catch {
        // It has ended meanwhile.
      }
    }
    const ours = (pid: number | undefined): boolean =>
      pid !== undefined && pid > 1 && (pid === this.#process.pid || ours(parents.get(pid)));
    return [...commands]
      .filter(([pid]) => ours(pid))
      .sort(([a], [b]) => a - b)
      .map(([pid, command]) => ({ pid, command }));
  }

  /** The processes of `runforge serve` that windows have started. */
  async runforge(): Promise<number[]> {
    const all = await this.processes();
    return all.filter(({ command }) => command.includes("serve")).map(({ pid }) => pid);
  }

  /** What the extension has written into its output channel, in all windows. */
  async log(): Promise<string> {
    const logs = path.join(this.folder, "user/logs");
    const files = await readdir(logs, { recursive: true });
    const own = files.filter((file) => path.basename(file) === "RunForge.log").sort();
    return (await Promise.all(own.map((file) => readFile(path.join(logs, file), "utf8")))).join("");
  }

  /** End everything, and remove the folders. */
  async stop(): Promise<void> {
    await this.#browser.close();
    const started = (await this.processes()).map(({ pid }) => pid);
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    for (const pid of started) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    }
    if (this.#process.exitCode === null && this.#process.signalCode === null) await ended;
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

async function install(folder: string, vsix: string, env: Record<string, string>): Promise<void> {
  const command = [ENTRY, ...folders(folder), "--install-extension", vsix];
  await promisify(execFile)(process.execPath, command, { env });
}

function folders(folder: string): string[] {
  return [
    `--config=${path.join(folder, "config.yaml")}`,
    `--user-data-dir=${path.join(folder, "user")}`,
    `--extensions-dir=${path.join(folder, "extensions")}`,
    "--disable-telemetry",
    "--disable-update-check",
    "--disable-proxy",
  ];
}

function environment(folder: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    HOME: path.join(folder, "home"),
    LANG: "C.UTF-8",
    PATH: "/usr/local/bin:/usr/bin:/bin",
    TMPDIR: tmpdir(),
    // Without a gallery of extensions: nothing is looked up.
    EXTENSIONS_GALLERY: JSON.stringify({ serviceUrl: "", itemUrl: "", resourceUrlTemplate: "" }),
    ...more,
  };
}

/** Settings of the scope `machine` are those of the machine that the server runs on. */
async function writeSettings(folder: string, settings: Record<string, unknown>): Promise<void> {
  for (const place of ["User", "Machine"]) {
    const file = path.join(folder, "user", place, "settings.json");
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify(settings, null, 2));
  }
}

/** The one packed extension: `make vsix` writes it. */
export async function packed(): Promise<string> {
  const named = process.env["RUNFORGE_TEST_VSIX"];
  if (named) return path.resolve(named);
  const found = (await readdir(path.join(EXTENSION, "dist"))).filter((name) =>
    name.endsWith(".vsix"),
  );
  if (found.length !== 1) throw new Error(`There must be one .vsix in dist/, not ${found.length}.`);
  return path.join(EXTENSION, "dist", found[0]!);
}

function listening(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = "";
    const read = (chunk: Buffer) => {
      printed += chunk;
      const found = /HTTP server listening on (http:\S+)/.exec(printed);
      if (found) resolve(found[1]!);
    };
    // Also once the address is known: a pipe that nobody reads would stop the server.
    server.stdout!.on("data", read);
    server.stderr!.on("data", read);
    server.once("exit", (code) => reject(new Error(`code-server ended with ${code}: ${printed}`)));
  });
}

async function findChromium(): Promise<string> {
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    for (const folder of (process.env["PATH"] ?? "").split(path.delimiter)) {
      const names = await readdir(folder).catch((): string[] => []);
      if (names.includes(name)) return path.join(folder, name);
    }
  }
  throw new Error("Chromium is needed (Debian: chromium).");
}
