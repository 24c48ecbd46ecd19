import {readdirSync} from 'node:fs'
import {join} from 'node:path'
import {DEFAULT_WORKFLOWS} from '../src/files/resources/defaults.ts'
import {systemClock} from '../src/platform/clock.ts'
import {WakeUps} from '../src/work/wake-ups.ts'
import {WorkFile} from '../src/work/work-file.ts'
import {Workflows} from '../src/work/workflow/workflows.ts'
import {timeOf} from '../src/work/workflow/messages.ts'
import type {Rig} from '../test/rig/rig.ts'
import {answer, TestWorker, timer} from '../test/rig/workflow-house.ts'

const DAY_MS = 86_400_000
const BATCH = 1000

const fail = (text: string): never => {
  throw new Error(text)
}

/** Workflows of an app in that file, and what ends their work. */
export async function workflowsAt(path: string): Promise<{readonly workflows: Workflows; readonly close: () => void}> {
  const file = await WorkFile.open(path, fail)
  const wakeUps = new WakeUps(file, systemClock)
  const workflows = new Workflows({
    file,
    wakeUps,
    clock: systemClock,
    warn: (_, text) => fail(text),
    onMuchWaiting: () => undefined,
    hasApp: () => true,
    maxBytes: () => Infinity,
    settings: () => DEFAULT_WORKFLOWS,
    isAllowed: () => true,
    onFirstWorker: () => undefined,
    tracesOf: () => undefined,
    counted: () => undefined
  })
  const close = (): void => {
    workflows.close()
    wakeUps.close()
    file.close()
  }
  return {workflows, close}
}

/** Fills the file of the rig's template, which a run has begun: so many workflows of `shop` wait for a timer of a day. Where it is. */
export async function waitingTimers(rig: Rig, count: number): Promise<string> {
  const folder = join(rig.home, '.local/state/pillion')
  const name = readdirSync(folder).find(each => /^work-.*\.db$/.test(each))
  if (name === undefined) throw new Error(`no file in ${folder}`)
  const path = join(folder, name)
  const {workflows, close} = await workflowsAt(path)
  const worker = new TestWorker()
  workflows.connect('shop', worker)
  for (let from = 0; from < count; from += BATCH) {
    const ids = Array.from({length: Math.min(BATCH, count - from)}, (_, index) => `timer-${from + index}`)
    const start = async (id: string): Promise<unknown> =>
      workflows.start('shop', {id, name: 'sleep', input: undefined, startAt: undefined})
    await Promise.all(ids.map(start))
    // a worker gets no more than some hundred turns at once
    while (worker.items.length < ids.length) await new Promise(setImmediate)
    worker.items.length = 0
    const createTimer = timer(timeOf(Date.now() + DAY_MS))
    await Promise.all(ids.map(async id => workflows.completeTurn('shop', answer(id, [{id: 1, createTimer}]))))
  }
  close()
  return path
}
