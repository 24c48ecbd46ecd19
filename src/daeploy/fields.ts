import type {IncomingMessage} from 'node:http'
import {RESPONSE_KINDS, type HeaderRules} from '../net/http1/response-head.ts'
import {
  CODING,
  CONNECTION,
  DROP,
  LENGTH,
  MARKED,
  nameReader,
  withoutHeaders,
  wordsOf
} from '../net/http1/header-lines.ts'
import {NOTED, PLAIN_KINDS, TAKEN, type PlainRules} from '../net/http1/plain-request.ts'

/** The fields of a plain request. Texts are '' where a field is not there. */
export interface PlainFields {
  /** Latin1, each with its end; without what the sidecar sets itself. */
  readonly lines: string
  readonly host: string
  readonly authorization: string
  readonly apiToken: string
  /** Bytes of the body. */
  readonly length: number
  readonly hasLength: boolean
}

/** What a call to a service needs of its request's fields. */
export interface CallFields extends Omit<PlainFields, 'hasLength' | 'apiToken' | 'authorization'> {
  readonly hasLength: boolean
  /** Address of the caller. */
  readonly peer: string
}

export interface RequestFields extends PlainFields {
  readonly origin: string
  readonly fetchSite: string
  readonly peer: string
}

/** An answer's `Location` is there. */
export const HAS_LOCATION = MARKED

/** What becomes of a service's answer. */
export const answerRules: HeaderRules = {kinds: nameReader({...RESPONSE_KINDS, location: HAS_LOCATION}), prefix: ''}

const HOST = 16
const AUTHORIZATION = 17
const API_TOKEN = 18
const ORIGIN = 19
const FETCH_SITE = 20

/** The client's own word of where it is from; Traefik takes it off, but for the prefix, and says it itself. */
const WHERE_FROM = {
  'x-forwarded-for': DROP,
  'x-forwarded-host': DROP,
  'x-forwarded-port': DROP,
  'x-forwarded-proto': DROP,
  'x-forwarded-server': DROP,
  'x-real-ip': DROP
}

const WHERE_FROM_LINE = /(?:^|\n)x-(?:forwarded-(?!prefix)|real-ip)/i

/** Whether lines hold such a field: then `readFields` is to read them. */
export const saysWhereFrom = (lines: string): boolean => WHERE_FROM_LINE.test(lines)

/** How the fast path of the manager's port reads a request: host, authorization and token are told in this order. */
export const plainRules: PlainRules = {
  kinds: nameReader({
    ...PLAIN_KINDS,
    'pillion-caller': DROP,
    host: TAKEN,
    authorization: NOTED + 1,
    'dapr-api-token': TAKEN + 2
  }),
  prefix: '',
  valueCount: 3
}

const requestKinds = nameReader({
  ...RESPONSE_KINDS,
  ...WHERE_FROM,
  // what one run of ours tells another
  'pillion-caller': DROP,
  host: HOST,
  authorization: AUTHORIZATION,
  'dapr-api-token': API_TOKEN,
  origin: ORIGIN,
  'sec-fetch-site': FETCH_SITE
})

/** Reads a request of node:http; of a field that comes twice the first value counts. `length` -1: the body comes in chunks. */
export function readFields({rawHeaders, socket}: IncomingMessage): RequestFields {
  const told = new Map<number, string>()
  let lines = ''
  let named: readonly string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    const value = rawHeaders[at + 1] ?? ''
    // Go's client leaves it out.
    if (value === '' && name.toLowerCase() === 'user-agent') continue
    const kind = requestKinds(name, 0, name.length)
    if (kind === CONNECTION) named = [...named, ...wordsOf(value)]
    else if (kind !== 0 && !told.has(kind)) told.set(kind, value)
    if (kind === 0 || kind === AUTHORIZATION || kind === ORIGIN || kind === FETCH_SITE) lines += `${name}: ${value}\r\n`
  }
  const length = told.get(LENGTH)
  return {
    lines: named.length > 0 ? withoutHeaders(lines, named) : lines,
    host: told.get(HOST) ?? '',
    authorization: told.get(AUTHORIZATION) ?? '',
    apiToken: told.get(API_TOKEN) ?? '',
    origin: told.get(ORIGIN) ?? '',
    fetchSite: told.get(FETCH_SITE) ?? '',
    length: told.has(CODING) ? -1 : Number(length ?? 0),
    hasLength: length !== undefined,
    peer: socket.remoteAddress ?? ''
  }
}
