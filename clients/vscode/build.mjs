// Builds what the extension contains besides its sources: the bundle, the schemas, the example and
// the licence. With --watch, the bundle is renewed when a source changes.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const HERE = new URL("./", import.meta.url);
const ROOT = new URL("../../", HERE);

/**
 * Schemas refer to each other relative to their own URL; in the editor the files lie side by side,
 * and without the URL it looks for them there, not online.
 */
function copySchemas() {
  const target = new URL("schemas/", HERE);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  for (const folder of ["", "tfc/", "field/"]) {
    const source = new URL(`schemas/${folder}`, ROOT);
    for (const file of readdirSync(source).filter((name) => name.endsWith(".json"))) {
      const { $id: _, ...schema } = JSON.parse(readFileSync(new URL(file, source), "utf8"));
      const name = `${folder.replace("/", ".")}${file}`;
      writeFileSync(new URL(name, target), JSON.stringify(schema));
    }
  }
}

copySchemas();
copyFileSync(new URL("examples/penguins.csv", ROOT), new URL("media/penguins.csv", HERE));
copyFileSync(new URL("LICENSE", ROOT), new URL("LICENSE", HERE));
const options = {
  absWorkingDir: fileURLToPath(HERE),
  entryPoints: { extension: "src/extension.ts", documents: "src/documents/check-document.ts" },
  outdir: "dist",
  outExtension: { ".js": ".cjs" },
  bundle: true,
  minify: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  mainFields: ["module", "main"],
  external: ["vscode"],
  logLevel: "warning",
  metafile: true,
  // The schemas are files of the extension; they need not be in the bundle, too.
  alias: { "@runforge/contracts/schemas": "./src/documents/schema-files.ts" },
  supported: { "dynamic-import": false },
  plugins: [{ name: "documents", setup: splitDocuments }],
};

/** What checks documents is a bundle of its own, loaded with the first document. */
function splitDocuments(build) {
  build.onResolve({ filter: /\/check-document\.ts$/ }, ({ kind }) =>
    kind === "entry-point" ? undefined : { path: "./documents.cjs", external: true },
  );
}

/** Texts of licences for packages that name one and do not contain it. */
const COMMON = { "Apache-2.0": new URL("node_modules/typescript/LICENSE.txt", HERE) };

/** Write the licences of the packages that the bundles contain. */
function writeNotices({ inputs }) {
  const packages = new Set();
  for (const path of Object.keys(inputs)) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path);
    if (found) packages.add(found[1]);
  }
  const notices = [...packages].sort().map((path) => {
    const folder = new URL(`${path}/`, HERE);
    const { name, version, license } = JSON.parse(readFileSync(new URL("package.json", folder)));
    const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
    const text = file ? new URL(file, folder) : COMMON[license];
    if (text === undefined) throw new Error(`${name} has no licence file`);
    return `${name} ${version} (${license})\n\n${readFileSync(text, "utf8").trim()}\n`;
  });
  writeFileSync(
    new URL("dist/third-party-licences.txt", HERE),
    notices.join(`\n${"-".repeat(80)}\n\n`),
  );
}

if (process.argv.includes("--watch")) await (await esbuild.context(options)).watch();
else writeNotices((await esbuild.build(options)).metafile);
