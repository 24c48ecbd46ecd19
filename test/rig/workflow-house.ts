import type {Test} from 'tap'
import {decode} from '../../src/proxy/net/grpc/message-codec.ts'
import {DEFAULT_WORKFLOWS} from '../../src/files/resources/defaults.ts'
import type {WorkflowEvent, WorkTraces} from '../../src/model/work-event.ts'
import type {WorkflowSettings} from '../../src/model/workflow-settings.ts'
import {WakeUps} from '../../src/work/wake-ups.ts'
import {WorkFile} from '../../src/work/work-file.ts'
import {ACTIVITY_REQUEST, EVENT, readEvent, type Action, type TurnAnswer} from '../../src/work/workflow/messages.ts'
import type {EngineOptions} from '../../src/work/workflow/engine.ts'
import {Workflows} from '../../src/work/workflow/workflows.ts'
import {TestClock} from './clock.ts'

const NOTHING = new Uint8Array(0)

const WORK_ITEM = {
  turn: [
    1,
    {message: {instanceId: [1, 'string'], received: [8, 'bytes'], past: [3, {list: EVENT}], fresh: [4, {list: EVENT}]}}
  ],
  activity: [2, {message: ACTIVITY_REQUEST}],
  token: [10, 'string']
} as const

type Item = ReturnType<typeof decode<typeof WORK_ITEM>>

/** A worker that keeps what it gets. */
export class TestWorker {
  readonly limit: number
  readonly home: string
  readonly process: number | undefined
  readonly items: Item[] = []

  constructor(limit = Infinity, home = 'shop', process?: number) {
    this.limit = limit
    this.home = home
    this.process = process
  }

  send(item: Uint8Array): void {
    this.items.push(decode(WORK_ITEM, item))
  }

  /** What it got since the last look: `turn o-1: executionStarted`, `charge 3`. */
  seen(): readonly string[] {
    return this.items.splice(0).map(({turn, activity}) => {
      if (turn === undefined) return `${activity?.name ?? '?'} ${String(activity?.taskId)}`
      return `${turn.instanceId}: ${kinds(turn.past)}| ${kinds(turn.fresh)}`.replaceAll(/ +/g, ' ').trim()
    })
  }
}

/** A new worker of an app. */
export function connected(workflows: Workflows, app = 'shop'): TestWorker {
  const worker = new TestWorker()
  workflows.connect(app, worker)
  return worker
}

/** Of the fields of an event those that say what happened. */
const KINDS = (Object.keys(EVENT) as (keyof typeof EVENT)[]).filter(
  name => !['eventId', 'timestamp', 'router'].includes(name)
)

const kinds = (events: readonly ReturnType<typeof readEvent>[]): string =>
  events
    .map(event => KINDS.find(kind => event[kind] !== undefined))
    .map(kind => `${String(kind)} `)
    .join('')

export interface House {
  readonly workflows: Workflows
  readonly file: WorkFile
  readonly wakeUps: WakeUps
  readonly clock: TestClock
  readonly close: () => void
  readonly said: string[]
  readonly counted: WorkflowEvent[]
  /** Apps whose first worker has connected. */
  readonly met: string[]
  /** `spec.workflow` of all apps. */
  settings: WorkflowSettings
  /** The `maxBodySize` of an app. */
  maxBytes: EngineOptions['maxBytes']
  /** Which apps the run has. */
  hasApp: EngineOptions['hasApp']
  /** What other apps ask of an app. */
  isAllowed: EngineOptions['isAllowed']
  /** Whether an app that has no worker may get one. */
  needsWorker: NonNullable<EngineOptions['needsWorker']>
  /** The traces of all apps; undefined: there are none. */
  traces: WorkTraces | undefined
}

/** The workflows of a run in a file, or in memory. */
export async function openHouse(
  t: Test,
  path?: string,
  {clock = new TestClock(), hasApp = app => app !== 'nowhere'}: Partial<Pick<House, 'clock' | 'hasApp'>> = {}
): Promise<House> {
  const file = await WorkFile.open(path, text => t.fail(text))
  const wakeUps = new WakeUps(file, clock)
  const said: string[] = []
  const met: string[] = []
  const counted: WorkflowEvent[] = []
  const warn: EngineOptions['warn'] = (app, text) => said.push(`${app}: ${text}`)
  const house: Pick<House, 'settings' | 'maxBytes' | 'hasApp' | 'isAllowed' | 'needsWorker' | 'traces'> = {
    settings: DEFAULT_WORKFLOWS,
    maxBytes: app => (app === 'small' && house.hasApp(app) ? 4096 : Infinity),
    hasApp,
    isAllowed: () => true,
    needsWorker: () => false,
    traces: undefined
  }
  const workflows = new Workflows({
    file,
    wakeUps,
    clock,
    warn,
    onMuchWaiting: (app, count) => said.push(`${app}: ${count} workflows wait`),
    hasApp: app => house.hasApp(app),
    maxBytes: app => house.maxBytes(app),
    settings: () => house.settings,
    isAllowed: (app, access) => house.isAllowed(app, access),
    needsWorker: (app, leftAt) => house.needsWorker(app, leftAt),
    onFirstWorker: app => met.push(app),
    tracesOf: () => house.traces,
    counted: (_, event) => counted.push(event)
  })
  const close = (): void => {
    wakeUps.close()
    file.close()
  }
  return Object.assign(house, {workflows, file, wakeUps, clock, close, said, counted, met})
}

export const order = (id = 'o-1', startAt?: number): Parameters<Workflows['start']>[1] => ({
  id,
  name: 'order',
  input: '1',
  startAt
})

export const answer = (
  instanceId: string,
  actions: readonly Partial<Action>[] = [],
  completionToken = ''
): Parameters<Workflows['completeTurn']>[1] => ({
  instanceId,
  actions: actions as TurnAnswer['actions'],
  customStatus: undefined,
  completionToken,
  version: undefined
})

export const call = (id: number, name: string, targetAppID = ''): Partial<Action> => ({
  id,
  scheduleTask: {name, version: undefined, scope: undefined, input: undefined, taskExecutionId: ''},
  router: {sourceAppID: '', targetAppID}
})

/** What an action for a child says. */
export const childOf = (
  instanceId: string,
  name = 'pay',
  input?: NonNullable<Action['createChild']>['input']
): NonNullable<Action['createChild']> => ({
  instanceId,
  name,
  version: undefined,
  scope: undefined,
  retryOf: undefined,
  input
})

export const end = (status = 1, value = '"done"'): Partial<Action> => ({
  id: 99,
  complete: {status, result: {value}, carryoverEvents: [], failureDetails: NOTHING}
})

export const done = (
  instanceId: string,
  taskId: number,
  completionToken = ''
): Parameters<Workflows['completeActivity']>[1] => ({
  instanceId,
  taskId,
  result: {value: '2'},
  failureDetails: NOTHING,
  completionToken
})

export const timer = (
  fireAt: {readonly seconds: bigint; readonly nanos: number},
  event?: string
): Action['createTimer'] => ({
  fireAt,
  name: '',
  createTimer: undefined,
  externalEvent: event === undefined ? undefined : {value: event},
  activityRetry: undefined,
  childWorkflowRetry: undefined
})
