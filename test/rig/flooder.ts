/** A program, `flooder.ts PORT PATH KIND MS`: eight connections send one kind of flood, and begin again where they are cut; prints how often they were. */
import net from 'node:net'
import {setTimeout as pause} from 'node:timers/promises'
import {BEGINNING, FLOODS, plainFloods, WINDOWS} from './floods.ts'

const [portText = '', path = '', kind = '', ms = ''] = process.argv.slice(2)
const port = Number(portText)
const end = performance.now() + Number(ms)
const CONNECTIONS = 8
/** Pieces that are sent at once. */
const BATCH = 200
const counts = {cut: 0, bytes: 0}

const plain = plainFloods(path, port)[kind]
const frames = FLOODS[kind] ?? WINDOWS[kind]
if (plain === undefined && frames === undefined) throw new Error(`no such flood: ${kind}`)

function batch(from: number): string {
  if (plain !== undefined) return plain.piece.repeat(BATCH)
  let text = ''
  for (let n = from; n < from + BATCH; n++) text += frames?.(2 * n + 3, n) ?? ''
  return text
}

async function flood(): Promise<void> {
  const socket = net.connect(port, '127.0.0.1')
  const closed = new Promise(resolve =>
    socket
      .on('error', () => undefined)
      .resume()
      .once('close', resolve)
  )
  socket.write(plain === undefined ? BEGINNING : plain.begin, 'latin1')
  for (let n = 0; !socket.destroyed && performance.now() < end; n += BATCH) {
    const isTaken = socket.write(batch(n), 'latin1')
    const wait = isTaken ? new Promise(setImmediate) : new Promise(resolve => socket.once('drain', resolve))
    await Promise.race([wait, closed, pause(Math.max(1, end - performance.now()), undefined, {ref: false})])
  }
  counts.bytes += socket.bytesWritten
  if (socket.destroyed) counts.cut++
  socket.destroy()
}

await Promise.all(
  Array.from({length: CONNECTIONS}, async () => {
    for (; performance.now() < end; await pause(20)) await flood()
  })
)
console.log(JSON.stringify(counts))
