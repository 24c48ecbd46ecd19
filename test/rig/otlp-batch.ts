import {randomBytes} from 'node:crypto'
import {AnyValue, InstrumentationScope, KeyValue} from '../../src/model/otlp/messages/common.generated.ts'
import {Resource} from '../../src/model/otlp/messages/resource.generated.ts'
import {ResourceSpans, ScopeSpans, Span} from '../../src/model/otlp/messages/trace.generated.ts'
import {ExportTraceServiceRequest} from '../../src/model/otlp/messages/trace_service.generated.ts'
import {decode, encode, type Message, type Schema} from '../../src/proxy/net/grpc/message-codec.ts'
import type {Rig} from './rig.ts'

/** A message with what proto3 has for fields that are left out. */
const whole = <S extends Schema>(schema: S, fields: Partial<Message<S>>): Message<S> => ({
  ...decode(schema, new Uint8Array()),
  ...fields
})

const text = (key: string, stringValue: string) => whole(KeyValue, {key, value: whole(AnyValue, {stringValue})})

/** Spans as an SDK sends them, with eight attributes each, as protobuf. `traceId`: of all of them; left out: ten have one each. */
export function spanBatch(app: string, count: number, traceId?: Buffer): Uint8Array<ArrayBuffer> {
  let own = randomBytes(16)
  const began = BigInt(Date.now()) * 1_000_000n
  const spans = Array.from({length: count}, (_, number) => {
    if (number % 10 === 0) own = randomBytes(16)
    return whole(Span, {
      traceId: traceId ?? own,
      spanId: randomBytes(8),
      parentSpanId: randomBytes(8),
      name: `SELECT shop.items ${number}`,
      kind: 3,
      startTimeUnixNano: began,
      endTimeUnixNano: began + 1_000_000n,
      attributes: [
        text('db.system.name', 'postgresql'),
        text('db.namespace', 'shop'),
        text('db.query.text', `SELECT name, price FROM items WHERE id = ${number}`),
        text('db.operation.name', 'SELECT'),
        text('server.address', 'localhost'),
        text('server.port', '5432'),
        text('thread.name', 'http-nio-8080-exec-1'),
        text('thread.id', '31')
      ]
    })
  })
  const resource = whole(Resource, {attributes: [text('service.name', app), text('telemetry.sdk.language', 'java')]})
  const scope = whole(InstrumentationScope, {name: 'io.opentelemetry.jdbc', version: '2.33.1'})
  const scopeSpans = [whole(ScopeSpans, {scope, spans})]
  return new Uint8Array(
    encode(ExportTraceServiceRequest, {resourceSpans: [whole(ResourceSpans, {resource, scopeSpans})]})
  )
}

/** Where the SDK of an app of a run is told to send spans to. */
export async function tracesUrl(rig: Rig, app: string): Promise<string> {
  const {stdout} = await rig.run(['env', app])
  const [, endpoint = ''] = /OTEL_EXPORTER_OTLP_ENDPOINT='?([^'\n]+)/.exec(stdout) ?? []
  return `${endpoint}/v1/traces`
}

/** Sends a body of protobuf; the status. */
export async function sendTraces(
  url: string,
  body: Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {}
): Promise<number> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {'content-type': 'application/x-protobuf', ...headers},
    body
  })
  await answer.arrayBuffer()
  return answer.status
}
