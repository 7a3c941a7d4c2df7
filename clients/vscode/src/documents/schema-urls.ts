// Resolves the URLs by which schemas refer to each other: what the validator needs of a library for
// URIs, since all of them are absolute or relative to an absolute one.

interface SchemaUrl {
  readonly document: string;
  readonly fragment: string | undefined;
}

export function parse(url: string): SchemaUrl {
  const [document = "", fragment] = url.split("#", 2);
  return { document, fragment };
}

export function serialize({ document, fragment }: SchemaUrl): string {
  return fragment === undefined ? document : `${document}#${fragment}`;
}

export function resolve(base: string, reference: string): string {
  return URL.canParse(reference, base) ? new URL(reference, base).href : reference;
}
