/** Encodes text as UTF-8, one latin1 character for each byte (`Lines` in model/events.ts). */
export const asBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

/** Decodes UTF-8 bytes that are held as latin1. */
export const decoded = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- most lines are ASCII
  /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, 'latin1').toString()
