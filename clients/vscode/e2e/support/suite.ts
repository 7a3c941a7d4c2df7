/** A suite of tests in one VS Code: each test has windows and workspaces of its own. */

import { after, afterEach, before } from "node:test";
import { CodeServer, type Options } from "./code-server.ts";

/** Start VS Code before the tests of a file; close the windows after each, end it after all. */
export function inVsCode(options: Options = {}): { server: CodeServer } {
  const suite = {} as { server: CodeServer };
  before(async () => {
    suite.server = await CodeServer.start(options);
  });
  afterEach(async (context) => {
    for (const window of [...suite.server.windows]) {
      if ("passed" in context && !context.passed) await window.picture(`failed ${context.name}`);
      await window.close();
    }
  });
  after(() => suite.server?.stop());
  return suite;
}
