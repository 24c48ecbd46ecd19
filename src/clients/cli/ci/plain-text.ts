/* oxlint-disable no-control-regex -- control characters are what is sought */

/** Escape sequences of terminals: CSI, OSC and other strings, and the short ones (ECMA-48). */
const SEQUENCE =
  /\x1b(?:\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x20-\x2f]*[\x30-\x7e])/g
/** Characters that XML 1.0 does not allow (2.2), C1 controls, and halves of surrogate pairs. */
const FORBIDDEN =
  /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** Output of an app as text for reports: without colours and control characters; invalid bytes become U+FFFD. */
export const plainText = (text: string): string =>
  text.replace(SEQUENCE, '').replace(/\r\n?/g, '\n').replace(FORBIDDEN, '\ufffd')
