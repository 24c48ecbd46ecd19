/** JSON as Go writes it: indented, with three characters escaped, without a newline at its end. */
export const indentedGoJson = (value: unknown): string =>
  JSON.stringify(value, null, 2).replace(/[<>&]/g, sign => `\\u00${sign.charCodeAt(0).toString(16)}`)
