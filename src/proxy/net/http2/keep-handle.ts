import type {Http2Session} from 'node:http2'

/**
 * Keeps the parts of a session until its streams are freed, one tick after their end. If both end in one tick, node
 * frees the session first, and aborts if a stream still holds refused headers (Node 26:
 * `current_nghttp2_memory_ == 0`).
 */
export const keepHandle = (session: Http2Session): void => {
  const parts = Object.getOwnPropertySymbols(session).map(name => Reflect.get(session, name) as unknown)
  session.once('close', () => setImmediate(() => parts.splice(0)))
}
