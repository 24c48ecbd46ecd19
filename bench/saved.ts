import {once} from 'node:events'
import {cpSync, existsSync, mkdirSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {request} from 'node:http'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import type {Rig} from '../test/rig/rig.ts'
import {freePorts} from './tools.ts'

const SERVER = join(import.meta.dirname, '../test/fixtures/apps/saved.mjs')

/** Something that restarts the server of `test/fixtures/apps/saved.mjs` when its code is saved. */
export interface Runner {
  readonly name: string
  /** Where the server is called. */
  readonly url: string
  /** Saves other code: the server answers with this number. */
  save(version: number): Promise<void>
  close(): Promise<void>
}

/** Ours: the server is called through the sidecar of another app. */
export async function openOurs(rig: Rig, takesMs: number): Promise<Runner> {
  const save = writerIn(rig, 'ours')
  await save(0)
  await rig.template([
    {appID: 'ours', autoPort: true, watch: true, command: ['node', 'app.mjs'], env: {TAKES_MS: takesMs.toString()}},
    {appID: 'caller', command: []}
  ])
  const program = rig.pillion(['run', '-f', '.'])
  const {http} = await program.ports('caller')
  const url = `http://127.0.0.1:${http}/v1.0/invoke/ours/method/`
  await answerOf(url)
  await pause(300) // the watch stands a moment after the start
  return {name: 'ours', url, save, close: async () => end(program)}
}

/** A runner of one server, called directly. */
export async function openPeer(
  rig: Rig,
  {name, command, takesMs}: {readonly name: string; readonly command: readonly string[]; readonly takesMs: number}
): Promise<Runner> {
  const folder = name.replaceAll(/\W/g, '')
  const save = writerIn(rig, folder)
  await save(0)
  const [port = 0] = await freePorts(1)
  const program = rig.start(command, {folder, env: {APP_PORT: port.toString(), TAKES_MS: takesMs.toString()}})
  const url = `http://127.0.0.1:${port}/`
  await firstAnswer(url, '0')
  await pause(300)
  return {name, url, save, close: async () => end(program)}
}

/** What the server itself takes, its boot and its exit together: from its spawn over its first answer and SIGTERM to its end, in ms. */
export async function bareTimes(rig: Rig): Promise<number> {
  await writerIn(rig, 'bare')(0)
  const [port = 0] = await freePorts(1)
  const begin = performance.now()
  const program = rig.start(['node', 'app.mjs'], {folder: 'bare', env: {APP_PORT: port.toString()}})
  await firstAnswer(`http://127.0.0.1:${port}/`, '0')
  program.signal('SIGTERM')
  await program.exited
  return performance.now() - begin
}

/** A server that has not answered by then never will: it failed to start, and waits for a change. */
const LIMIT_MS = 20_000

/** Asks again and again until the answer is this one; ms. Failures are what peers do meanwhile. */
export async function firstAnswer(url: string, wanted: string): Promise<number> {
  const begin = performance.now()
  for (let ms = 0; ms < LIMIT_MS; ms = performance.now() - begin) {
    const answer = await answerOf(url).catch(() => '')
    if (answer === wanted) return performance.now() - begin
    await pause(2)
  }
  throw new Error(`${url} does not answer ${wanted}`)
}

/** One call on a connection of its own. */
export async function answerOf(url: string): Promise<string> {
  const call = request(url, {agent: false}).end()
  const [response] = (await once(call, 'response')) as [NodeJS.ReadableStream & {statusCode: number}]
  let text = ''
  for await (const piece of response) text += String(piece)
  if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${text}`)
  return text
}

/** Saves in place, and never shorter than before: `node --watch` loses a file that is renamed, and nobody may see half of one. */
function writerIn(rig: Rig, folder: string): (version: number) => Promise<void> {
  const path = join(rig.folder, folder, 'version.mjs')
  mkdirSync(join(rig.folder, folder), {recursive: true})
  cpSync(SERVER, join(rig.folder, folder, 'app.mjs'))
  return async version => {
    const text = `export const version = ${version.toString().padEnd(4)}\n`
    await writeFile(path, text, {flag: existsSync(path) ? 'r+' : 'w'})
  }
}

async function end(program: {signal(name: NodeJS.Signals): void; readonly exited: Promise<unknown>}): Promise<void> {
  program.signal('SIGTERM')
  await program.exited
}
