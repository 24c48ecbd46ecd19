import type {IncomingMessage, ServerResponse} from 'node:http'

/** Requests whose caller sends the body only after `100 Continue` (RFC 9110 §10.1.1), and has not had it. */
const awaiting = new WeakSet<IncomingMessage>()

export const awaitContinue = (request: IncomingMessage): void => {
  awaiting.add(request)
}

/** The caller holds the body back. */
export const isAwaitingContinue = (request: IncomingMessage): boolean => awaiting.has(request)

/** Tells the caller to send the body. */
export const askForBody = (request: IncomingMessage, response: ServerResponse): void => {
  awaiting.delete(request)
  response.writeContinue()
}
