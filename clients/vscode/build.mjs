// Builds what the extension contains besides its sources: the bundle, the schemas, the example and
// the licence. With --watch, the bundle is renewed when a source changes.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const HERE = new URL("./", import.meta.url);
const ROOT = new URL("../../", HERE);
/** Where the libraries of `@runforge/client` are installed. */
const LIBRARIES = new URL("packages/runforge-contracts/typescript/", ROOT);

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

/**
 * Write a schema for each file whose `schema_version` says which schema it has: the editor knows the
 * names of files alone. What says nothing is a record of an early client.
 */
function chooseSchemas() {
  const target = new URL("schemas/any/", HERE);
  mkdirSync(target);
  const versions = {
    run: ["run.v0.2.2.1", "run.v0.3.3", "run.v0.3.6"],
    index: ["0.2.2.1"],
  };
  const files = { "0.2.2.1": "field.editor_index.v0.2.2.1" };
  const newest = { run: "run.v0.4.0", index: "index.v1" };
  const choose = (condition, schema, otherwise) =>
    // biome-ignore lint/suspicious/noThenProperty: JSON Schema calls it so.
    ({ if: condition, then: schema, else: otherwise });
  const refer = (name) => ({ $ref: `../${name}.json` });
  const required = ["schema_version"];
  for (const [name, older] of Object.entries(versions)) {
    let schema = refer(newest[name]);
    for (const version of older) {
      const known = { required, properties: { schema_version: { const: version } } };
      schema = choose(known, refer(files[version] ?? version), schema);
    }
    if (name === "run") {
      const early = { required: ["runforge_version", "dataset"], not: { required } };
      schema = choose(early, refer("field.editor_run.v0.2.2.1"), schema);
    }
    writeFileSync(new URL(`${name}.json`, target), JSON.stringify(schema));
  }
}

copySchemas();
chooseSchemas();
copyFileSync(new URL("examples/penguins.csv", ROOT), new URL("media/penguins.csv", HERE));
copyFileSync(new URL("LICENSE", ROOT), new URL("LICENSE", HERE));
const options = {
  absWorkingDir: fileURLToPath(HERE),
  entryPoints: {
    extension: "src/extension.ts",
    documents: "src/documents/check-document.ts",
    connection: "src/server/connection.ts",
  },
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
  alias: {
    "@runforge/contracts/schemas": "./src/documents/schema-files.ts",
    "fast-uri": "./src/documents/schema-urls.ts",
    // Its modules, of which only the used ones are taken; for Node.js it has one piece.
    yaml: fileURLToPath(new URL("node_modules/yaml/browser/dist/index.js", LIBRARIES)),
  },
  supported: { "dynamic-import": false },
  plugins: [
    { name: "lazy", setup: splitLazy },
    { name: "json", setup: withoutJson5 },
  ],
};

/** What checks documents and what talks to a server are bundles of their own, loaded when needed. */
function splitLazy(build) {
  const bundles = { "check-document": "documents", connection: "connection" };
  build.onResolve({ filter: /\/(check-document|connection)\.ts$/ }, ({ kind, path }) =>
    kind === "entry-point"
      ? undefined
      : { path: `./${bundles[/([^/]+)\.ts$/.exec(path)[1]]}.cjs`, external: true },
  );
}

/** Replace the tables of letters for names without quotes, which JSON5 has and JSON has not. */
function withoutJson5(build) {
  build.onLoad({ filter: /\/momoa\/dist\/momoa\.js$/ }, ({ path }) => {
    const source = readFileSync(path, "utf8");
    const tables = /^const (ID_Start|ID_Continue) = \/.*;$/gm;
    if (source.match(tables)?.length !== 2) throw new Error("The parser of JSON has changed.");
    return { contents: source.replace(tables, "const $1 = /(?!)/u;"), loader: "js" };
  });
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
