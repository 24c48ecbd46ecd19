import {connect, type Socket} from 'node:net'
import {once} from 'node:events'

/** A client of Redis' protocol that shows each answer exactly, in a line of text. */
export interface RespClient {
  readonly socket: Socket
  send(args: readonly string[]): void
  write(bytes: string): void
  /** The next answer or push. Rejects when the connection ends first. */
  next(): Promise<string>
  call(...args: readonly string[]): Promise<string>
  close(): void
}

const NOTHING = (): void => {}

export async function respClient(port: number, host = '127.0.0.1'): Promise<RespClient> {
  const socket = connect(port, host)
  await once(socket, 'connect')
  let text = ''
  let isOver = false
  let wake = NOTHING
  socket
    .on('data', chunk => {
      text += chunk.toString('latin1')
      wake()
    })
    .on('error', () => {})
    .on('close', () => {
      isOver = true
      wake()
    })
  const write = (bytes: string): void => void socket.write(bytes, 'latin1')
  const send = (args: readonly string[]): void => write(request(args))
  const next = async (): Promise<string> => {
    for (;;) {
      const shown = show(text, 0)
      if (shown !== undefined) {
        text = text.slice(shown.end)
        return shown.text
      }
      if (isOver) throw new Error(`the connection has ended; left: ${JSON.stringify(text)}`)
      await new Promise<void>(resolve => (wake = resolve))
    }
  }
  return {
    socket,
    send,
    write,
    next,
    call: async (...args) => {
      send(args)
      return next()
    },
    close: () => socket.destroy()
  }
}

export const request = (args: readonly string[]): string =>
  `*${args.length}\r\n${args.map(arg => `$${arg.length}\r\n${arg}\r\n`).join('')}`

interface Shown {
  readonly text: string
  readonly end: number
}

/** An answer as text: `+OK`, `:1`, `"bytes"`, `nil`, `nil[]`, `[…]`, `%{…}`, `~{…}`, `>[…]`, `,1.5`; undefined: not whole. */
function show(text: string, at: number): Shown | undefined {
  const lineEnd = text.indexOf('\r\n', at)
  if (lineEnd === -1) return undefined
  const sign = text.charAt(at)
  const line = text.slice(at + 1, lineEnd)
  const end = lineEnd + 2
  switch (sign) {
    case '+':
    case '-':
    case ':':
    case ',':
    case '#':
    case '(':
      return {text: sign + line, end}
    case '_':
      return {text: '_', end}
    case '$':
    case '=': {
      const length = Number(line)
      if (length === -1) return {text: 'nil', end}
      if (text.length < end + length + 2) return undefined
      return {text: (sign === '=' ? '=' : '') + JSON.stringify(text.slice(end, end + length)), end: end + length + 2}
    }
    case '*':
    case '>':
    case '~':
    case '%': {
      const count = Number(line)
      if (count === -1) return {text: 'nil[]', end}
      const items = showAll(text, end, sign === '%' ? 2 * count : count)
      return items && {text: `${sign === '*' ? '' : sign}[${items.text}]`, end: items.end}
    }
    default:
      throw new Error(`no answer of Redis: ${JSON.stringify(text.slice(at, at + 40))}`)
  }
}

function showAll(text: string, start: number, count: number): Shown | undefined {
  const items: string[] = []
  let end = start
  for (let left = count; left > 0; left--) {
    const item = show(text, end)
    if (item === undefined) return undefined
    items.push(item.text)
    end = item.end
  }
  return {text: items.join(' '), end}
}
