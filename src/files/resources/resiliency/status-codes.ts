/** A range of status codes, both ends included. */
export type CodeRange = readonly [first: number, last: number]

/** Failing answers to retry; undefined means all. A list without a code retries none. */
export interface StatusMatching {
  readonly http: readonly CodeRange[] | undefined
  readonly grpc: readonly CodeRange[] | undefined
}

export const HTTP_CODE_RANGE: CodeRange = [100, 599]
export const GRPC_CODE_RANGE: CodeRange = [0, 16]

const contains = ([first, last]: CodeRange, code: number): boolean => first <= code && code <= last

/** Whether an answer with this failing status is retried. Codes 0–16 are gRPC's, others HTTP's; outside both: never. */
export function isRetried({http, grpc}: StatusMatching, code: number): boolean {
  const listed = contains(GRPC_CODE_RANGE, code) ? grpc : contains(HTTP_CODE_RANGE, code) ? http : []
  return listed === undefined || listed.some(range => contains(range, code))
}

/** The part of a list that is wrong, and why in Dapr's words. */
interface BadPattern {
  readonly message: string
  /** Characters of the list before the bad part. */
  readonly offset: number
}

/** Parses a list such as `429,500-599` (Dapr: pkg/resiliency/retry.go, parsePatterns). Skips empty parts; refuses blanks. */
export function parseStatusCodes(list: string, valid: CodeRange): readonly CodeRange[] | BadPattern {
  const ranges: CodeRange[] = []
  let offset = 0
  for (const pattern of list.split(',')) {
    if (pattern !== '') {
      const range = parsePattern(pattern, valid)
      if (typeof range === 'string') return {message: range, offset}
      ranges.push(range)
    }
    offset += pattern.length + 1
  }
  return ranges
}

function parsePattern(pattern: string, valid: CodeRange): CodeRange | string {
  const ends = pattern.split('-')
  const [first = '', last = first] = ends
  if (ends.length > 2) return `invalid pattern ${pattern}, more than one '-' exists`
  for (const [which, text] of Object.entries({start: first, end: last})) {
    if (!/^\+?[0-9]+$/.test(text))
      return `failed to parse ${which} code ${text} from pattern ${pattern} to int, strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
    if (!contains(valid, Number(text))) return `invalid pattern ${pattern}, ${which} code ${Number(text)} is not valid`
  }
  if (Number(last) < Number(first)) return `invalid pattern ${pattern}, start value should not bigger than end value`
  return [Number(first), Number(last)]
}
