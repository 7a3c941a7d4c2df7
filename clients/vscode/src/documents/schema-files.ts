// The schemas, read from the files of the extension when a document is validated for the first time.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The folder beside the bundle. */
const FOLDER = join(__dirname, "..", "schemas");

/** The folder of the URLs of the schemas, which the files leave out. */
const URLS = "https://runforge.dev/schemas/";

/** Every schema by its name, as `@runforge/contracts/schemas` has them. */
export const schemas = Object.fromEntries(
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(".json"))
    .map((file) => [
      file.replace(/\.json$/, ""),
      { $id: URLS + file, ...JSON.parse(readFileSync(join(FOLDER, file), "utf8")) },
    ]),
);
