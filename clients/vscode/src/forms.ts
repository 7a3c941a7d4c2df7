// Values of documents that nobody has checked, such as those of a folder in Restricted Mode: each of
// these returns what has the form that is needed, and nothing in place of what has another one.

/** The members of an object. */
export type Members = { readonly [name: string]: unknown };

export function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function membersOf(value: unknown): Members {
  return isMembers(value) ? value : {};
}

/** The items of a list that are objects. */
export function objectsOf(value: unknown): readonly Members[] {
  return Array.isArray(value) ? value.filter(isMembers) : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The texts of a list. */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

/** Write any value in a line: texts as they are, others as JSON, and nothing for none. */
export function written(value: unknown): string {
  return typeof value === "string" ? value : jsonOf(value);
}

/** How much of a value is shown, in characters. */
const LONGEST = 2_000;

export function jsonOf(value: unknown): string {
  try {
    const text = JSON.stringify(value) ?? "";
    return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  } catch {
    return "…"; // It is nested too deeply.
  }
}
