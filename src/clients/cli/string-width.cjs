// CommonJS, so that the package is loaded by the first text that is not plain: its expressions for emoji take 9 ms and 3 MB.
/** @type {typeof import('./string-width.d.cts').stringWidth} */
exports.stringWidth = text => {
  /** @type {typeof import('string-width')} */
  // oxlint-disable-next-line typescript/no-unsafe-call -- its types do not know CommonJS
  const {default: stringWidth} = require('string-width')
  return stringWidth(text)
}
