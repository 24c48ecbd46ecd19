/** One of the two servers that are compared: its clients, and what each is answered. */
import {connect, type Socket} from 'node:net'
import {request} from '../../rig/resp.ts'

/** An answer: arrays for lists, with a sign in front of what is no plain list. */
export type Answer = string | readonly Answer[]

class Connection {
  readonly socket: Socket
  id = ''
  #text = ''
  #isOver = false
  #wake = (): void => {}

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket
      .on('data', chunk => {
        this.#text += chunk.toString('latin1')
        this.#wake()
      })
      .on('error', () => {})
      .on('close', () => {
        this.#isOver = true
        this.#wake()
      })
  }

  /** Asks for its id. */
  async begin(): Promise<void> {
    this.send(['CLIENT', 'ID'])
    this.id = String(await this.next()).slice(1)
  }

  send(args: readonly string[]): void {
    this.socket.write(request(args), 'latin1')
  }

  /** The next answer if it has arrived. */
  take(): Answer | undefined {
    const read = parse(this.#text, 0)
    if (read === undefined) return this.#isOver ? 'CLOSED' : undefined
    this.#text = this.#text.slice(read.end)
    return read.answer
  }

  async arrival(): Promise<void> {
    if (parse(this.#text, 0) !== undefined || this.#isOver) return
    await new Promise<void>(resolve => (this.#wake = resolve))
  }

  async next(): Promise<Answer> {
    for (;;) {
      const answer = this.take()
      if (answer !== undefined) return answer
      await this.arrival()
    }
  }
}

/** What was answered, by the name of the client. */
export type Answers = Readonly<Record<string, Answer>>

export class Side {
  readonly #port: number
  readonly clients: Connection[] = []
  readonly #waiting = new Set<number>()
  readonly #control: Connection
  readonly #listener: Connection

  private constructor(port: number, count: number) {
    this.#port = port
    this.#control = new Connection(port)
    this.#listener = new Connection(port)
    for (let at = 0; at < count; at++) this.clients.push(new Connection(port))
  }

  static async open(port: number, count: number): Promise<Side> {
    const side = new Side(port, count)
    for (const client of [side.#control, side.#listener, ...side.clients]) await client.begin()
    await side.call('CONFIG', 'SET', 'notify-keyspace-events', 'KEA')
    side.#listener.send(['PSUBSCRIBE', '__key*'])
    await side.#listener.next()
    return side
  }

  async call(...args: readonly string[]): Promise<Answer> {
    this.#control.send(args)
    return this.#control.next()
  }

  isWaiting(at: number): boolean {
    return this.#waiting.has(at)
  }

  /** Ends the connection of a client from another one, and opens it again; returns what the others were answered then. */
  async kill(at: number): Promise<Answers> {
    const client = this.#client(at)
    const answers: Record<string, Answer> = {answer: await this.call('CLIENT', 'KILL', 'ID', client.id)}
    while ((await client.next()) !== 'CLOSED');
    this.#waiting.delete(at)
    this.clients[at] = new Connection(this.#port)
    await this.clients[at].begin()
    return this.#after(answers)
  }

  /** The time of a key comes; returns what the clients were answered then. */
  async expire(key: string): Promise<Answers> {
    const answers: Record<string, Answer> = {answer: await this.call('PEXPIRE', key, '20')}
    while ((await this.call('EXISTS', key)) !== ':0');
    return this.#after(answers)
  }

  #client(at: number): Connection {
    const client = this.clients[at]
    if (client === undefined) throw new Error(`no client ${at}`)
    return client
  }

  /** Sends a command, and returns all that was answered then: by name of the client. */
  async run(at: number, args: readonly string[]): Promise<Answers> {
    const client = this.#client(at)
    client.send(args)
    const answers: Record<string, Answer> = {}
    for (;;) {
      const answer = client.take()
      if (answer !== undefined) {
        answers['answer'] = answer
        break
      }
      if ((await this.#blocked()).has(client.id)) {
        const late = client.take()
        if (late !== undefined) answers['answer'] = late
        else this.#waiting.add(at)
        break
      }
    }
    return this.#after(answers)
  }

  async #after(answers: Record<string, Answer>): Promise<Answers> {
    await this.#others(answers)
    answers['events'] = await this.#events()
    return answers
  }

  /** What those who have waited are answered. */
  async #others(answers: Record<string, Answer>): Promise<void> {
    if (this.#waiting.size > 0) {
      const blocked = await this.#blocked()
      for (const each of [...this.#waiting].toSorted((a, b) => a - b)) {
        const client = this.clients[each]
        if (client === undefined || blocked.has(client.id)) continue
        this.#waiting.delete(each)
        answers[`client ${each}`] = await client.next()
      }
    }
    // what is pushed to subscribers
    await this.call('PING')
    for (const [at, client] of this.clients.entries()) {
      const more: Answer[] = []
      for (let answer = client.take(); answer !== undefined && answer !== 'CLOSED'; answer = client.take())
        more.push(answer)
      if (more.length > 0) answers[`pushed to ${at}`] = more
    }
  }

  async #blocked(): Promise<ReadonlySet<string>> {
    const list = String(await this.call('CLIENT', 'LIST'))
    const lines = list.split('\n').filter(line => / flags=[a-zA-Z]*b/.test(line))
    return new Set(lines.map(line => /id=(\d+)/.exec(line)?.[1] ?? ''))
  }

  async #events(): Promise<Answer> {
    this.#listener.send(['PING'])
    const events: Answer[] = []
    for (;;) {
      const answer = await this.#listener.next()
      if (Array.isArray(answer) && answer[0] === 'pong') return events
      const [, , channel, message] = answer as readonly string[]
      events.push(`${channel} ${message}`)
    }
  }

  /** Ends the waits: with an answer each. */
  close(): void {
    for (const client of [this.#control, this.#listener, ...this.clients]) client.socket.destroy()
  }
}

interface Read {
  readonly answer: Answer
  readonly end: number
}

function parse(text: string, at: number): Read | undefined {
  const lineEnd = text.indexOf('\r\n', at)
  if (lineEnd === -1) return undefined
  const sign = text.charAt(at)
  const line = text.slice(at + 1, lineEnd)
  const end = lineEnd + 2
  if ('+-:,#(_'.includes(sign)) return {answer: sign + line, end}
  const length = Number(line)
  if ('$='.includes(sign)) {
    if (length === -1) return {answer: '$nil', end}
    if (text.length < end + length + 2) return undefined
    return {answer: text.slice(end, end + length), end: end + length + 2}
  }
  if (length === -1) return {answer: '*nil', end}
  const items: Answer[] = sign === '*' ? [] : [sign]
  let next = end
  for (let left = sign === '%' ? 2 * length : length; left > 0; left--) {
    const item = parse(text, next)
    if (item === undefined) return undefined
    items.push(item.answer)
    next = item.end
  }
  // a push is the same in both protocols
  return {answer: sign === '>' ? items.slice(1) : items, end: next}
}
