/** Returns the value of a table's own key, not of an inherited one such as `constructor`; undefined: unknown. */
export const ownOf = <T>(table: Readonly<Partial<Record<string, T>>>, word: string | number): T | undefined =>
  Object.hasOwn(table, word) ? table[word] : undefined

/** Returns an empty record for keys from outside: an object literal would lose the key `__proto__`. */
// TypeScript has no type for an object without a prototype
export const emptyRecord = <T>(): Record<string, T> => Object.create(null) as Record<string, T>
