import type * as Api from '../../src/model/api.generated.ts'

/** A time: seconds after the first one. */
export const at = (second: number): string => new Date(Date.UTC(2026, 0, 31, 14, 40, second)).toISOString()

/** An order that runs. */
export const instance = (id: string, more: Partial<Api.Workflow> = {}): Api.Workflow => ({
  number: 1,
  app: 'checkout',
  id,
  name: 'order',
  status: 'RUNNING',
  created: at(0),
  lastUpdate: at(9),
  customStatus: '',
  failure: '',
  parent: null,
  workers: 1,
  trace: '',
  ...more
})

/** A step that was done in no time. */
export const step = (
  kind: Api.WorkflowStep['kind'],
  name: string,
  more: Partial<Api.WorkflowStep> = {}
): Api.WorkflowStep => ({
  kind,
  eventId: 1,
  name,
  app: 'checkout',
  instance: '',
  startedAt: at(0),
  endedAt: at(0),
  state: 'done',
  tries: 1,
  inputBytes: 0,
  outputBytes: 0,
  until: null,
  span: '',
  failure: '',
  ...more
})

/** The same with all that is known of it. */
export const detail = (row: Api.Workflow, more: Partial<Api.WorkflowDetail> = {}): Api.WorkflowDetail => ({
  ...row,
  input: '{"item":"<b>pen</b>"}',
  output: null,
  version: null,
  failureType: '',
  stack: '',
  executionId: 'e1',
  ...more
})
