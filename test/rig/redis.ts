import {spawn, spawnSync, type ChildProcess} from 'node:child_process'
import {EventEmitter, once} from 'node:events'
import {mkdtempSync, rmSync} from 'node:fs'
import {createInterface} from 'node:readline'
import {freePort} from './free-port.ts'
import {missing} from './missing.ts'
import {tie} from './tie.ts'

/** A redis-server of this machine. */
export interface RealRedis {
  readonly port: number
  /** Kills it; `start` brings it back at the same port, empty. */
  stop(): Promise<void>
  start(): Promise<void>
  /** Waits until it has logged a line with this text. */
  logged(text: string): Promise<void>
}

const version = /v=(\d+\.\d+)/.exec(spawnSync('redis-server', ['--version'], {encoding: 'utf8'}).stdout ?? '')?.[1]

/** Why a test that needs redis-server is skipped. */
export const skipWithoutRedis = version === undefined ? missing('redis-server') : false

/** Why a test that compares words is skipped: they differ between versions. */
export const skipWithoutRedis7 = version === '7.0' ? false : missing(`redis-server 7.0 (${version ?? 'none'})`)

/** Starts redis-server for a test; `settings` are further arguments. */
export async function realRedis(
  t: {teardown(end: () => unknown): void},
  settings: readonly string[] = [],
  ready = 'Ready to accept connections'
): Promise<RealRedis> {
  const port = await freePort()
  const folder = mkdtempSync('/tmp/redis-')
  const log: string[] = []
  const events = new EventEmitter()
  const logged = async (text: string): Promise<void> => {
    while (!log.some(line => line.includes(text))) await once(events, 'line')
  }
  let server: ChildProcess | undefined
  const stop = async (): Promise<void> => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    server.kill('SIGKILL')
    await exited
  }
  const start = async (): Promise<void> => {
    const plain = settings.includes('--sentinel') ? [] : ['--save', '', '--appendonly', 'no']
    // options in front of a configuration file are not read
    const at = settings[0]?.startsWith('/') === true ? 1 : 0
    const args = [
      ...settings.slice(0, at),
      '--port',
      port.toString(),
      '--dir',
      folder,
      ...plain,
      '--bind',
      '127.0.0.1',
      ...settings.slice(at)
    ]
    server = spawn('redis-server', args, {stdio: ['ignore', 'pipe', 'inherit']})
    tie(server, folder)
    log.length = 0
    if (server.stdout === null) return
    createInterface(server.stdout).on('line', line => {
      log.push(line)
      events.emit('line')
    })
    await logged(ready)
  }
  t.teardown(async () => {
    await stop()
    rmSync(folder, {recursive: true, force: true})
  })
  await start()
  return {port, stop, start, logged}
}
