import type {IncomingMessage, ServerResponse} from 'node:http'
import type {Readable} from 'node:stream'
import {collect, type Collector, type Room} from '../../../platform/collector.ts'

/** Requests whose callers wait for `100 Continue` before they send the body (RFC 9110 §10.1.1), each with its response. */
const awaiting = new WeakMap<Readable, ServerResponse>()

export const awaitContinue = (request: IncomingMessage, response: ServerResponse): void =>
  void awaiting.set(request, response)

/** Whether the caller waits for `100 Continue`. */
export const isAwaitingContinue = (request: IncomingMessage): boolean => awaiting.has(request)

/** Sends `100 Continue` to a caller that waits for it. */
export function sendContinue(request: Readable): void {
  awaiting.get(request)?.writeContinue()
  awaiting.delete(request)
}

const refused = new WeakSet<Readable>()

/** Whether the rest of a request's body stays unread, so that its connection has to close after the response. */
export const isRefused = (request: Readable): boolean => refused.has(request)

/** Collects the body of a request. If it is too large, leaves the rest unread, so that the request can still be answered. */
export async function collectRequest(request: Readable, maxBytes: number, room?: Room): Promise<Collector> {
  sendContinue(request)
  try {
    return await collect(request.iterator({destroyOnReturn: false}), maxBytes, room)
  } catch (error) {
    refused.add(request)
    throw error
  }
}
