import {readdirSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {systemClock} from '../../src/platform/clock.ts'
import {Jobs} from '../../src/work/job/jobs.ts'
import {WakeUps} from '../../src/work/wake-ups.ts'
import {WorkFile} from '../../src/work/work-file.ts'
import type {Program} from './program.ts'
import type {Rig} from './rig.ts'

const COUNTER = join(import.meta.dirname, '../fixtures/apps/job-counter.mjs')

/** What the app has seen: times in ms since 1970, 0 = nothing came. */
export interface Ticks {
  readonly count: number
  readonly names: number
  readonly first: number
  readonly last: number
}

/** A run of an app, `shop`, that counts the ticks of its jobs. */
export interface CountingRun {
  readonly program: Program
  readonly ticks: () => Promise<Ticks>
  /** Resolves when so many have come. */
  readonly ticked: (count: number) => Promise<Ticks>
  readonly end: () => Promise<void>
}

/** Starts the run of the rig's template. */
export async function countingRun(rig: Rig, appPort: number): Promise<CountingRun> {
  await rig.template([{appID: 'shop', appPort, command: [process.execPath, COUNTER]}])
  const program = rig.pillion(['run', '-f', '.'])
  const {http} = await program.ports('shop')
  const url = `http://127.0.0.1:${http}/v1.0`
  // answers when the app listens
  await fetch(`${url}/invoke/shop/method/`)
  const ticks = async (): Promise<Ticks> => (await fetch(`http://127.0.0.1:${appPort}/`)).json() as Promise<Ticks>
  const ticked = async (count: number): Promise<Ticks> => {
    for (;;) {
      const told = await ticks()
      if (told.count >= count) return told
      await pause(50)
    }
  }
  const end = async (): Promise<void> => {
    await program.end()
  }
  return {program, ticks, ticked, end}
}

const fail = (text: string): never => {
  throw new Error(text)
}

const deliver = async () => ({kind: 'undeliverable', answer: ''}) as const

/** When jobs come, in ms since 1970: the first, the second, and each later one so much after the one before it. */
export interface Dues {
  readonly first: number
  readonly second: number
  readonly stepMs: number
}

/** The file of the rig's template, which is not running. */
async function openFile(rig: Rig): Promise<{readonly file: WorkFile; readonly wakeUps: WakeUps; readonly jobs: Jobs}> {
  const folder = join(rig.home, '.local/state/pillion')
  const name = readdirSync(folder).find(each => /^work-.*\.db$/.test(each))
  if (name === undefined) throw new Error(`no file in ${folder}`)
  const file = await WorkFile.open(join(folder, name), fail)
  const wakeUps = new WakeUps(file, systemClock)
  const jobs = new Jobs({file, wakeUps, log: (_app, _level, text) => fail(text), clock: systemClock}, deliver)
  return {file, wakeUps, jobs}
}

/** Makes the file of the rig's template, whose run has ended: jobs of `shop`, each once. All but two are copies of the second. */
export async function copyJobs(rig: Rig, count: number, {first, second, stepMs}: Dues): Promise<void> {
  const {file, wakeUps, jobs} = await openFile(rig)
  for (const [n, due] of [first, second].entries())
    await jobs.schedule('shop', {name: `job-${n}`, dueTime: new Date(due).toISOString()}, false)
  jobs.close()
  wakeUps.close()
  file.database.exec(`
    WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count - 1})
    INSERT INTO jobs (app, name, schedule, dueTime, ttl, repeats, dataType, data, policy, begin, planned, expires, count, last,
        attempts, isDue, isPaused, answer)
      SELECT app, 'job-' || n, schedule, dueTime, ttl, repeats, dataType, data, policy, begin, planned + (n - 1) * ${stepMs},
        expires, count, last, attempts, isDue, isPaused, answer
      FROM numbers, jobs WHERE jobs.name = 'job-1';
    INSERT INTO wake_ups (due, kind, owner, name, data)
      SELECT copy.planned, kind, copy.key, json_object('app', copy.app, 'name', copy.name), wake_ups.data
      FROM jobs AS copy, jobs AS second, wake_ups
      WHERE second.name = 'job-1' AND copy.key > second.key AND kind = 'job' AND owner = second.key`)
  file.close()
}

/** A run schedules one job that is far off, so that the template has a file, and ends. */
export async function beginFile(rig: Rig, appPort: number): Promise<void> {
  const run = await countingRun(rig, appPort)
  const {http} = await run.program.ports('shop')
  const answer = await fetch(`http://127.0.0.1:${http}/v1.0/jobs/far`, {method: 'POST', body: '{"dueTime":"9000h"}'})
  if (answer.status !== 204) throw new Error(await answer.text())
  await run.end()
}
