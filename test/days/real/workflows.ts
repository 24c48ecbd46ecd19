import type {Told} from '../world.ts'
import {statusOf} from './status-of.ts'
import {countOf, Worker} from './worker.ts'

interface Started {
  readonly app: string
  readonly id: string
  /** 'maybe': the run was killed before it answered. */
  raised: 'no' | 'maybe' | 'yes'
  /** How often its activity was done, and how often it was cut off from its worker. */
  worked: number
  cuts: number
  isOver: boolean
}

/** Workflows and their workers. What the run has answered outlives it: each workflow ends, and ends once. */
export class Workflows {
  #all: readonly Started[] = []
  /** By the port of gRPC. */
  readonly #workers = new Map<number, {readonly app: string; readonly worker: Worker}>()

  async start({id: app, httpPort}: Told, id: string): Promise<void> {
    const status = await statusOf(`${baseOf(httpPort)}/day/start?instanceID=${id}`, '1')
    if (status === 202) this.#all = [...this.#all, {app, id, raised: 'no', worked: 0, cuts: 0, isOver: false}]
  }

  /** The event that all the workflows of an app wait for. */
  async raise({id: app, httpPort}: Told): Promise<void> {
    for (const started of this.#all.filter(each => each.app === app && each.raised === 'no')) {
      started.raised = 'maybe'
      const status = await statusOf(`${baseOf(httpPort)}/${started.id}/raiseEvent/go`, '1')
      if (status === 202) started.raised = 'yes'
    }
  }

  /** Each app that has workflows has a worker. */
  tend(apps: readonly Told[]): void {
    for (const [port, {app, worker}] of this.#workers) {
      if (worker.isOpen) continue
      this.#workers.delete(port)
      for (const started of this.#all.filter(each => each.app === app)) started.cuts++
    }
    for (const {id: app, instance, grpcPort} of apps)
      if (instance === 1 && grpcPort > 0 && !this.#workers.has(grpcPort) && this.#all.some(each => each.app === app)) {
        const worked = (id: string): void => {
          for (const started of this.#all.filter(each => each.id === id)) started.worked++
        }
        this.#workers.set(grpcPort, {app, worker: new Worker(grpcPort, worked)})
      }
  }

  /** What has not become of them what must, a sentence each; those whose app has no sidecar now are not looked at. */
  async broken(apps: readonly Told[]): Promise<readonly string[]> {
    const faults = await Promise.all(
      this.#all.map(async started => {
        const port = apps.find(({id, instance}) => id === started.app && instance === 1)?.grpcPort ?? 0
        const history = await this.#workers.get(port)?.worker.history(started.id)
        return history === undefined ? [] : faultsOf(started, history)
      })
    )
    return faults.flat()
  }

  /** Those that are over, and were as they must be, are looked at no longer. */
  settle(): void {
    this.#all = this.#all.filter(({isOver}) => !isOver)
  }

  close(): void {
    for (const {worker} of this.#workers.values()) worker.close()
  }
}

type History = Parameters<typeof countOf>[0]

/** What the history of one that is over has once. */
const ONCE = ['executionStarted', 'eventRaised', 'taskCompleted', 'timerFired', 'executionCompleted'] as const

const baseOf = (port: number): string => `http://127.0.0.1:${port}/v1.0/workflows/dapr`

function faultsOf(started: Started, history: History): readonly string[] {
  const {id, app, raised, worked, cuts} = started
  const words = `the workflow ${id} of ${app}`
  if (history.length === 0) return [`${words} is gone`]
  started.isOver = countOf(history, 'executionCompleted') > 0
  if (!started.isOver) return raised === 'yes' ? [`${words} does not end`] : []
  if (raised === 'no') return [`${words} has ended, and waits for an event`]
  const once = ONCE.map(kind => [kind, countOf(history, kind)] as const).filter(([, count]) => count !== 1)
  const faults = once.map(([kind, count]) => `${words} has ${kind} ${count} times`)
  // what was in hand when the worker was cut off is done again
  if (worked === 0 || worked > 1 + cuts)
    faults.push(`${words} did its activity ${worked} times, and was cut off ${cuts} times`)
  return faults
}
