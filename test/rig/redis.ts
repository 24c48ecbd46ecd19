import {spawn, spawnSync, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {createInterface} from 'node:readline'
import {freePort} from './free-port.ts'

/** A redis-server of this machine. */
export interface RealRedis {
  readonly port: number
  /** Kills it; `start` brings it back at the same port, empty. */
  stop(): Promise<void>
  start(): Promise<void>
}

const version = /v=(\d+\.\d+)/.exec(spawnSync('redis-server', ['--version'], {encoding: 'utf8'}).stdout ?? '')?.[1]

/** Why a test that needs redis-server is skipped. */
export const skipWithoutRedis =
  version === undefined ? 'redis-server is not installed: only the built-in Redis is tested' : false

/** Why a test that compares words is skipped: they differ between versions. */
export const skipWithoutRedis7 =
  version === '7.0' ? false : `redis-server 7.0 is not installed (${version ?? 'none'}): words are not compared with it`

/** Starts redis-server for a test. */
export async function realRedis(t: {teardown(end: () => unknown): void}): Promise<RealRedis> {
  const port = await freePort()
  let server: ChildProcess | undefined
  const stop = async (): Promise<void> => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    server.kill('SIGKILL')
    await exited
  }
  const start = async (): Promise<void> => {
    const args = ['--port', port.toString(), '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1']
    server = spawn('redis-server', args, {stdio: ['ignore', 'pipe', 'inherit']})
    if (server.stdout === null) return
    for await (const line of createInterface(server.stdout)) if (line.includes('Ready to accept connections')) break
    server.stdout.resume()
  }
  t.teardown(stop)
  await start()
  return {port, stop, start}
}
