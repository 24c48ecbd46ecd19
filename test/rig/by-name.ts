import {once} from 'node:events'
import net from 'node:net'

/** Lets runs of a rig open an entrance, at a port of its own. */
export const withNames = (port: number): Readonly<Record<string, string>> => ({
  PILLION_NAMES: '1',
  PILLION_NAMES_PORT: port.toString()
})

/** Sends text to an entrance, and returns all that arrives until the connection closes. */
export async function exchange(port: number, text: string, host = '127.0.0.1'): Promise<string> {
  const socket = net.connect(port, host).setEncoding('latin1')
  let got = ''
  socket.on('data', (piece: string) => {
    got += piece
  })
  socket.on('error', () => undefined)
  socket.write(text, 'latin1')
  await once(socket, 'close')
  return got
}

/** Calls an app by its name; `lines` are further header lines. */
export const callByName = async (port: number, name: string, path = '/', lines = ''): Promise<string> =>
  exchange(port, `GET ${path} HTTP/1.1\r\nHost: ${name}:${port}\r\nConnection: close\r\n${lines}\r\n`)
