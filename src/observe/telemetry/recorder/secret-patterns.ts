/** Names whose values are masked wherever recorded bytes leave the process. */
const WORDS =
  /token|key|secret|pass[-_]?(?:word|phrase|code(?!c))|passwd|session|signature|credential|conn(?:ection)?[-_]?str(?:ing|$)|assertion|authorization$|^(?:set-)?cookie$/i
/** Words that are secret only as a whole word of a name: `pin`, `userPin`, `x-sig`, not `shipping` or `design`. */
const WHOLE_WORDS = new Set(
  'sig pin ssn otp totp cvv cvv2 cvc cvc2 pwd pw jwt csrf psk creds bearer verifier'.split(' ')
)
/** Quick test: names without these parts contain no secret word. */
const MAY_BE_WHOLE = new RegExp([...WHOLE_WORDS, 'pass$', 'auth$'].join('|'), 'i')
/** Values of `code` and `pass` that are not secret, unlike codes of OAuth: a number, the name of an error, a boolean. */
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

/** Signs that a string in JSON may contain a secret: an address, a header of a command, a token, or pairs of a connection string. */
export const PAIRS = /:\/\/|(?:-H|--header)\b|\bB(?:earer|asic) |(?:^|;) *(?:password|pwd|\w*accesskey|accountkey) *=/i
/** The content type of a form. */
export const FORM = /^application\/x-www-form-urlencoded/i
/** The beginning of an object or a list of JSON. */
export const BLOCK = /^\s*[[{]/

/** A password in an address: `https://name:password@host`, or fully or partly encoded as in a path: `https%3A%2F%2Fname%3Apassword%40host`. */
export const PASSWORD =
  /(?<=:\/\/(?!\[)[^/?#\s:"']*:)(?!\d{1,5}[?#])[^\s/"']+(?=@)|(?<=(?:(?:%3A|:)%2F%2F|%3A\/\/)(?:[^/?#\s&:"%]|%(?!3A|2F))*(?:%3A|:))(?:(?!%2F)[^/?#\s&"])+(?=%40|@)/gi
/** A password in an address whose `@` was cut off. */
export const CUT_PASSWORD = /(?<=:\\?\/\\?\/(?!\[)[^/?#\s:@"']*:)(?!\d{0,5}(?:[?#]|$))[^\s/"'@]+$/
/** Quick test: a text without these contains nothing to mask. */
export const MAY_HOLD = /[=@"<>]|%40|(?:^|\s)--?\w|['\w]: '|-\w+:|(?:cookie|authorization|header):|\bB(?:earer|asic) /i
/** Text before a value: a field of JSON, also within a text (`\"token\":`), or an HTTP scheme before a credential. */
export const FIELD =
  /(?<!\\)(\\*")([^"\\]{1,100})(?:(?<=[nN]ame\1\s{0,9}:\s{0,9}\1[\w.:-]+)\1\s*,\s*\1[vV]alue(?=\1\s*:\s*\1))?\1\s*:\s*|\b(?:[Bb]earer|Basic) +(?!\w+=["\w])(?=[\w.~+/-]{8})(?=[\w.~+/-]{0,80}[\d=])/g
/** As `FIELD`, or an entry as Python, JavaScript, Ruby and C# show objects, a pair (`password=`), or a flag (`--token `). */
export const NAMED = new RegExp(
  String.raw`${FIELD.source}|(?<![\w.?&#%-])(?:(?:(?<=[{,]\s{0,9}:?)|['"])([\w.-]{1,100})(?:['"]?\s*(?::|=>)\s*(?=['"])| = )|([\w.-]+)(?:=>?|\s*=\s*(?=['"]))|(--?[\w-]+)[ \t]+(?!-))`,
  'g'
)
/** A header in a command, in quotes or without. */
export const HEADER =
  /((?:^|[\s'"])(?:-H[ \t]*|--header[ \t=]+)(\\*['"]|)([\w-]+):[ \t]*(?:(?:[Bb]earer|Basic) +)?)((?:(?!\2)[^\n])+|[^\s'"\\]+)/g
/** A header in printed requests: after `>`, `<`, `header:` or `* [HTTP/2] [1] [`, or at the start of a line, such as `X-Api-Key`. */
export const HEADER_LINE =
  /((?:^|\n|\\n)[ \t]*([<>]|header:|\*[^\n:]{0,30}\[|(?=(?:\w+-[\w-]+|cookie|authorization):))[ \t]*([\w-]+):[ \t]*(?:(?:bearer|basic) +)?)(?![ \t$]|(?:bearer|basic)\b)((?:\\(?![rn])|[^\r\n\\])+)/gi
/** A header as one word of a command, such as `-H 'X-Api-Key: …'`, except credentials behind `Bearer` or `Basic`, which are masked alone. */
export const NAMED_HEADER = /^(?!authorization: *(?:bearer|basic) )([\w-]+):\s*(?:(?:bearer|basic) +)?(\S.*)/i
/** A value in a pair: quoted, quoted within a quoted text, in braces, or bare; not `$PASSWORD`. */
export const PAIR_VALUE =
  /(?!\$[\w{(])(?:[Bb](?:earer|asic) +(?=\w))?(?:'(?:[^'\\\n]|\\.)*'?|"(?:[^"\\\n]|\\.)*"?|\\+"[^"\n]*"?|\{[^}\n]*\}?|(?:\\.|[^\s;,&"'\\])+)/y
/** Quotes and braces around a value. */
export const QUOTES = /^[\\"'{]+|[\\"'}]+$/g

/** A text that is an address with parameters. */
export const ADDRESS = /^(?:[a-z][a-z\d+.-]*:\/)?\/\S*$/i
