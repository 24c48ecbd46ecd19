import type {IncomingMessage, ServerResponse} from 'node:http'
import type {Readable} from 'node:stream'

/** Requests whose caller sends the body only after `100 Continue` (RFC 9110 §10.1.1), which was not sent yet, with their responses. */
const awaiting = new WeakMap<Readable, ServerResponse>()

export const awaitContinue = (request: IncomingMessage, response: ServerResponse): void =>
  void awaiting.set(request, response)

/** The caller waits for `100 Continue`. */
export const isAwaitingContinue = (request: IncomingMessage): boolean => awaiting.has(request)

/** Sends `100 Continue` to a caller that waits for it. */
export function sendContinue(request: Readable): void {
  awaiting.get(request)?.writeContinue()
  awaiting.delete(request)
}
