import {once} from 'node:events'

/** A stream of events that somebody reads. */
export interface Events {
  /** What the next event says that comes from now on. */
  next(): Promise<string>
  /** Settles when it is over: whether it was broken off, rather than ended. */
  readonly isCut: Promise<boolean>
  /** The reader leaves. */
  leave(): void
}

/** Opens a stream of server-sent events; settles with its first one read. */
export async function openEvents(url: string): Promise<Events> {
  const leaving = new AbortController()
  const {body, status} = await fetch(url, {headers: {accept: 'text/event-stream'}, signal: leaving.signal})
  if (body === null || status !== 200) throw new Error(`${url}: ${status}`)
  const takers = new Set<(event: string) => void>()
  const read = async (): Promise<boolean> => {
    try {
      for await (const piece of body.pipeThrough(new TextDecoderStream())) {
        const [, event] = /data: (.*)\n\n$/.exec(piece) ?? []
        if (event !== undefined) for (const take of takers) take(event)
      }
      return false
    } catch {
      return true
    }
  }
  const isCut = read()
  const next = async (): Promise<string> =>
    Promise.race([
      new Promise<string>(resolve => takers.add(resolve)),
      isCut.then(() => {
        throw new Error('the stream is over')
      })
    ])
  await next()
  return {next, isCut, leave: () => leaving.abort()}
}

/** A websocket that stands. */
export interface Line {
  /** Says something, and gives what it hears. */
  ask(): Promise<string>
  /** Settles when it is closed, with the code (RFC 6455 §7.4): 1005 after a goodbye, 1006 without one. */
  readonly closed: Promise<number>
  leave(): Promise<void>
}

/** Opens a websocket. */
export async function openLine(url: string): Promise<Line> {
  const socket = new WebSocket(url.replace('http:', 'ws:'))
  const closed = new Promise<number>(resolve => socket.addEventListener('close', ({code}) => resolve(code)))
  await Promise.race([
    once(socket, 'open'),
    closed.then(code => {
      throw new Error(`${url}: no websocket, ${code}`)
    })
  ])
  const ask = async (): Promise<string> => {
    const heard = new Promise<string>(resolve =>
      socket.addEventListener('message', ({data}) => resolve(String(data)), {once: true})
    )
    socket.send('?')
    return Promise.race([
      heard,
      closed.then(code => {
        throw new Error(`closed: ${code}`)
      })
    ])
  }
  return {
    ask,
    closed,
    leave: async () => {
      socket.close()
      await closed
    }
  }
}
