import {execFile} from 'node:child_process'
import {promisify} from 'node:util'
import type {Load} from './load.ts'
import {grpcEnds} from './tools.ts'

const execute = promisify(execFile)

interface GrpcLoad {
  readonly port: number
  /** Calls at once, on one connection. */
  readonly streams: number
  readonly seconds: number
}

/** Calls an app with grpc-go as fast as it answers. Throws when a call failed. */
export async function grpcLoad({port, streams, seconds}: GrpcLoad): Promise<Load> {
  const options = {
    address: `127.0.0.1:${port}`,
    id: 'callee',
    connections: '1',
    streams: streams.toString(),
    seconds: seconds.toString()
  }
  const args = Object.entries(options).map(([name, value]) => `-${name}=${value}`)
  const {stdout} = await execute(await grpcEnds(), ['load', ...args])
  const {requests, micros, failed, p50} = JSON.parse(stdout) as Record<'requests' | 'micros' | 'failed' | 'p50', number>
  if (failed > 0 || requests === 0) throw new Error(`${failed} of ${requests} calls at ${options.address} failed`)
  return {requests, perSecond: (requests * 1e6) / micros, p50}
}

/** What the app has counted: calls through a sidecar, and those that lacked what a sidecar adds. */
export async function grpcCounts(port: number): Promise<{readonly calls: number; readonly lacking: number}> {
  const {stdout} = await execute(await grpcEnds(), ['counts', `127.0.0.1:${port}`])
  return JSON.parse(stdout) as {calls: number; lacking: number}
}
