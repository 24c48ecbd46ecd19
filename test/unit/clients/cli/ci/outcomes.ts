import type {AppOutcome, RunOutcome} from '../../../../../src/clients/cli/ci/outcome.ts'

export const app = (more: Partial<AppOutcome> = {}): AppOutcome => ({
  id: 'stock',
  name: 'stock',
  state: 'ready',
  isReady: true,
  isOver: false,
  reason: '',
  place: {file: 'dapr.yaml', line: 7, column: 5, source: ''},
  logFile: '/logs/stock.log',
  sidecarLogFile: '',
  deaths: [],
  lines: [],
  ...more
})

/** It is not ready, and wrote these lines. */
export const failed = (lines: readonly string[], reason = 'no database'): AppOutcome =>
  app({isReady: false, isOver: true, state: 'exited 3', reason, lines})

export const outcome = (more: Partial<RunOutcome> = {}): RunOutcome => ({
  template: 'dapr.yaml',
  command: 'npm test',
  startedAt: new Date(0),
  exitCode: 1,
  checks: [{name: 'the apps are ready', tookMs: 1234.5, failure: ''}],
  apps: [app()],
  failedCalls: [],
  ...more
})
