/** Whether a value is a list. Unlike `Array.isArray`, keeps the type of a read-only one. */
export const isList = (value: object): value is readonly string[] => Array.isArray(value)

/** Whether a value of JSON or YAML is an object: neither null nor a list. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
