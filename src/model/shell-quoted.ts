/** Quotes a text for a shell, unless all its characters are plain. */
export const shellQuoted = (text: string): string =>
  /^[\w@%+:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
