import {BinaryReader, WireType} from '@bufbuild/protobuf/wire'
import {jsonIn} from '../../../model/is-json.ts'
import {PIECE, type TapePiece} from '../../telemetry/recorder/byte-tape.ts'
import {methodPath, pieceText, traceparentIn} from '../../telemetry/recorder/call-content.ts'
import {FLAG} from '../../telemetry/recorder/call-lines.ts'
import type {RecordedCall} from '../../telemetry/recorder/call-recorder.ts'
import {orElse} from '../../../model/or-else.ts'

/**
 * Returns the data that link a call to others, without copying its bodies: method, path, and the `traceparent` of both ends. For a
 * delivered event also its `id` and publisher (`source` of CloudEvents 1.0; '': none).
 */
export function tracesOf({pieces, edgeOf, flags}: Pick<RecordedCall, 'pieces' | 'edgeOf' | 'flags'>): {
  readonly method: string
  readonly path: string
  readonly cameWith: string
  readonly wentWith: string
  readonly publisher: string
  readonly event: string
} {
  const head = pieceText(pieces, PIECE.requestHead)
  const [, method = '', target = ''] = /^(\S+) (\S+)/.exec(head) ?? []
  const cameWith = traceparentIn(head)
  const wentWith = traceparentIn(pieceText(pieces, PIECE.trace)) || cameWith
  const named = (flags & FLAG.own) === 0 ? {} : eventIn(head, target, pieces)
  return {method, path: methodPath(target, edgeOf.callee), cameWith, wentWith, publisher: '', event: '', ...named}
}

/** Headers of a delivered event, or of a bulk of events, whose id and source are only in the body. The last event of a bulk counts. */
const EVENT = /^(?:content-type:[ \t]*application\/cloudevents\+json|pubsubname:)/im
const GRPC_EVENT = /^\/dapr\.proto\.runtime\.v1\.AppCallback(?:Alpha)?\/On(Bulk)?TopicEvent(?:Alpha1)?$/
/** The bytes before a message of gRPC: whether it is compressed, and its length. */
const GRPC_FRAME_BYTES = 5

/** Returns id and source of a delivered event; {} for another call, or for a body that is not kept. */
function eventIn(head: string, target: string, pieces: readonly TapePiece[]): Partial<EventNames> {
  const [isGrpc, isBulk] = GRPC_EVENT.exec(target) ?? []
  if (isGrpc === undefined && !EVENT.test(head)) return {}
  const body = pieces.findLast(({kind}) => kind === PIECE.requestBody)?.bytes
  if (body === undefined) return {}
  if (isGrpc === undefined) return eventNames(body) ?? otherNames(body)
  const message = body.subarray(GRPC_FRAME_BYTES)
  return grpcEventNames(isBulk === undefined ? message : lastOfBatch(message))
}

/** Returns the event of the last entry of a TopicEventBulkRequest, by the numbers of Dapr's appcallback.proto. */
function lastOfBatch(batch: Buffer): Uint8Array {
  const [ENTRIES, CLOUD_EVENT] = [2, 3]
  const entry = fieldsOf(batch).findLast(({number}) => number === ENTRIES)
  return fieldsOf(entry?.bytes ?? NONE).find(({number}) => number === CLOUD_EVENT)?.bytes ?? NONE
}

/** `id` and `source` of a TopicEventRequest, or of an event of a batch. */
function grpcEventNames(message: Uint8Array): Partial<EventNames> {
  const [event, publisher] = [1, 2].map(wanted => fieldsOf(message).find(({number}) => number === wanted)?.bytes)
  return {...(event && {event: textOf(event)}), ...(publisher && {publisher: textOf(publisher)})}
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

const NONE = Buffer.alloc(0)

/** Returns the length-delimited fields of a protobuf message, up to the end of the recorded bytes. Other fields are skipped. */
function fieldsOf(message: Uint8Array): readonly {readonly number: number; readonly bytes: Uint8Array}[] {
  const fields: {readonly number: number; readonly bytes: Uint8Array}[] = []
  const reader = new BinaryReader(message)
  try {
    while (reader.pos < reader.len) {
      const [number, type] = reader.tag()
      if (type === WireType.LengthDelimited) fields.push({number, bytes: reader.bytes()})
      else reader.skip(type, number)
    }
  } catch {
    // the recorder keeps the beginning of a long body
  }
  return fields
}

/** Returns id and source of a CloudEvents envelope that another program than the sidecar wrote. */
export function otherNames(envelope: Buffer): Partial<EventNames> {
  const {id, source} = (jsonIn(envelope.toString()) ?? {}) as {readonly id?: unknown; readonly source?: unknown}
  return {...(typeof id === 'string' && {event: id}), ...(typeof source === 'string' && {publisher: source})}
}

interface EventNames {
  /** `id` of CloudEvents 1.0. */
  readonly event: string
  /** `source`: its publisher. */
  readonly publisher: string
}

/** Number of bytes that are read at the end of an envelope: the data of the event precede `id` and `source`. */
const END_BYTES = 4096
/** Last keys of an envelope that a sidecar wrote; their order is fixed. */
const NAMES = /^,"id":("(?:[^"\\]|\\.)*"),"pubsubname":"(?:[^"\\]|\\.)*","source":("(?:[^"\\]|\\.)*"),"specversion":/
const BEHIND = '","specversion":'

/** Reads id and source of a JSON envelope that a sidecar wrote. Undefined for other envelopes, and without the end of the envelope. */
export function eventNames(envelope: Buffer): EventNames | undefined {
  const text = envelope.toString('utf8', Math.max(0, envelope.length - END_BYTES))
  const end = text.lastIndexOf(BEHIND)
  // an `id` within the data comes earlier in the text
  const start = end < 0 ? -1 : text.lastIndexOf(',"id":"', end)
  if (start < 0) return undefined
  const [, id, source] = NAMES.exec(text.slice(start, end + BEHIND.length)) ?? []
  if (id === undefined || source === undefined) return undefined
  // an id that an app chose may be invalid JSON
  return orElse(() => ({event: valueOf(id), publisher: valueOf(source)}), undefined)
}

const valueOf = (text: string): string => (text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1))
