/** Returns the value of a table's own key; an object literal also knows `constructor` and `__proto__`. Undefined for an unknown key. */
export const ownOf = <T>(table: Readonly<Partial<Record<string, T>>>, word: string | number): T | undefined =>
  Object.hasOwn(table, word) ? table[word] : undefined

/** An empty record for keys that others have named: in an object literal one called `__proto__` is lost. */
// TypeScript has no type for an object without a prototype
export const emptyRecord = <T>(): Record<string, T> => Object.create(null) as Record<string, T>
