// Pages: what they show, and that nothing in a document becomes markup.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as pages from "../src/pages/document-pages.ts";
import { escaped, type Page, pageHtml } from "../src/pages/html.ts";
import { reportHtml } from "../src/pages/report-html.ts";
import { VECTORS } from "./places.ts";

const read = (name: string) => JSON.parse(readFileSync(join(VECTORS, name), "utf8"));

/** Every page with the vectors of its document. */
const PAGES: readonly (readonly [string, (document: never) => Page])[] = [
  ["metrics.v1", (document) => pages.metricsPage(document, "lead")],
  ["feature_importance.v1", (document) => pages.importancePage(document, "lead")],
  ["linear_coefficients.v1", (document) => pages.coefficientsPage(document, "lead")],
  ["interpretability.index.v1", pages.interpretabilityPage],
  ["diagnostics.v1", pages.diagnosticsPage],
  ["dataset_inspection.v1", pages.datasetPage],
  ["artifact_inspection.v0.2.2.2", pages.artifactPage],
  ["verification.v1", pages.verificationPage],
  ["reproduction.v1", pages.reproductionPage],
  ["trace.v1", (document) => pages.tracePage(document, "what")],
  ["prediction.v1", (document) => pages.predictionPage(document, "data.csv")],
  ["index_report.v1", pages.indexPage],
];

const EVIL = `"'><script>alert(1)</script><img src=x onerror=alert(1)>\u001b]0;x\u0007\u202e`;

/** Replace every string of a document, and every name in its maps, by one that is an attack. */
function poisoned(value: unknown): unknown {
  if (typeof value === "string") return EVIL;
  if (Array.isArray(value)) return value.map(poisoned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, poisoned(one)]));
}

for (const [name, page] of PAGES)
  test(`the page of ${name} shows every vector`, () => {
    for (const form of ["min", "full"]) {
      const html = pageHtml(page(read(`${name}.${form}.json`) as never), "NONCE");
      assert.match(html, /<h1>/);
      assert.doesNotMatch(html, />(?:undefined|NaN|\[object Object\])</);
    }
    const html = pageHtml(page(poisoned(read(`${name}.full.json`)) as never), "NONCE");
    assert.equal(html.match(/<script/g)?.length, 1, "only the script of the page");
    assert.doesNotMatch(html, /<img/);
    assert.doesNotMatch(html, /[\u001b\u0007\u202e]/);
  });

test("a page allows no network, and scripts and styles with its nonce alone", () => {
  const html = pageHtml({ title: "t", sections: [] }, "NONCE");
  assert.match(html, /default-src 'none'; script-src 'nonce-NONCE'; style-src 'nonce-NONCE'/);
  assert.doesNotMatch(html, / style=| on[a-z]+=/);
});

test("what a button posts survives escaping", () => {
  const message = { action: "openRun", run: `"<&'>` };
  const html = pageHtml({ title: "t", actions: [{ label: "Open", message }], sections: [] }, "N");
  const written = /data-message="([^"]*)"/.exec(html)?.[1] ?? "";
  const unescaped = written
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
  assert.deepEqual(JSON.parse(unescaped), message);
  assert.equal(escaped("a\nb"), "a\\u000ab");
});

test("what is no page of the engine is refused", () => {
  assert.throws(() => reportHtml("<html><body>hello</body></html>", [], "N"));
});

test("predictions are written as CSV with fields quoted", () => {
  const predictions = [{ row: 1, prediction: 'a "b", c' }, { row: 2 }, { row: 3, prediction: 5 }];
  const csv = pages.predictionsCsv({ predictions } as never);
  assert.equal(csv, 'row,prediction\r\n1,"a ""b"", c"\r\n2,\r\n3,5\r\n');
});
