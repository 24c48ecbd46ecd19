import {isIPv6} from 'node:net'

interface Kind {
  readonly placeholder: string
  readonly pattern: RegExp
  /** Whether a match is personal data; omitted: every match is. */
  readonly isOne?: (text: string) => boolean
}

const digits = (text: string): number => text.replaceAll(/\D/g, '').length

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const STREETS =
  'street|st|avenue|ave|road|rd|highway|hwy|square|sq|trail|trl|drive|dr|court|ct|parkway|pkwy|park|circle|cir|boulevard|blvd|l(?:ane|n)|place|pl|way'

/** The kinds of data by Dapr's placeholders; of matches of equal length the first applies. */
const KINDS: readonly Kind[] = [
  {
    placeholder: 'EMAIL_ADDRESS',
    pattern: /(?<![\w.!#$%&'*+/=?^`{|}~-])[\w.!#$%&'*+/=?^`{|}~-]+@[a-z\d-]+(?:\.[a-z\d-]+)+/gi
  },
  {placeholder: 'IP', pattern: new RegExp(`(?<![\\w.])${OCTET}(?:\\.${OCTET}){3}(?![\\w]|\\.\\d)`, 'g')},
  {
    placeholder: 'IP',
    pattern: /(?<![\w:.])[\da-f]{0,4}(?::[\da-f]{0,4}){2,7}(?::?(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])/gi,
    isOne: isIPv6
  },
  {placeholder: 'MAC_ADDRESS', pattern: /(?<![\w:-])(?:[\da-f]{2}[:-]){5}[\da-f]{2}(?![\w:-])/gi},
  {placeholder: 'US_SSN', pattern: /(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])/g},
  {placeholder: 'IBAN', pattern: /(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){2,7}(?: ?[A-Z\d]{1,3})?(?!\w)/g},
  {placeholder: 'ISBN', pattern: /(?<!\w)97[89][- ]?(?:\d[- ]?){9}[\dX](?!\w)/g},
  {placeholder: 'CREDIT_CARD', pattern: /(?<!\w)\d(?:[ -]?\d){12,18}(?!\w)/g},
  {
    placeholder: 'PHONE_NUMBER',
    pattern: /(?<![\w+])(?:\+|\(\+?)?\d(?:[ ().-]{0,2}\d){5,16}(?!\w)/g,
    isOne: text => digits(text) >= 7 && digits(text) <= 15
  },
  {
    placeholder: 'STREET_ADDRESS',
    pattern: new RegExp(`(?<!\\w)\\d{1,5} (?:[\\w.'-]{1,40} ){1,4}(?:${STREETS})(?!\\w)[.,]?`, 'gi')
  },
  {placeholder: 'ZIP_CODE', pattern: /(?<![\w-])\d{5}(?:[- ]\d{4})?(?![\w-])/g},
  {placeholder: 'PO_BOX', pattern: /(?<!\w)P\.? ?O\.? ?Box \d+/gi}
]

/** Texts that stay as they are: links, and addresses of git. */
const LINK = /(?:https?|git|ssh):\/\/[^\s()<>]+|(?<!\S)git@[^\s()<>]+/gi

interface Span {
  readonly start: number
  readonly end: number
  readonly placeholder: string
}

/** Replaces personal data in a text by placeholders (kinds as in Dapr: aavaz-ai/pii-scrubber). */
export function withoutPersonalData(text: string): string {
  const links = [...text.matchAll(LINK)].map(({index, 0: link}) => ({start: index, end: index + link.length}))
  const found = KINDS.flatMap(kind => spansOf(kind, text)).toSorted((a, b) => a.start - b.start || b.end - a.end)
  let result = ''
  let at = 0
  // both lists are sorted: a long text has thousands of links and matches
  let link = 0
  for (const {start, end, placeholder} of found) {
    while ((links[link]?.end ?? Infinity) < start) link++
    if (start < at || (links[link]?.start ?? Infinity) <= end) continue
    result += `${text.slice(at, start)}<${placeholder}>`
    at = end
  }
  return result + text.slice(at)
}

const spansOf = ({pattern, isOne = () => true, placeholder}: Kind, text: string): readonly Span[] =>
  [...text.matchAll(pattern)].flatMap(({index: start, 0: match}) =>
    isOne(match) ? [{start, end: start + match.length, placeholder}] : []
  )
