import {eventNames, type EventNames} from '../../../model/event-names.ts'
import {PIECE, type TapePiece} from '../../telemetry/recorder/byte-tape.ts'
import {methodPath, pieceText, traceparentIn} from '../../telemetry/recorder/call-content.ts'
import type {RecordedCall} from '../../telemetry/recorder/call-recorder.ts'

/**
 * What links a call to others, without a copy of its bodies: its method and path, the `traceparent` that came from its caller and that went to the
 * callee, and of an event its `id` and who published it (`source` of CloudEvents 1.0; '' = none).
 */
export function tracesOf({pieces}: Pick<RecordedCall, 'pieces'>): {
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
  const {event = '', publisher = ''} = eventIn(head, target, pieces)
  const wentWith = traceparentIn(pieceText(pieces, PIECE.trace)) || cameWith
  return {method, path: methodPath(target), cameWith, wentWith, publisher, event}
}

/** An event, or several in bulk, which tell of themselves in the body alone: their names are those of the last one. */
const EVENT = /^(?:content-type:[ \t]*application\/cloudevents\+json|pubsubname:)/im
const GRPC_EVENT = '/dapr.proto.runtime.v1.AppCallback/OnTopicEvent'

/** What a delivery says of its event; empty: it is none, or that part of it is not kept. */
function eventIn(head: string, target: string, pieces: readonly TapePiece[]): Partial<EventNames> {
  const isGrpc = target === GRPC_EVENT
  if (!isGrpc && !EVENT.test(head)) return {}
  const body = pieces.findLast(({kind}) => kind === PIECE.requestBody)?.bytes
  if (body === undefined) return {}
  return isGrpc ? grpcEventNames(body) : (eventNames(body) ?? otherNames(body))
}

/** TopicEventRequest begins with `id` and `source`, after the five bytes of a message's frame. */
function grpcEventNames(body: Buffer): Partial<EventNames> {
  const field = (tag: number, at: number): string | undefined => {
    const length = body[at + 1] ?? 0
    return body[at] === tag && length < 128 ? body.toString('utf8', at + 2, at + 2 + length) : undefined
  }
  const event = field(0x0a, 5)
  const publisher = event === undefined ? undefined : field(0x12, 7 + Buffer.byteLength(event))
  return {...(event !== undefined && {event}), ...(publisher !== undefined && {publisher})}
}

/** In an envelope of another writer. */
export function otherNames(envelope: Buffer): Partial<EventNames> {
  try {
    const value = JSON.parse(envelope.toString()) as {readonly id?: unknown; readonly source?: unknown} | null
    const {id, source} = value ?? {}
    return {...(typeof id === 'string' && {event: id}), ...(typeof source === 'string' && {publisher: source})}
  } catch {
    return {}
  }
}
