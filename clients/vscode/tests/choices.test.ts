// What is chosen for a training, and how its progress is put in words.
import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf, failureText, ofBody } from "../src/failures.ts";
import * as choices from "../src/training/choices.ts";

const column = (name: string, kind: string, unique: number) =>
  ({ name, kind, unique, missing: 0, role: "feature" }) as never;
const C: choices.Hyperparameter = {
  family: "logistic_regression",
  name: "C",
  kind: "float",
  default: 1,
  minimum: 1e-100,
  maximum: 1e100,
};
const DEPTH: choices.Hyperparameter = {
  family: "random_forest",
  name: "max_depth",
  kind: "int_or_none",
  default: null,
  minimum: 1,
  maximum: 2147483647,
};

test("columns that are likely the label come first", () => {
  const columns = [
    column("weight", "number", 90),
    column("constant", "integer", 1),
    column("grade", "integer", 3),
    column("species", "text", 3),
    column("Label", "integer", 2),
  ];
  assert.deepEqual(
    choices.likelyLabels(columns).map(({ name }) => name),
    ["Label", "species", "grade", "weight", "constant"],
  );
});

test("columns of text cannot be features", () => {
  const columns = [column("a", "number", 9), column("b", "text", 3), column("y", "text", 2)];
  assert.deepEqual(choices.notNumeric(columns, "y"), ["b"]);
});

test("what is remembered holds while the dataset has its columns", () => {
  const remembered = { label: "y", exclude: ["b"] };
  assert.equal(choices.stillValid(remembered, [{ name: "y" }, { name: "b" }]), remembered);
  assert.equal(choices.stillValid(remembered, [{ name: "y" }]), undefined);
});

test("values of hyperparameters are read within their ranges", () => {
  assert.equal(choices.readValue(C, " 0.5 "), 0.5);
  for (const typed of ["", "0", "-1", "x", "Infinity", "NaN", "1e200"])
    assert.equal(choices.readValue(C, typed), undefined, typed);
  assert.equal(choices.readValue(DEPTH, "none"), null);
  assert.equal(choices.readValue(DEPTH, "3"), 3);
  assert.equal(choices.readValue(DEPTH, "3.5"), undefined);
  assert.deepEqual(choices.readValues(C, "0.1, 1,10"), [0.1, 1, 10]);
  assert.equal(choices.readValues(C, "0.1, "), undefined);
});

test("seeds are single ones and ranges", () => {
  assert.deepEqual(choices.readSeeds("1..3, 42"), [1, 2, 3, 42]);
  for (const typed of ["", "a", "3..1", "-1", "4294967296", "0..4294967295", "1.5", "1e3"])
    assert.equal(choices.readSeeds(typed), undefined, typed);
});

test("progress has the stage, how much is done, and the time left", () => {
  const progress = {
    id: 1,
    stage: "training",
    message: "Training",
    fraction: 0.4,
    seconds_left: 130,
  };
  assert.equal(choices.progressText(progress as never), "Training 40 %, 2 min left");
  assert.equal(choices.progressText({ message: "Reading" } as never), "Reading");
});

test("a failure has code, place and hint, and the remedy that its hint asks for", () => {
  const failure = ofBody({
    code: "FEATURE_NOT_NUMERIC",
    message: "2 columns are not numeric.",
    hint: "Leave them out.",
    path: "data.csv",
    column: "sex",
    row: 4,
  });
  assert.equal(failure.remedy, "exclude");
  assert.equal(
    failureText(failure),
    "2 columns are not numeric. (data.csv, column sex, row 4) Leave them out. [FEATURE_NOT_NUMERIC]",
  );
  assert.equal(failureOf(new Error("x\u001b[0m")).code, "INTERNAL");
  assert.doesNotMatch(failureText(failureOf(new Error("x\u001b[0m"))), /\u001b/);
});

test("a failure says each place once, and paths relative to the workspace", () => {
  const failure = ofBody({
    code: "FILE_UNSAFE",
    message: "`/w/a/model.pkl` is not the model of the record.",
    path: "/w/a/model.pkl",
  });
  assert.equal(
    failureText(failure, "/w"),
    "`a/model.pkl` is not the model of the record. [FILE_UNSAFE]",
  );
});

test("a training whose process was killed can be started again, and memory is named", () => {
  const failure = ofBody({
    code: "WORKER_LOST",
    message: "The process that trained was lost: it was ended by SIGKILL.",
    hint: "The server goes on; train again.",
  });
  assert.equal(failure.remedy, "again");
  assert.equal(failure.hint, "The system may lack memory. The server goes on; train again.");
});

test("the recipe of a dataset is beside it", () => {
  assert.equal(choices.recipeOf("data/penguins.csv"), "data/penguins.recipe.json");
  assert.equal(choices.recipeOf("a.b.csv.gz"), "a.b.recipe.json");
  assert.equal(choices.recipeOf("T.PARQUET"), "T.recipe.json");
});
