import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'

const FOLDER = join(import.meta.dirname, '../fixtures/otlp')

/** An attribute as OTLP has it in JSON. */
export interface KnownPair {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

/** A body that an SDK has sent, and what it holds. */
export interface KnownBody {
  readonly body: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly holds: {
    readonly resourceSpans?: readonly {
      readonly resource: {readonly attributes: readonly KnownPair[]}
      readonly scopeSpans: readonly {readonly scope: {readonly name: string}; readonly spans: readonly KnownSpan[]}[]
    }[]
    readonly resourceLogs?: readonly {readonly scopeLogs: readonly {readonly logRecords: readonly KnownLog[]}[]}[]
  }
}

interface KnownSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes?: readonly KnownPair[]
  readonly status?: {readonly code?: number}
}

interface KnownLog {
  readonly traceId?: string
  readonly spanId?: string
  readonly severityNumber?: number
  readonly body?: {readonly stringValue?: string}
}

/** What the SDKs of four languages send, recorded. */
export const knownBodies = (): readonly KnownBody[] =>
  readdirSync(FOLDER)
    .filter(name => name.endsWith('.json'))
    .map(name => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as KnownBody)

/** The bytes as they were sent. */
export const knownBytes = ({body}: KnownBody): Buffer => readFileSync(join(FOLDER, body))
