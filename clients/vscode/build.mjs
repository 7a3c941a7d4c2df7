// Builds what the extension contains besides its sources: the bundle, the schemas, the example and
// the licence. With --watch, the bundle is renewed when a source changes.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const HERE = new URL("./", import.meta.url);
const ROOT = new URL("../../", HERE);

/** Schemas refer to each other by URL; in the editor the files lie side by side. */
function copySchemas() {
  const target = new URL("schemas/", HERE);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  for (const folder of ["", "tfc/", "field/"]) {
    const source = new URL(`schemas/${folder}`, ROOT);
    for (const file of readdirSync(source).filter((name) => name.endsWith(".json"))) {
      const schema = JSON.parse(readFileSync(new URL(file, source), "utf8"));
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
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.cjs",
  bundle: true,
  minify: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  external: ["vscode"],
  logLevel: "warning",
  // The schemas are files of the extension; they need not be in the bundle, too.
  alias: { "@runforge/contracts/schemas": "./src/documents/schema-files.ts" },
};
if (process.argv.includes("--watch")) await (await esbuild.context(options)).watch();
else await esbuild.build(options);
