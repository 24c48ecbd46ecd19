/** Encodes text as UTF-8, one latin1 character for each byte (`Lines` in model/events.ts). */
export const asBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

/** Decodes UTF-8 bytes in a latin1 text, one character per byte. */
export const decoded = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- most lines are ASCII
  /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, 'latin1').toString()

/**
 * Whether a text is base64 with its padding (RFC 4648, section 4). The pattern has no groups: repeating one of four characters would
 * overflow the stack at 30 MB.
 */
export const isBase64 = (text: string): boolean => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
