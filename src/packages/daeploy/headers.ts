import type {IncomingMessage} from 'node:http'
import {RESPONSE_KINDS, type HeaderRules} from '../../proxy/net/http1/response-head.ts'
import {withoutHeaders, wordsOf} from '../../proxy/net/http1/header-lines.ts'
import {CODING, CONNECTION, DROP, LENGTH, MARKED, nameReader} from '../../proxy/net/http1/header-kinds.ts'
import {NOTED, OTHER, PLAIN_KINDS, TAKEN, type PlainRules} from '../../proxy/net/http1/plain-request.ts'

/** The headers of a plain request; '': missing. */
export interface PlainHeaders {
  /** Header lines for the service, in latin1, each with its CRLF, without headers that Pillion sets itself. */
  readonly lines: string
  readonly host: string
  readonly authorization: string
  readonly apiToken: string
  /** Length of the body; -1: chunked. */
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
  /** Value of `Pillion-Caller`, by which a sidecar of another run names the caller; '': none. */
  readonly delegation: string
  readonly peer: string
}

/** Flag of a response with a `Location` header. */
export const HAS_LOCATION = MARKED

/** Treatments of the headers of a service's response. */
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

/** Forwarding headers of the client. As Traefik does, Pillion replaces them by its own, except the prefix. */
const FORWARDED = {
  'x-forwarded-for': DROP,
  'x-forwarded-host': DROP,
  'x-forwarded-port': DROP,
  'x-forwarded-proto': DROP,
  'x-forwarded-server': DROP,
  'x-real-ip': DROP
}

const FORWARDED_LINE = /(?:^|\n)x-(?:forwarded-(?!prefix)|real-ip)/i

/** Whether header lines contain a forwarding header of the client, which `readServiceHeaders` has to remove. */
export const hasForwarded = (lines: string): boolean => FORWARDED_LINE.test(lines)

/** Treatments of request headers by the fast path of the manager's port. Reports host, authorization and token, in this order. */
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

/** Reads the headers of a node:http request. The first of repeated headers counts. */
export function readServiceHeaders({rawHeaders, socket}: IncomingMessage): ServiceHeaders {
  const values = new Map<number, string>()
  let lines = ''
  let named: readonly string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    const value = rawHeaders[at + 1] ?? ''
    // drops an empty User-Agent, as Go's client does
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
