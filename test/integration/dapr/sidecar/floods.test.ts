import t, {type Test} from 'tap'
import {connect} from './caller.ts'
import {FLOODS, UNFINISHED, WINDOWS} from '../../../rig/floods.ts'
import {PREFACE, request} from './frames.ts'
import {openTestGrpcPort} from './grpc/rig.ts'
import {openTestSidecar} from './rig.ts'

t.setTimeout(30_000)

/** More than a burst that is tolerated, in pieces. */
const PIECES = 400
const PER_PIECE = 200

/** Sends a flood; settles when the connection is cut. */
async function untilCut(t: Test, port: number, make: (stream: number, n: number) => string): Promise<void> {
  const caller = await connect(t, port)
  caller.send(PREFACE + request(1, UNFINISHED, 0))
  for (let piece = 0; piece < PIECES && !caller.isClosed; piece++) {
    let text = ''
    for (let n = piece * PER_PIECE; n < (piece + 1) * PER_PIECE; n++) text += make(2 * n + 3, n)
    caller.send(text)
    await new Promise(setImmediate)
  }
  await caller.closed()
}

const PORTS: Readonly<Record<string, (t: Test) => Promise<number>>> = {
  HTTP: async t => (await openTestSidecar(t, {})).port,
  gRPC: async t => (await openTestGrpcPort(t, {})).port
}

for (const [name, open] of Object.entries(PORTS))
  for (const [what, make] of Object.entries(FLOODS))
    t.test(`${name}: ${what} without end are cut`, async t => {
      await untilCut(t, await open(t), make)
    })

for (const [what, make] of Object.entries(WINDOWS))
  t.test(`gRPC: ${what} without end are cut`, async t => {
    await untilCut(t, (await openTestGrpcPort(t, {})).port, make)
  })
