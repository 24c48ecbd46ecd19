import type {IncomingMessage, ServerResponse} from 'node:http'
import {messageOf} from '../../model/errors.ts'
import {UncollectedBody} from '../../platform/collector.ts'
import {collectRequest} from '../../proxy/net/http1/collect-request.ts'
import {reply, type Reply} from '../../proxy/net/reply.ts'
import {Management, type ManagementBackend} from './management.ts'
import {notificationLine, readNotification, type Notification, type Notifications} from './notifications.ts'
import {failure, fastApiJson, NO_SUCH_PATH, notAllowed} from './replies.ts'
import {ownOf} from '../../model/own.ts'

/** A request for the manager itself. */
export interface ManagerRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly path: string
  /** Query with its `?`; '': none. */
  readonly query: string
}

/** Handles requests that are not calls to services. */
export type ManagerRoute = (context: ManagerRequest) => void

export interface ManagerRoutesOptions {
  readonly backend: ManagementBackend
  readonly notifications: Notifications
  readonly onNotification: (line: string, notification: Notification) => void
  readonly version: string
  /** Returns whether a request may start, change or remove services: only at the manager's own port. */
  readonly mayManage: (request: IncomingMessage) => boolean
}

/** A response, or a promise of one; undefined: it was sent already. */
export type ManagerResult = Reply | undefined | Promise<Reply | undefined>
type Handler = (context: ManagerRequest) => ManagerResult

/** Maximum size of a JSON body. */
const MAX_BODY_BYTES = 4 * 1024 * 1024

/** Creates the manager's routes, for its own port or for the sidecar of an app. */
export function createRoutes({
  backend,
  notifications,
  onNotification,
  version,
  mayManage
}: ManagerRoutesOptions): ManagerRoute {
  const management = new Management(backend)
  const guarded =
    (handler: Handler): Handler =>
    context =>
      mayManage(context.request) ? handler(context) : NO_SUCH_PATH
  const notLocal = guarded(() => failure(501, 'Not available locally: add the app to dapr.yaml'))
  const table: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
    '/services': {GET: () => management.list(), DELETE: guarded(withBody(body => management.remove(body)))},
    '/services/~inspection': {GET: ({query}) => management.inspect(query)},
    '/services/~logs': {GET: ({query, response}) => management.logs(query, response)},
    '/services/~assign': {PUT: guarded(withBody(body => management.assign(body)))},
    '/services/~tar': {POST: guarded(({request}) => management.deploy(request))},
    '/services/~git': {POST: notLocal},
    '/services/~image': {POST: notLocal},
    '/services/~pickle': {POST: notLocal},
    '/services/~upload-image': {POST: notLocal},
    '/notifications': {
      GET: () => fastApiJson(notifications.list()),
      POST: withBody(body => {
        const notification = readNotification(body)
        if ('status' in notification) return notification
        notifications.add(notification, Date.now())
        onNotification(notificationLine(notification), notification)
        return fastApiJson('Notification added')
      }),
      DELETE: () => {
        notifications.clear()
        return fastApiJson(null)
      }
    },
    '/auth/verify': {GET: () => fastApiJson('OK')},
    // clients request a token, which is not required here
    '/auth/token': {POST: guarded(() => fastApiJson({Token: 'local', Id: 'local'}))},
    '/~version': {GET: () => fastApiJson(version)},
    '/': {GET: () => ({status: 307, type: '', body: '', lines: 'Location: /dashboard\r\n'})}
  }
  return context => {
    const {request, response, path} = context
    const methods = ownOf(table, path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path)
    const handler = methods?.[request.method === 'HEAD' ? 'GET' : (request.method ?? '')]
    if (methods === undefined) return reply(request, response, NO_SUCH_PATH)
    if (handler === undefined) return reply(request, response, notAllowed(Object.keys(methods).join(', ')))
    void respond(context, handler)
  }
}

async function respond(context: ManagerRequest, handler: Handler): Promise<void> {
  const {request, response} = context
  try {
    const result = await handler(context)
    if (result !== undefined) reply(request, response, result)
  } catch (error) {
    reply(request, response, failure(500, messageOf(error)))
  }
}

const withBody =
  (use: (body: unknown) => ManagerResult): Handler =>
  async ({request}) => {
    const read = await readJson(request)
    return 'refusal' in read ? read.refusal : use(read.body)
  }

/** Reads the JSON body of a request. Returns the error response if it is invalid. */
async function readJson(request: IncomingMessage): Promise<{readonly body: unknown} | {readonly refusal: Reply}> {
  let text = ''
  try {
    text = (await collectRequest(request, MAX_BODY_BYTES)).take().toString()
    return {body: JSON.parse(text)}
  } catch (error) {
    if (error instanceof UncollectedBody)
      return {refusal: error.isTooLarge ? failure(413, 'Request body too large') : failure(503, error.message)}
    if (!(error instanceof SyntaxError)) throw error
    const ctx = {error: messageOf(error)}
    const fault =
      text === ''
        ? {type: 'missing', loc: ['body'], msg: 'Field required', input: null}
        : {type: 'json_invalid', loc: ['body', 0], msg: 'JSON decode error', input: {}, ctx}
    return {refusal: failure(422, [fault])}
  }
}
