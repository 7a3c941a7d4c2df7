// Copies the licence of the repository into the package in the current folder.
import { copyFileSync } from "node:fs";

copyFileSync(new URL("../../../../LICENSE", import.meta.url), "LICENSE");
