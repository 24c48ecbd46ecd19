import {http1Answer, http2Answer, SHORT_ANSWERS, shortStream, type Answer} from './answers.ts'
import {http1Caller, http2Caller, type Seen} from './caller.ts'
import {play} from './connection.ts'
import {controlClient} from './control.ts'
import {http1Client} from './http1-requests.ts'
import {EXCHANGES, http2Client} from './http2-requests.ts'
import {Random} from './random.ts'
import {shown, type Script} from './script.ts'
import {HOSTILE, type Target} from './target.ts'

/** One case, ready to run; it rejects when something is wrong. */
export interface Case {
  /** What is sent, for a person. */
  readonly text: string
  readonly run: () => Promise<void>
}

/** Makes cases of a kind; `lane`: which of those that run at once it is, `index`: its number. */
export interface Kind {
  readonly name: string
  readonly lanes: number
  /** Cases of one round. */
  readonly count: number
  /** There are no more cases than those of one round. */
  readonly isFinite?: boolean
  make(random: Random, target: Target, at: {readonly lane: number; readonly index: number}): Case
}

type Protocol = keyof Target['hostile']
const PROTOCOLS = ['http', 'h2c', 'web'] as const
const LANES = 16
const STACK = /\n\s+at .+[/:][\w-]+\.(?:m?js|ts):\d+/

const client = (
  name: string,
  count: number,
  script: (random: Random, index: number) => Script,
  portOf: (random: Random, target: Target) => number | string
): Kind => ({
  name,
  count,
  lanes: LANES,
  make: (random, target, {index}) => {
    const [to, sent] = [portOf(random, target), script(random, index)]
    return {
      text: `to ${to}:\n  ${shown(sent)}`,
      run: async () => {
        const came = await play(typeof to === 'string' ? {path: to} : {port: to, host: '127.0.0.1'}, sent)
        const text = came.toString('latin1')
        if (STACK.test(text)) throw new Error(`a stack came back: ${text.slice(0, 2000)}`)
        if (name === 'control' && text.includes(' 500 ')) throw new Error(`a bug of the run: ${text.slice(0, 2000)}`)
      }
    }
  }
})

const anyPort = (random: Random, {sidecarPort, otherPorts}: Target): number =>
  random.oneIn(4) ? random.pick(otherPorts) : sidecarPort

const CALLERS = {
  'fast path': http1Caller(false),
  chunked: http1Caller(false),
  'HTTP/2': http2Caller
}

function check({expected, body}: Answer, seen: Seen): void {
  const {isWhole, status} = seen
  const told = `the caller saw ${isWhole ? 'whole' : 'cut'}, ${status}, ${seen.body.length} bytes: ${seen.body.slice(0, 300)}`
  if (expected === 'whole' && !(isWhole && status === 200 && seen.body === body))
    throw new Error(`the answer was whole: ${told}`)
  if (expected === 'cut' && isWhole && status === 200) throw new Error(`the answer was cut: ${told}`)
  // an unasked 101 is passed on as it is
  if (isWhole && status !== 101 && (status < 200 || status > 599)) throw new Error(`no status: ${told}`)
  if (STACK.test(seen.body)) throw new Error(`a stack: ${told}`)
}

const answering = (
  name: Protocol,
  count: number,
  answerOf: (random: Random, stream: number, index: number) => Answer,
  prefix: string
): Kind => ({
  name: `${prefix}-${name}`,
  count,
  lanes: HOSTILE,
  make: (random, {hostile, sidecarPort}, {lane, index}) => {
    const way = random.pick(Object.keys(CALLERS)) as keyof typeof CALLERS
    const seed = random.below(2 ** 32)
    // of HTTP/2 the stream is known when the request comes: all else must be the same then
    const from = (stream: number): Answer => answerOf(new Random(seed), stream, index)
    const path = `/v1.0/invoke/${name}${lane}/method/x`
    const method = random.pick(['GET', 'POST'] as const)
    const body = method === 'POST' ? 'abc' : undefined
    return {
      text: `${method} by ${way}, answered (${from(1).expected}) with:\n  ${shown(from(1).script)}`,
      run: async () => {
        const app = hostile[name][lane]
        if (app === undefined) throw new Error(`no lane ${lane}`)
        app.play = stream => from(stream).script
        check(
          from(1),
          await CALLERS[way]({port: sidecarPort, path, method, body, isChunked: way === 'chunked' && method === 'POST'})
        )
        await app.ended()
      }
    }
  }
})

const ENDS = ['fin', 'reset'] as const

const bytesIn = (wholes: readonly Buffer[]): number => wholes.reduce((sum, {length}) => sum + length, 0)

/** What breaks off at each byte of these, in each way, one after the other. */
const cutOf = (wholes: readonly Buffer[], index: number): Script => {
  let place = Math.floor(index / 2) % bytesIn(wholes)
  for (const whole of wholes) {
    if (place < whole.length) return {pieces: [whole.subarray(0, place)], end: ENDS[index % 2] ?? 'fin'}
    place -= whole.length
  }
  throw new Error(`no cut ${index}`)
}

const wholesOf = (protocol: Protocol, stream: number): readonly Buffer[] =>
  protocol === 'h2c' ? [shortStream(stream)] : SHORT_ANSWERS

const toSidecar = (_: Random, {sidecarPort}: Target): number => sidecarPort

/** A kind of which all cases are tried. */
const whole = (kind: Kind): Kind => ({...kind, isFinite: true})

/** What is tried, in this order; their numbers make a round of some seconds. */
export const KINDS: readonly Kind[] = [
  client('http1', 3000, http1Client, anyPort),
  client('http2', 3000, http2Client, anyPort),
  whole(client('cut-client', 2 * bytesIn(EXCHANGES), (_, index) => cutOf(EXCHANGES, index), toSidecar)),
  client('control', 800, controlClient, (_, {socket}) => socket),
  ...PROTOCOLS.flatMap(name => [
    answering(
      name,
      800,
      (random, stream) => (name === 'h2c' ? http2Answer(random, 'case', stream) : http1Answer(random, 'case')),
      'app'
    ),
    whole(
      answering(
        name,
        2 * bytesIn(wholesOf(name, 1)),
        (_, stream, index) => ({script: cutOf(wholesOf(name, stream), index), expected: 'cut', body: ''}),
        'cut-app'
      )
    )
  ])
]
