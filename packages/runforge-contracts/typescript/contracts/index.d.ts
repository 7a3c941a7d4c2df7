export * from "./types.js";

/**
 * A document without undeclared members, for values that a program writes: a typo in the name of a
 * property does not compile. Maps such as `hyperparameters` stay maps.
 */
export type Strict<T> = T extends readonly (infer Item)[]
  ? Strict<Item>[]
  : T extends object
    ? string extends DeclaredKeys<T>
      ? T
      : { [Key in keyof T as Declared<Key>]: Strict<T[Key]> }
    : T;

type Declared<Key> = string extends Key ? never : number extends Key ? never : Key;
type DeclaredKeys<T> = keyof { [Key in keyof T as Declared<Key>]: true } extends never
  ? string
  : never;
