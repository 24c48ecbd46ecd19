import type {Writable} from 'node:stream'

/** What was asked of a sidecar, and what came of it. */
export interface ApiCall {
  /** `GET /path`, without the query. */
  readonly method: string
  readonly code: number
  /** Bytes of the answer's body. */
  readonly size: number
  readonly durationMs: number
  readonly userAgent: string
}

const PLAIN = /^[A-Za-z0-9\-._/@^+]+$/
const fieldOf = (name: string, value: string): string => `${name}=${PLAIN.test(value) ? value : JSON.stringify(value)}`

export interface Teller {
  readonly appId: string
  readonly instance: string
  readonly version: string
}

/** A call as Dapr's sidecar logs it (`HTTP API Called`, pkg/api/http/server.go), in the form of logrus: fields by their names. */
export const apiLine = (
  {method, code, size, durationMs, userAgent}: ApiCall,
  {appId, instance, version}: Teller,
  at: Date
): string =>
  [
    fieldOf('time', at.toISOString()),
    'level=info',
    fieldOf('msg', 'HTTP API Called'),
    fieldOf('app_id', appId),
    fieldOf('code', code.toString()),
    fieldOf('duration', durationMs.toString()),
    fieldOf('instance', instance),
    fieldOf('method', method),
    'scope=dapr.runtime.http-info',
    fieldOf('size', size.toString()),
    'type=log',
    fieldOf('useragent', userAgent),
    fieldOf('ver', version)
  ].join(' ')

/** Counts what is written from now on, in bytes. */
export const counted = (stream: Writable): (() => number) => {
  let size = 0
  const count = (data: unknown, encoding: unknown): void => {
    if (typeof data === 'string') size += encoding === 'latin1' ? data.length : Buffer.byteLength(data)
    else if (data instanceof Uint8Array) size += data.length
  }
  const write = stream.write.bind(stream)
  const end = stream.end.bind(stream)
  stream.write = (...args: readonly unknown[]): boolean => {
    count(args[0], args[1])
    return Reflect.apply(write, stream, args) as boolean
  }
  stream.end = (...args: readonly unknown[]): typeof stream => {
    // An `end` may write by way of `write`.
    const before = size
    Reflect.apply(end, stream, args)
    if (size === before) count(args[0], args[1])
    return stream
  }
  return () => size
}
