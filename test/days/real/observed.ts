import {once} from 'node:events'
import {readdir, readFile} from 'node:fs/promises'
import {get, type IncomingMessage} from 'node:http'
import {connect} from 'node:net'
import {text} from 'node:stream/consumers'
import {nameOf} from '../template.ts'
import type {Seen, Told} from '../world.ts'

/** Of memory, for a handful of apps. */
const MAX_KILOBYTES = 400_000

/** The numbers of the events that the notes tell of, each as often as it came; `run`: its `PILLION_RUN`, left out: any. */
export const eventsIn = (notes: readonly string[], run?: string): readonly string[] =>
  notes
    .map(line => line.split(' '))
    .flatMap(([what, number = '', by]) => (what === 'event' && (run === undefined || by === run) ? [number] : []))

/** The numbers of the jobs and reminders that the notes tell of, each as often as it came. */
export const firedIn = (notes: readonly (readonly string[])[]): readonly string[] =>
  notes.flatMap(([what, number = '']) => (what === 'fired' ? [number] : []))

/** Ids of the servers, all of whose instances are ready. */
export const runningOf = (apps: readonly Told[]): ReadonlySet<string> => {
  const resting = new Set(apps.filter(({isReady, appPort}) => !isReady || appPort === 0).map(({id}) => id))
  return new Set(apps.map(({id}) => id).filter(id => !resting.has(id)))
}

/** What answers at the ports of apps, and of their sidecars. */
export async function answersOf(apps: readonly Told[]): Promise<Pick<Seen, 'answers' | 'sidecars'>> {
  const answers = new Map<string, string>()
  const sidecars = new Set<string>()
  await Promise.all(
    apps.map(async ({id, instance, appPort, httpPort}) => {
      const name = nameOf(id, instance)
      if (appPort > 0) answers.set(name, await textAt(`http://127.0.0.1:${appPort}/`))
      const told = await textAt(`http://127.0.0.1:${httpPort}/v1.0/metadata`)
      // whatever a closed sidecar still says is too much, unless the port is another app's by now
      if (told !== '' && (/"id":"([^"]*)"/.exec(told)?.[1] ?? id) === id) sidecars.add(name)
    })
  )
  return {answers, sidecars}
}

interface Asking {
  readonly limitMs: number
  /** A call would start the apps of these ports: it is only looked whether somebody listens there. */
  readonly asleep: ReadonlySet<number>
}

/** What answers where apps are called without Dapr's API: a text, a status that is ours, `waits` (for `limitMs`), or '' = nothing listens. */
export const answersAt = async (
  ports: readonly number[],
  {limitMs, asleep}: Asking
): Promise<ReadonlyMap<number, string>> =>
  new Map(
    await Promise.all(
      ports.map(async port => [port, await (asleep.has(port) ? listenerAt(port) : answerAt(port, limitMs))] as const)
    )
  )

const listenerAt = async (port: number): Promise<string> =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve('waits')
    }).once('error', () => resolve(''))
  })

/** Asks on a connection of its own: after an aborted request `fetch` keeps another one open, which is a call under way. */
async function answerAt(port: number, limitMs: number): Promise<string> {
  const request = get({host: '127.0.0.1', port, agent: false, signal: AbortSignal.timeout(limitMs)})
  try {
    const [answer] = (await once(request, 'response')) as [IncomingMessage]
    const body = await text(answer)
    return answer.statusCode === 200 ? body : String(answer.statusCode)
  } catch (error) {
    return error instanceof Error && error.name === 'AbortError' ? 'waits' : ''
  }
}

/** '' = nobody answers. */
export const textAt = async (url: string): Promise<string> => {
  try {
    return await (await fetch(url)).text()
  } catch {
    return ''
  }
}

/** Descriptors and memory that no run of so few apps needs, a sentence each. */
export async function excessOf(pid: number, apps: number): Promise<readonly string[]> {
  const proc = `/proc/${pid}`
  const descriptors = (await readdir(`${proc}/fd`).catch(() => [])).length
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(await readFile(`${proc}/status`, 'utf8').catch(() => ''))?.[1] ?? 0)
  return [
    ...(descriptors > 100 + 30 * apps ? [`the run holds ${descriptors} descriptors`] : []),
    ...(kilobytes > MAX_KILOBYTES ? [`the run takes ${kilobytes} kB`] : [])
  ]
}

/** What a run must never print, a sentence each. */
export const outcriesIn = (printed: string): readonly string[] =>
  printed
    .split('\n')
    .filter(line => /^ {4}at .*[:)]|unhandled|is a bug in|cannot apply the edit/i.test(line))
    .map(line => `the run says: ${line}`)
