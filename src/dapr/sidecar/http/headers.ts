import {OUTSIDE} from '../../../model/call.ts'
import {CODING, CONNECTION, DROP, LENGTH, MARKED, RENAME} from '../../../proxy/net/http1/header-kinds.ts'
import {withoutHeaders, wordsOf} from '../../../proxy/net/http1/header-lines.ts'
import {nameReader, type HeaderKinds} from '../../../proxy/net/http1/header-kinds.ts'
import {RESPONSE_KINDS, type HeaderRules} from '../../../proxy/net/http1/response-head.ts'

/** Flags of headers that a response has. A response without them gets such a header of the sidecar. */
export const HAS_TRACEPARENT = MARKED
export const HAS_CONTENT_TYPE = MARKED * 2

/* Kinds of request headers that the sidecar reads, besides those of the HTTP parser. */
const HOST = 16
const APP_ID = 17
const AUTHORIZATION = 18
const API_TOKEN = 19
const TRACEPARENT = 20
const TRACESTATE = 21
const BAGGAGE = 22
const ORIGIN = 23
const FETCH_SITE = 24
const DELEGATION = 25
const COMMAND = 26

/**
 * Returns how a header with a name of gRPC is handled, in both directions, even between HTTP callers and apps: `grpc-*` becomes
 * `dapr-grpc-*`, and `*-bin` is dropped (Dapr: pkg/messaging/v1/util.go); 0: another name.
 */
const grpcKind: HeaderKinds = (text, from, to) => {
  const last = text.charCodeAt(to - 1) | 32
  if (last === 110 && text.slice(to - 4, to).toLowerCase() === '-bin') return DROP
  const first = text.charCodeAt(from) | 32
  return first === 103 && text.slice(from, from + 5).toLowerCase() === 'grpc-' ? RENAME : 0
}

/** Prefix of renamed headers. */
export const RENAMED = 'Dapr-'

/** Adds the rules for gRPC names to other rules. */
export const withGrpc =
  (kinds: HeaderKinds): HeaderKinds =>
  (text, from, to) =>
    kinds(text, from, to) || grpcKind(text, from, to)

/** How the headers of an app's response are handled. */
export const responseRules: HeaderRules = {
  kinds: withGrpc(nameReader({...RESPONSE_KINDS, traceparent: HAS_TRACEPARENT, 'content-type': HAS_CONTENT_TYPE})),
  prefix: RENAMED
}

const requestKinds = withGrpc(
  nameReader({
    ...RESPONSE_KINDS,
    host: HOST,
    'dapr-app-id': APP_ID,
    'dapr-caller-app-id': DROP,
    'dapr-caller-namespace': DROP,
    'dapr-callee-app-id': DROP,
    'destination-app-id': DROP,
    'pillion-caller': DELEGATION,
    'pillion-invoke': COMMAND,
    'dapr-api-token': API_TOKEN,
    authorization: AUTHORIZATION,
    traceparent: TRACEPARENT,
    tracestate: TRACESTATE,
    baggage: BAGGAGE,
    origin: ORIGIN,
    'sec-fetch-site': FETCH_SITE
  })
)

/** A request's headers: values that the sidecar reads ('': absent), and lines that it passes on. */
export interface RequestHeaders {
  /** Lines to pass on, in latin1, each with its CRLF. Without headers that the sidecar sets itself. */
  lines: string
  host: string
  appId: string
  authorization: string
  apiToken: string
  traceparent: string
  tracestate: string
  baggage: readonly string[]
  origin: string
  fetchSite: string
  /** The header `pillion-caller`: the app for which another run's sidecar calls. */
  delegation: string
  /** The caller in the record, in place of the sidecar's app, for `pillion invoke`. */
  from?: string
  /** Bytes of the body; -1: chunked; 0: none. */
  length: number
  /** The header line about the body's length for the callee, in the caller's framing. */
  framing: string
}

const NONE: readonly string[] = []

type Text =
  | 'host'
  | 'appId'
  | 'apiToken'
  | 'traceparent'
  | 'tracestate'
  | 'delegation'
  | 'authorization'
  | 'origin'
  | 'fetchSite'

/** Headers of which the first value counts, as in Go's Header.Get. `isPassedOn`: the callee gets them, too. */
const TEXTS = new Map<number, readonly [name: Text, isPassedOn: boolean]>([
  [HOST, ['host', false]],
  [APP_ID, ['appId', false]],
  [API_TOKEN, ['apiToken', false]],
  [TRACEPARENT, ['traceparent', false]],
  [TRACESTATE, ['tracestate', false]],
  [DELEGATION, ['delegation', false]],
  [AUTHORIZATION, ['authorization', true]],
  [ORIGIN, ['origin', true]],
  [FETCH_SITE, ['fetchSite', true]]
])

/** Stores a header that the sidecar reads. Returns whether the callee gets it, too. */
const note = (headers: RequestHeaders, kind: number, value: string): boolean => {
  const [name, isPassedOn = false] = TEXTS.get(kind) ?? []
  if (name !== undefined) headers[name] ||= value
  else if (kind === LENGTH) {
    headers.framing = `Content-Length: ${value}\r\n`
    headers.length = Number(value)
  } else if (kind === CODING) {
    headers.framing = 'Transfer-Encoding: chunked\r\n'
    headers.length = -1
  } else if (kind === COMMAND) headers.from = OUTSIDE
  else if (kind === BAGGAGE) {
    // only the first baggage header is passed on, but all are echoed
    headers.baggage = [...headers.baggage, value]
    return headers.baggage.length === 1
  }
  return isPassedOn
}

export const readHeaders = (raw: readonly string[]): RequestHeaders => {
  const headers: RequestHeaders = {
    lines: '',
    host: '',
    appId: '',
    authorization: '',
    apiToken: '',
    traceparent: '',
    tracestate: '',
    baggage: NONE,
    origin: '',
    fetchSite: '',
    delegation: '',
    length: 0,
    framing: ''
  }
  let named = NONE
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const value = raw[at + 1] ?? ''
    const kind = requestKinds(name, 0, name.length)
    // Go's client omits an empty User-Agent
    if (value === '' && name.toLowerCase() === 'user-agent') continue
    if (kind === RENAME) headers.lines += `${RENAMED}${name}: ${value}\r\n`
    else if (kind === CONNECTION) named = [...named, ...wordsOf(value)]
    else if (kind === 0 || note(headers, kind, value)) headers.lines += `${name}: ${value}\r\n`
  }
  if (named.length > 0) headers.lines = withoutHeaders(headers.lines, named)
  return headers
}
