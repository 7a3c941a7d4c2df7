// Installs the packed packages into a fresh project, as npm installs them for a user.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

export const WORKSPACE = fileURLToPath(new URL("../..", import.meta.url));
export const ROOT = join(WORKSPACE, "../../..");

/** Return the folder of a project that has both packages, and a function that runs Node.js there. */
export function project() {
  const folder = mkdtempSync(join(tmpdir(), "runforge-project-"));
  after(() => rmSync(folder, { recursive: true }));
  // npm is a script on Windows, which only a shell starts.
  const npm = (...args) =>
    execFileSync("npm", args, {
      cwd: folder,
      encoding: "utf8",
      shell: process.platform === "win32",
    });
  const node = (...args) => execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  for (const name of ["contracts", "client"]) npm("pack", join(WORKSPACE, name), "--silent");
  const archives = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  const files = archives.map((name) => `./${name}`);
  npm("install", ...files, "--prefer-offline", "--no-audit", "--no-fund", "--silent");
  return { folder, node };
}

/** Compile TypeScript strictly in a project, without writing what a bundler would read. */
export function compile({ folder, node }, files, options = {}) {
  const config = {
    extends: join(WORKSPACE, "tsconfig.base.json"),
    compilerOptions: {
      typeRoots: [join(WORKSPACE, "node_modules/@types")],
      outDir: ".",
      ...options,
    },
    files,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  node(join(WORKSPACE, "node_modules/typescript/bin/tsc"), "--project", ".");
}
