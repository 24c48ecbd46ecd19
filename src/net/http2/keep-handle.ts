import type {Http2Session} from 'node:http2'

/**
 * Keeps what belongs to a session until its streams are freed, one turn after they are destroyed. Else node frees the
 * session first where both end in one turn, and aborts if a stream still holds fields that were refused (Node 26:
 * `current_nghttp2_memory_ == 0`).
 */
export const keepHandle = (session: Http2Session): void => {
  const parts = Object.getOwnPropertySymbols(session).map(name => Reflect.get(session, name) as unknown)
  session.once('close', () => setImmediate(() => parts.splice(0)))
}
