import {bodyOf} from './body.ts'
import {nothing} from './http2-app.ts'
import {Http2Caller, type Asked} from './http2-caller.ts'
import {END, watchEnd, type StreamApp} from './stream-app.ts'

const BODIES = [0, 1, 50, 20_000, 70_000, 300_000]

/** Sends requests with bodies and trailers. */
export class StreamCaller extends Http2Caller<StreamApp, Asked> {
  answered = 0

  ask(id: string): void {
    const {random} = this
    const {session} = this
    if (session === undefined) return
    const method = random.oneIn(3) ? 'GET' : 'POST'
    const bytes = method === 'GET' ? 0 : random.pick(BODIES)
    const hasTrailers = method === 'POST' && random.oneIn(3)
    const path = `/${id}/${bytes}`
    const head = {
      ':method': method,
      ':path': path,
      'x-trailers': hasTrailers ? '1' : '0',
      'x-long': 'y'.repeat(random.oneIn(10) ? 30_000 : 3)
    }
    const stream = session.request(head, {endStream: method === 'GET', waitForTrailers: hasTrailers})
    const asked: Asked = {id, stream, rest: method === 'GET' ? undefined : bodyOf(id, bytes)}
    this.asked.set(id, asked)
    let text = ''
    let status = 0
    const isWhole = watchEnd(stream)
    stream
      .on('wantTrailers', () => stream.sendTrailers({'x-end': id}))
      .on('response', headers => (status = headers[':status'] ?? 0))
      .on('data', (piece: Buffer) => {
        text += piece.toString('latin1')
        this.mayPause(stream)
      })
      .on('error', nothing)
      .on('close', () => {
        this.asked.delete(id)
        if (isWhole() && stream.readableEnded && !this.app.givenUp.has(id))
          this.#check(`${method} ${id}`, id, status, text)
      })
  }

  protected giveUp({id}: Asked): void {
    this.app.givenUp.add(id)
  }

  #check(request: string, id: string, status: number, text: string): void {
    const {faults, received} = this.app
    this.answered++
    if (status === 0) return void faults.push(`${id} has ended without an answer`)
    if (status !== 200) return
    if (!text.startsWith(`${id} `)) faults.push(`${id} got the answer ${text.slice(0, 20)}`)
    if (!text.endsWith(END)) faults.push(`${id} got a part of its answer as a whole`)
    if (!received.has(request)) faults.push(`${id} is answered, and has not come`)
  }
}
