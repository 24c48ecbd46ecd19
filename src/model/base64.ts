/**
 * Whether a text is base64 with its padding (RFC 4648, section 4). A pattern of four characters at a time runs out of stack at
 * 30 MB.
 */
export const isBase64 = (text: string): boolean => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
