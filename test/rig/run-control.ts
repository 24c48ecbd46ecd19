import type {ApiContext} from '../../src/observe/api/route.ts'
import {serveApi} from '../../src/observe/api/serve-api.ts'
import type {RunControl} from '../../src/control/run-control.ts'
import type {ServeRequest} from '../../src/control/server.ts'
import {UserError} from '../../src/model/errors.ts'

/** The control of a run that has nothing; a test replaces those that it is about. */
export const controlOf = (given: Pick<RunControl, 'list'> & Partial<RunControl>): RunControl => ({
  stop: () => undefined,
  stopApp: async () => false,
  startApp: async () => undefined,
  debugApp: async () => undefined,
  launch: async () => undefined,
  restartApp: async () => undefined,
  logs: () => undefined,
  runLogs: () => undefined,
  terminal: async () => undefined,
  leaseSidecar: () => undefined,
  services: () => [],
  assign: () => '',
  remove: async () => '',
  notifications: () => ({}),
  dashboard: async () => Promise.reject(new UserError('there is no page')),
  show: async () => ({ports: {}}),
  releaseRedis: async port => port === 6379,
  ...given
})

/** Answers requests to a run that has this control, and has seen no calls. */
export const served =
  (given: Pick<RunControl, 'list'> & Partial<RunControl>): ServeRequest =>
  async (request, response) => {
    const control = controlOf(given)
    const work = {openWorkflows: () => undefined, loaded: () => undefined}
    await serveApi(
      {control, recorder: {last: 0}, faults: {}, masked: () => [], work, actors: work} as unknown as ApiContext,
      request,
      response
    )
  }
