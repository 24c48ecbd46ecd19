/** What turns text around, or hides in it, for people who read it (Unicode TR 36). */
const UNSEEN = /[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u206f\ufeff\ufff9-\ufffb]/g
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\0-\x08\x0a-\x1f\x7f-\x9f]/g

/** Text of an app so that everything in it is seen: control characters as pictures, marks that turn text around by number. */
export const visible = (text: string): string =>
  text
    .replace(CONTROLS, char => {
      const code = char.charCodeAt(0)
      if (code < 0x20) return String.fromCharCode(0x2400 + code)
      return code === 0x7f ? '\u2421' : `\\x${code.toString(16)}`
    })
    .replace(UNSEEN, char => `[U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`)
