// Builds what the package contains besides its types: the schema files and a module of all schemas.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const HERE = new URL("./", import.meta.url);
const ROOT = new URL("../../../../", HERE);

rmSync(new URL("schemas", HERE), { recursive: true, force: true });
mkdirSync(new URL("schemas", HERE));
const schemas = {};
for (const folder of ["", "tfc/", "field/"]) {
  const source = new URL(`schemas/${folder}`, ROOT);
  for (const file of readdirSync(source).filter((name) => name.endsWith(".json"))) {
    const name = `${folder.replace("/", ".")}${file}`;
    copyFileSync(new URL(file, source), new URL(`schemas/${name}`, HERE));
    schemas[name.replace(/\.json$/, "")] = JSON.parse(readFileSync(new URL(file, source), "utf8"));
  }
}
writeFileSync(
  new URL("schemas.js", HERE),
  `export const schemas = ${JSON.stringify(schemas, null, 1)};\n`,
);
copyFileSync(new URL("LICENSE", ROOT), new URL("LICENSE", HERE));
