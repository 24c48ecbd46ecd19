import {request} from 'node:http'
import type {Program} from '../test/rig/program.ts'
import type {Rig, TemplateApp} from '../test/rig/rig.ts'
import {echoServer, freePorts} from './tools.ts'

const IDS = Array.from({length: 10}, (_, index) => `app-${index}`)

/** Ten copies of the compiled server; each expects calls of the one before it. */
export const writeTen = async (rig: Rig): Promise<void> => rig.template(await tenApps())

async function tenApps(): Promise<readonly TemplateApp[]> {
  const server = await echoServer()
  const ports = await freePorts(IDS.length)
  return IDS.map((appID, index) => ({
    appID,
    appPort: ports[index],
    command: [server],
    env: {EXPECT_CALLER: IDS.at(index - 1)}
  }))
}

export interface TenStarted {
  readonly program: Program
  /** From spawn to the last `Started` line, and from there until each app has answered a call through its sidecar, in ms. */
  readonly startedMs: number
  readonly answeredMs: number
  /** For each app's sidecar, the URL of the app after it. */
  readonly urls: readonly string[]
}

/** Starts the ten and calls each at its own sidecar, as soon as the last one is said to have started. */
export async function startTen(rig: Rig): Promise<TenStarted> {
  const begin = performance.now()
  const program = rig.pillion(['run', '-f', '.'])
  const ports = await Promise.all(IDS.map(async id => program.ports(id)))
  const started = performance.now()
  const at = (index: number, callee: string): string =>
    `http://127.0.0.1:${ports[index]?.http ?? 0}/v1.0/invoke/${callee}/method/echo`
  await Promise.all(IDS.map(async (id, index) => post(at(index, id))))
  const answered = performance.now()
  const urls = IDS.map((_, index) => at(index, IDS[(index + 1) % IDS.length] ?? ''))
  return {program, startedMs: started - begin, answeredMs: answered - started, urls}
}

const post = async (url: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const call = request(url, {method: 'POST', agent: false}, answer => {
      if (answer.statusCode !== 200) reject(new Error(`${url}: ${String(answer.statusCode)}`))
      answer.resume().once('end', resolve)
    })
    call.once('error', reject)
    call.end('once')
  })
