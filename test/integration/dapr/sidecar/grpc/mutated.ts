import net from 'node:net'
import type {Test} from 'tap'
import {seeded} from '../../../../rig/seeded.ts'
import {data, frame, headers, PREFACE, request} from '../frames.ts'
import {echoClient, grpcApp, openTestGrpcPort} from './rig.ts'

const CALL = {':method': 'POST', ':path': '/test.Echo/Unary', 'content-type': 'application/grpc', 'dapr-app-id': 'b'}
const GOOD =
  frame(4) +
  request(1, CALL, 0) +
  data(1, '\0\0\0\0\x03abc', 1) +
  frame(8, {payload: '\0\0\xff\xff'}) +
  headers(3, {':scheme': 'http', ...CALL, 'x-bin': 'AAA=', 'grpc-timeout': '1S'}, 0) +
  data(3, '\0\0\0\0\x05', 0) +
  data(3, 'hello', 1) +
  frame(6, {payload: '12345678'})

/** Changes, drops or adds bytes. */
const mutate = (text: string, next: (below: number) => number): string => {
  let mutated = text
  for (let count = 1 + next(4); count > 0; count--) {
    const at = next(mutated.length)
    const kind = next(3)
    const byte = kind === 1 ? '' : String.fromCharCode(next(256))
    mutated = mutated.slice(0, at) + byte + mutated.slice(kind === 2 ? at : at + 1)
  }
  return mutated
}

/** Mutated frames, cut anywhere, 20 at a time, and a good call beside them. */
export async function mutateFrames(t: Test, seed: number, rounds: number): Promise<void> {
  const {port, underWay, warnings} = await openTestGrpcPort(t, {appPort: await grpcApp(t)})
  const client = echoClient(t, port)
  const next = seeded(seed)
  const attack = async (): Promise<void> => {
    const text = mutate(GOOD, next)
    const cut = next(text.length)
    await new Promise<void>(resolve => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.write(PREFACE + text.slice(0, cut), 'latin1')
        setImmediate(() => socket.end(text.slice(cut), 'latin1'))
      })
      socket
        .on('error', () => undefined)
        .on('close', () => resolve())
        .resume()
    })
  }
  for (let round = 0; round < rounds; round++) {
    const good = client.call({}, {message: Buffer.from(round.toString())})
    await Promise.all(Array.from({length: 20}, attack))
    t.match(await good, {code: 0, answer: round.toString()})
  }
  while (underWay() > 0) await new Promise(setImmediate)
  t.strictSame(warnings, [])
}
