import {CODING, CONNECTION, DROP, LENGTH, MARKED, RENAME} from '../../net/http1/header-lines.ts'
import {nameReader, withoutHeaders, wordsOf, type HeaderKinds} from '../../net/http1/header-lines.ts'
import {RESPONSE_KINDS, type HeaderRules} from '../../net/http1/response-head.ts'

/** Bits of an answer's fields that decide what is added to it. */
export const HAS_TRACEPARENT = MARKED
export const HAS_CONTENT_TYPE = MARKED * 2

const HOST = 16
const APP_ID = 17
const AUTHORIZATION = 18
const API_TOKEN = 19
const TRACEPARENT = 20
const TRACESTATE = 21
const BAGGAGE = 22
const ORIGIN = 23
const FETCH_SITE = 24
const INTRODUCED = 25

/**
 * gRPC's names mean something else over HTTP: `grpc-*` becomes `dapr-grpc-*` and binary metadata vanishes, both ways,
 * also for callers and apps of HTTP (Dapr: pkg/messaging/v1/util.go).
 */
const grpcKind: HeaderKinds = (text, from, to) => {
  const last = text.charCodeAt(to - 1) | 32
  if (last === 110 && text.slice(to - 4, to).toLowerCase() === '-bin') return DROP
  const first = text.charCodeAt(from) | 32
  return first === 103 && text.slice(from, from + 5).toLowerCase() === 'grpc-' ? RENAME : 0
}

/** What is put before a name of gRPC. */
export const RENAMED = 'Dapr-'

/** These kinds, and gRPC's names. */
export const withGrpc =
  (kinds: HeaderKinds): HeaderKinds =>
  (text, from, to) =>
    kinds(text, from, to) || grpcKind(text, from, to)

/** What becomes of an app's answer. */
export const answerRules: HeaderRules = {
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
    'pillion-caller': INTRODUCED,
    'dapr-api-token': API_TOKEN,
    authorization: AUTHORIZATION,
    traceparent: TRACEPARENT,
    tracestate: TRACESTATE,
    baggage: BAGGAGE,
    origin: ORIGIN,
    'sec-fetch-site': FETCH_SITE
  })
)

/** A request's fields, read: the ones that mean something to a sidecar, and the lines that travel on. '' = not there. */
export interface RequestFields {
  /** Latin1, each with its end. Without what the sidecar sets itself. */
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
  /** For whom another run's sidecar speaks (`guest.ts`). */
  delegation: string
  /** Bytes of the body, -1 = in chunks, 0 = none. */
  length: number
  /** The line that says so to the callee, in the caller's own framing. */
  framing: string
}

const NONE: readonly string[] = []

/** The first value counts, as in Go's Header.Get. */
const note = (fields: RequestFields, kind: number, value: string): boolean => {
  switch (kind) {
    case HOST:
      fields.host ||= value
      return false
    case APP_ID:
      fields.appId ||= value
      return false
    case API_TOKEN:
      fields.apiToken ||= value
      return false
    case TRACEPARENT:
      fields.traceparent ||= value
      return false
    case TRACESTATE:
      fields.tracestate ||= value
      return false
    case BAGGAGE:
      // The first one travels, and all are echoed.
      fields.baggage = [...fields.baggage, value]
      return fields.baggage.length === 1
    case LENGTH:
      fields.framing = `Content-Length: ${value}\r\n`
      fields.length = Number(value)
      return false
    case CODING:
      fields.framing = 'Transfer-Encoding: chunked\r\n'
      fields.length = -1
      return false
    case AUTHORIZATION:
      fields.authorization ||= value
      return true
    case ORIGIN:
      fields.origin ||= value
      return true
    case INTRODUCED:
      fields.delegation ||= value
      return false
    case FETCH_SITE:
      fields.fetchSite ||= value
      return true
    default:
      return false
  }
}

/** Reads node's flat list of names and values. */
export const readFields = (raw: readonly string[]): RequestFields => {
  const fields: RequestFields = {
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
    // Go's client leaves it out.
    if (value === '' && name.toLowerCase() === 'user-agent') continue
    if (kind === RENAME) fields.lines += `${RENAMED}${name}: ${value}\r\n`
    else if (kind === CONNECTION) named = [...named, ...wordsOf(value)]
    else if (kind === 0 || note(fields, kind, value)) fields.lines += `${name}: ${value}\r\n`
  }
  if (named.length > 0) fields.lines = withoutHeaders(fields.lines, named)
  return fields
}
