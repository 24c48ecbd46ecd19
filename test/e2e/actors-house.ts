import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import type {Test} from 'tap'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const HOST = join(import.meta.dirname, '../fixtures/apps/actor-host.mjs')
/** A state store for actors that nobody else has. */
export const STORE =
  'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: mem}\nspec: {type: state.in-memory, version: v1, ' +
  'metadata: [{name: actorStateStore, value: "true"}]}\n'

const BUS =
  'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: bus}\nspec: {type: pubsub.in-memory, version: v1}\n'

export interface Line {
  readonly pid: number
  readonly actor?: string
  readonly work?: string
  readonly overlap?: string
  readonly body?: unknown
  readonly at?: number
  /** What the process was asked for its configuration with. */
  readonly asked?: Readonly<Record<string, string>>
  /** Of a DELETE. */
  readonly headers?: Readonly<Record<string, string>>
}

interface House {
  readonly rig: Rig
  readonly run: Program
  /** What the host has got. */
  readonly journal: () => readonly Line[]
  /** Calls the sidecar of an app: `/Counter/1/method/add`. */
  readonly call: (app: string, path: string, init?: RequestInit) => Promise<Answer>
}

export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: Headers
}

export async function openActors(
  t: Test,
  env: Readonly<Record<string, string>> = {},
  more: object = {},
  files: Readonly<Record<string, string>> = {},
  ofRun: Readonly<Record<string, string>> = {}
): Promise<House> {
  const rig = await openRig(t)
  const file = join(rig.home, 'journal')
  await rig.write({'resources/mem.yaml': STORE, 'host/version.txt': '0', 'host/none/bus.yaml': BUS, ...files})
  await rig.template(
    [
      {
        appID: 'host',
        autoPort: true,
        watch: true,
        command: [process.execPath, HOST],
        env: {JOURNAL: file, ...env},
        ...more
      },
      {appID: 'shop', command: ['sleep', '1000']}
    ],
    {resourcesPath: 'resources'}
  )
  const run = rig.pillion(['run', '-f', '.'], {env: ofRun})
  return {rig, run, journal: () => journalOf(file), call: caller(run)}
}

const journalOf = (file: string): readonly Line[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as Line)
    : []

export const caller =
  (run: Program): House['call'] =>
  async (app, path, init = {}) => {
    const {http} = await run.ports(app)
    const answer = await fetch(`http://127.0.0.1:${http}/v1.0/actors${path}`, init)
    return {status: answer.status, body: await answer.text(), headers: answer.headers}
  }

export const post = (body: unknown): RequestInit => ({
  method: 'POST',
  body: typeof body === 'string' ? body : JSON.stringify(body)
})

export const worksOf = (lines: readonly Line[], actor: string): readonly string[] =>
  lines.filter(line => line.actor === actor).map(({work = ''}) => work)

export async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await pause(10)
}
