import type {IncomingMessage, ServerResponse} from 'node:http'

/** Requests whose caller sends the body only after `100 Continue` (RFC 9110 §10.1.1), which was not sent yet. */
const awaiting = new WeakSet<IncomingMessage>()

export const awaitContinue = (request: IncomingMessage): void => void awaiting.add(request)

/** The caller waits for `100 Continue`. */
export const isAwaitingContinue = (request: IncomingMessage): boolean => awaiting.has(request)

/** Sends `100 Continue`. */
export const sendContinue = (request: IncomingMessage, response: ServerResponse): void => {
  awaiting.delete(request)
  response.writeContinue()
}
