/** Names whose values are masked wherever recorded bytes leave the process. */
const WORDS =
  /token|key|secret|pass[-_]?(?:word|phrase|code(?!c))|passwd|session|signature|credential|conn(?:ection)?[-_]?str(?:ing|$)|assertion|authorization$|^(?:set-)?cookie$/i
/** Words that are secret only as a whole word of a name: `pin`, `userPin`, `x-sig`, not `shipping` or `design`. */
const WHOLE_WORDS = new Set(
  'sig pin ssn otp totp cvv cvv2 cvc cvc2 pwd pw jwt csrf psk creds bearer verifier'.split(' ')
)
/** Quick test: names without these parts contain no secret word. */
const MAY_BE_WHOLE = new RegExp([...WHOLE_WORDS, 'pass$', 'auth$'].join('|'), 'i')
/** Values of `code` and `pass` that are not secret, although OAuth has such codes: a number, the name of an error, a boolean. */
const PLAIN = /^(?:-?\d{1,5}|(?=.{0,32}$)[a-z]*(?:[_.-][a-z]+)*)$/i
/** Names of counts, such as `prompt_tokens` and `totalTokenCount`. */
const COUNT_NAME = /tokens$|tokens?[-_]?(?:count|used|limit|remaining)$/i
/** Names that contain a secret word but are harmless. */
const HARMLESS = /^(?:sec-websocket-key|(?:x-)?idempotency-key|\w*tokens_?details)$/i

/** `userPin`, `user_pin`, `X-User-Pin` and `PINOfUser` have the words `user` and `pin`. */
const wordsOf = (name: string): readonly string[] =>
  name.replace(/(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '-').split(/[^a-zA-Z\d]+/)

/** Whether a header, parameter or field with this name contains a secret, judged also by its value. */
export function isSecretName(name: string, value: string): boolean {
  if (COUNT_NAME.test(name) && /^\d{1,9}$/.test(value)) return false
  if (/^(?:code|pass)$/i.test(name)) return !PLAIN.test(value)
  const words = MAY_BE_WHOLE.test(name) ? wordsOf(name) : []
  if (/^(?:pass|auth)$/i.test(words.at(-1) ?? '') || words.some(word => WHOLE_WORDS.has(word.toLowerCase())))
    return true
  return WORDS.test(name) && !HARMLESS.test(name)
}

/** Returns the last word of a name, which identifies a header: `key` of `X-Api-Key`, `session` of `session-id`, `store` of `session-store`. */
export const endOfName = (name: string): string =>
  /(?:conn(?:ection)?-)?[^-]*$/i.exec(name.replace(/-?id$|-\d+$/i, ''))?.[0] ?? ''
