import net from 'node:net'

export interface Knocking {
  /** Sent on each connection. */
  readonly text: string
  readonly until: 'answered' | 'refused'
}

/** Connects to a port again and again until one knock ends in this way; the others may end in any way, but they end. */
export async function knock(port: number, {text, until}: Knocking): Promise<void> {
  while ((await knockOnce(port, text)) !== until);
}

async function knockOnce(port: number, text: string): Promise<'answered' | 'refused' | 'closed'> {
  return new Promise(resolve => {
    let isAccepted = false
    const socket = net.connect({port, host: '127.0.0.1', noDelay: true})
    socket
      .on('connect', () => {
        isAccepted = true
        socket.write(text, 'latin1')
      })
      .on('data', () => {
        resolve('answered')
        socket.destroy()
      })
      .on('error', () => undefined)
      .on('close', () => resolve(isAccepted ? 'closed' : 'refused'))
  })
}
