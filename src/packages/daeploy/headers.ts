import type {IncomingMessage} from 'node:http'
import {RESPONSE_KINDS, type HeaderRules} from '../../proxy/net/http1/response-head.ts'
import {withoutHeaders, wordsOf} from '../../proxy/net/http1/header-lines.ts'
import {CODING, CONNECTION, DROP, LENGTH, MARKED, nameReader} from '../../proxy/net/http1/header-kinds.ts'
import {NOTED, OTHER, PLAIN_KINDS, TAKEN, type PlainRules} from '../../proxy/net/http1/plain-request.ts'

/** The headers of a plain request. Texts are '' for missing headers. */
export interface PlainHeaders {
  /** Latin1, each with its CRLF; without the headers that we set ourselves. */
  readonly lines: string
  readonly host: string
  readonly authorization: string
  readonly apiToken: string
  /** Bytes of the body. */
  readonly length: number
  readonly hasLength: boolean
}

/** The headers that a call to a service needs. */
export interface CallHeaders extends Omit<PlainHeaders, 'apiToken' | 'authorization'> {
  /** Address of the caller. */
  readonly peer: string
}

export interface ServiceHeaders extends PlainHeaders {
  readonly origin: string
  readonly fetchSite: string
  /** The delegation header of another run's sidecar; '': none. */
  readonly delegation: string
  readonly peer: string
}

/** The response has a `Location` header. */
export const HAS_LOCATION = MARKED

/** How the headers of a service's response are handled. */
export const serviceResponseRules: HeaderRules = {
  kinds: nameReader({...RESPONSE_KINDS, location: HAS_LOCATION}),
  prefix: ''
}

const HOST = 16
const AUTHORIZATION = 17
const API_TOKEN = 18
const ORIGIN = 19
const FETCH_SITE = 20
const DELEGATION = 21

/** The client's own forwarding headers; Traefik removes them, except the prefix, and sets its own. */
const FORWARDED = {
  'x-forwarded-for': DROP,
  'x-forwarded-host': DROP,
  'x-forwarded-port': DROP,
  'x-forwarded-proto': DROP,
  'x-forwarded-server': DROP,
  'x-real-ip': DROP
}

const FORWARDED_LINE = /(?:^|\n)x-(?:forwarded-(?!prefix)|real-ip)/i

/** Whether the lines contain such a header: then `readServiceHeaders` has to parse them. */
export const hasForwarded = (lines: string): boolean => FORWARDED_LINE.test(lines)

/** How the fast path of the manager's port handles headers: host, authorization and token are reported in this order. */
export const servicePlainRules: PlainRules = {
  kinds: nameReader({
    ...PLAIN_KINDS,
    'pillion-caller': DROP,
    origin: OTHER,
    'sec-fetch-site': OTHER,
    host: TAKEN,
    authorization: NOTED + 1,
    'dapr-api-token': TAKEN + 2
  }),
  prefix: '',
  valueCount: 3
}

const requestKinds = nameReader({
  ...RESPONSE_KINDS,
  ...FORWARDED,
  'pillion-caller': DELEGATION,
  host: HOST,
  authorization: AUTHORIZATION,
  'dapr-api-token': API_TOKEN,
  origin: ORIGIN,
  'sec-fetch-site': FETCH_SITE
})

/** Parses the headers of a node:http request. The first of repeated headers counts. `length` -1: chunked. */
export function readServiceHeaders({rawHeaders, socket}: IncomingMessage): ServiceHeaders {
  const values = new Map<number, string>()
  let lines = ''
  let named: readonly string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    const value = rawHeaders[at + 1] ?? ''
    // Go's client omits it.
    if (value === '' && name.toLowerCase() === 'user-agent') continue
    const kind = requestKinds(name, 0, name.length)
    if (kind === CONNECTION) named = [...named, ...wordsOf(value)]
    else if (kind !== 0 && !values.has(kind)) values.set(kind, value)
    if (kind === 0 || kind === AUTHORIZATION || kind === ORIGIN || kind === FETCH_SITE) lines += `${name}: ${value}\r\n`
  }
  const length = values.get(LENGTH)
  return {
    lines: named.length > 0 ? withoutHeaders(lines, named) : lines,
    host: values.get(HOST) ?? '',
    authorization: values.get(AUTHORIZATION) ?? '',
    apiToken: values.get(API_TOKEN) ?? '',
    origin: values.get(ORIGIN) ?? '',
    fetchSite: values.get(FETCH_SITE) ?? '',
    delegation: values.get(DELEGATION) ?? '',
    length: values.has(CODING) ? -1 : Number(length ?? 0),
    hasLength: length !== undefined,
    peer: socket.remoteAddress ?? ''
  }
}
