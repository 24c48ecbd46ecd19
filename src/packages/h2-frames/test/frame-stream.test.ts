import {randomBytes} from 'node:crypto'
import {setFlagsFromString} from 'node:v8'
import {runInNewContext} from 'node:vm'
import t from 'tap'
import type {FrameConnection} from '../frame-connection.ts'
import {FrameStream, type Data} from '../frame-stream.ts'
import {framesOf} from '../../../../test/integration/dapr/sidecar/frames.ts'

const MAX_FRAMES = 100_000
const MIB = 1 << 20

const nothing = (): void => undefined
const HANDLER = {head: nothing, data: nothing, sent: nothing, reset: nothing, lost: nothing}

/** A stream on a connection with room; what it sends, and how much data. */
const streamOf = (window: number) => {
  const told = {frames: 0, bytes: 0, last: ''}
  const send = (bytes: string): void => {
    if (++told.frames > MAX_FRAMES) throw new Error('frames without end')
    told.last = bytes
  }
  const connection = {
    send,
    sendFields: send,
    sendData: (head: string, bytes: Data) => {
      told.bytes += bytes.length
      send(head + (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1')))
    },
    room: Infinity,
    localDone: nothing,
    forget: nothing
  }
  return {stream: new FrameStream(connection as unknown as FrameConnection, 1, window, HANDLER), told}
}

t.test('a window below zero takes data without bytes: the end of a request, too', async t => {
  const {stream, told} = streamOf(10)
  stream.window -= 25 // as smaller SETTINGS_INITIAL_WINDOW_SIZE make it
  stream.writeData('', false)
  stream.writeData('', true)
  t.equal(told.frames, 2)
  t.match(framesOf(told.last).frames, [{type: 0, flags: 1, payload: ''}])
})

t.test('behind data that waits, what has no bytes waits, too', async t => {
  const {stream, told} = streamOf(2)
  stream.writeData('abc', false)
  stream.writeData('', true)
  t.equal(told.bytes, 2)
  stream.window -= 5
  stream.push()
  t.equal(told.frames, 1)
  stream.window += 10
  stream.push()
  t.equal(told.bytes, 3)
  t.match(framesOf(told.last).frames, [{flags: 1, payload: ''}])
})

t.test('what a slow reader has got is not kept, however long something waits for him', async t => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const heap = (): number => {
    gc()
    return process.memoryUsage().heapUsed
  }
  const {stream, told} = streamOf(0)
  const pass = (bytes: number, times: number): void => {
    for (let n = 0; n < times; n++) {
      stream.writeData(randomBytes(bytes / 2).toString('hex'), false)
      stream.window += bytes
      stream.push()
    }
  }
  stream.writeData('x'.repeat(MIB / 16), false) // and from now on something waits
  const before = heap()
  pass(MIB / 16, 512)
  pass(16, 50_000)
  t.equal(told.bytes, 32 * MIB + 50_000 * 16)
  t.ok(heap() - before < 8 * MIB)
})

t.test('bytes go out as text does: in order with it, in frames, as far as the peer takes them', async t => {
  const {stream, told} = streamOf(20_000)
  stream.writeData('before', false)
  stream.writeData(randomBytes(40_000), false)
  stream.writeData('behind', true)
  t.equal(told.bytes, 20_000, 'the rest waits')
  stream.window += 100_000
  stream.push()
  t.equal(told.bytes, 40_012)
  t.match(framesOf(told.last).frames, [{flags: 1, payload: 'behind'}])
})
