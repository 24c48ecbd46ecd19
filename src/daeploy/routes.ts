import type {IncomingMessage, ServerResponse} from 'node:http'
import {messageOf} from '../model/errors.ts'
import {reply, type Reply} from '../net/reply.ts'
import {Management, type Managed} from './management.ts'
import {lineOf, readNotification, type Notification, type Notifications} from './notifications.ts'
import {failure, json, NOT_FOUND, notAllowed} from './replies.ts'

/** A request that is for the manager itself. */
export interface ControlContext {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly path: string
  /** With its `?`. */
  readonly query: string
}

/** Answers what is no call to a service. */
export type Route = (asked: ControlContext) => void

export interface RoutesOptions {
  readonly managed: Managed
  readonly notifications: Notifications
  readonly notified: (line: string, notification: Notification) => void
  readonly version: string
  /** Whether those who manage may do so here: at the manager's own port. */
  readonly isManaging: (request: IncomingMessage) => boolean
}

/** The answer, later; undefined: it was given already. */
export type Answer = Reply | undefined | Promise<Reply | undefined>
type Handler = (asked: ControlContext) => Answer

/** A JSON body of those who manage, or of a notification. */
const MAX_BODY = 4 * 1024 * 1024

/** The routes of the manager, for a sidecar of its own (`hasPages`) or for the sidecar of an app. */
export function createRoutes({managed, notifications, notified, version, isManaging}: RoutesOptions): Route {
  const management = new Management(managed)
  const guarded =
    (handler: Handler): Handler =>
    asked =>
      isManaging(asked.request) ? handler(asked) : NOT_FOUND
  const elsewhere = guarded(() => failure(501, 'Not available locally: add the app to dapr.yaml'))
  const table: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
    '/services': {GET: () => management.list(), DELETE: guarded(withBody(body => management.remove(body)))},
    '/services/~inspection': {GET: ({query}) => management.inspect(query)},
    '/services/~logs': {GET: ({query, response}) => management.logs(query, response)},
    '/services/~assign': {PUT: guarded(withBody(body => management.assign(body)))},
    '/services/~tar': {POST: guarded(({request}) => management.deploy(request))},
    '/services/~git': {POST: elsewhere},
    '/services/~image': {POST: elsewhere},
    '/services/~pickle': {POST: elsewhere},
    '/services/~upload-image': {POST: elsewhere},
    '/notifications': {
      GET: () => json(notifications.list()),
      POST: withBody(body => {
        const notification = readNotification(body)
        if ('status' in notification) return notification
        notifications.add(notification, Date.now())
        notified(lineOf(notification), notification)
        return json('Notification added')
      }),
      DELETE: () => {
        notifications.clear()
        return json(null)
      }
    },
    '/auth/verify': {GET: () => json('OK')},
    // nothing is locked: a token is what clients ask for, and opens nothing more
    '/auth/token': {POST: guarded(() => json({Token: 'local', Id: 'local'}))},
    '/~version': {GET: () => json(version)},
    '/': {GET: () => ({status: 307, type: '', body: '', lines: 'Location: /dashboard\r\n'})}
  }
  return asked => {
    const {request, response, path} = asked
    const methods = table[path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path]
    const handler = methods?.[request.method === 'HEAD' ? 'GET' : (request.method ?? '')]
    if (methods === undefined) return reply(request, response, NOT_FOUND)
    if (handler === undefined) return reply(request, response, notAllowed(Object.keys(methods).join(', ')))
    void respond(asked, handler)
  }
}

async function respond(asked: ControlContext, handler: Handler): Promise<void> {
  const {request, response} = asked
  try {
    const answer = await handler(asked)
    if (answer !== undefined) reply(request, response, answer)
  } catch (error) {
    if (error instanceof Unusable) reply(request, response, error.answer)
    else reply(request, response, failure(500, messageOf(error)))
  }
}

/** The body cannot be read as what it should be. */
class Unusable extends Error {
  readonly answer: Reply

  constructor(answer: Reply) {
    super(answer.body)
    this.answer = answer
  }
}

const withBody =
  (use: (body: unknown) => Answer): Handler =>
  async ({request}) =>
    use(await readJson(request))

async function readJson(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > MAX_BODY) throw new Unusable(failure(413, 'Request body too large'))
    pieces.push(piece)
  }
  const text = Buffer.concat(pieces).toString()
  try {
    return JSON.parse(text)
  } catch (error) {
    if (text === '')
      throw new Unusable(failure(422, [{type: 'missing', loc: ['body'], msg: 'Field required', input: null}]))
    const fault = {
      type: 'json_invalid',
      loc: ['body', 0],
      msg: 'JSON decode error',
      input: {},
      ctx: {error: messageOf(error)}
    }
    throw new Unusable(failure(422, [fault]))
  }
}
