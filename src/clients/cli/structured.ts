/** JSON as Go writes it: indented, with three characters escaped, without a newline at its end. */
export const indentedGoJson = (value: unknown): string =>
  JSON.stringify(value, null, 2).replace(/[<>&]/g, sign => `\\u00${sign.charCodeAt(0).toString(16)}`)

/** Returns a value as Dapr's CLI prints it with `-o json` or `-o yaml`. */
export async function structured(value: unknown, output: 'json' | 'yaml'): Promise<string> {
  if (output === 'json') return indentedGoJson(value)
  return (await import('yaml')).stringify(value, {lineWidth: 0})
}
