import type {ApiContext} from '../../src/api/api-context.ts'
import {serveApi} from '../../src/api/serve-api.ts'
import type {Handlers} from '../../src/control/messages.ts'
import type {ServeRequest} from '../../src/control/server.ts'
import {UserError} from '../../src/model/errors.ts'

/** Handlers of a run that has nothing; a test replaces those that it is about. */
export const handlersOf = (handlers: Pick<Handlers, 'list'> & Partial<Handlers>): Handlers => ({
  stop: () => undefined,
  stopApp: async () => false,
  startApp: async () => undefined,
  debugApp: async () => undefined,
  launch: async () => undefined,
  restartApp: async () => undefined,
  logs: () => undefined,
  runLogs: () => undefined,
  leaseSidecar: () => undefined,
  services: () => [],
  assign: () => '',
  remove: async () => '',
  notifications: () => ({}),
  dashboard: async () => Promise.reject(new UserError('there is no page')),
  releaseRedis: async port => port === 6379,
  ...handlers
})

/** Answers requests to a run that has these handlers, and has seen no calls. */
export const served =
  (handlers: Pick<Handlers, 'list'> & Partial<Handlers>): ServeRequest =>
  async (request, response) => {
    const control = handlersOf(handlers)
    await serveApi({control, recorder: {last: 0}, faults: {}} as unknown as ApiContext, request, response)
  }
