import type {Handlers} from '../../src/control/messages.ts'

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
  dashboard: async () => Promise.resolve({why: 'there is no page', port: 0, token: '', readOnlyToken: ''}),
  api: async (_, response) => void response.end(),
  releaseRedis: async port => port === 6379,
  ...handlers
})
