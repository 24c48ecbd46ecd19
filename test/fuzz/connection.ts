import net from 'node:net'
import {setImmediate as turn} from 'node:timers/promises'
import type {Script} from './script.ts'

/** After so long something hangs: on a busy machine all that is waited for takes less than a second. */
export const HANGS_AFTER_MS = 20_000

/** Waits for something that must come; fails with these words when it hangs. */
export async function soon<T>(coming: Promise<T>, words: () => string): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`${words()} hangs`)), HANGS_AFTER_MS)
  try {
    return await Promise.race([coming, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Writes a script's pieces and ends as it says. A side that has left takes no more. */
export async function write(socket: net.Socket, {pieces, end}: Script): Promise<void> {
  for (const piece of pieces) {
    if (!socket.writable) return
    socket.write(piece)
    await turn()
  }
  if (end === 'fin') socket.end()
  // a unix domain socket knows no reset
  else if (end === 'reset') void (socket.remoteAddress === undefined ? socket.destroy() : socket.resetAndDestroy())
}

/** Plays a script to a listener; what came back until the connection was closed on both sides, as it must be. */
export async function play(to: net.NetConnectOpts, script: Script): Promise<Buffer> {
  const socket = net.connect({...to, allowHalfOpen: true, noDelay: true})
  const came: Buffer[] = []
  socket.on('data', (bytes: Buffer) => came.push(bytes)).on('error', () => undefined)
  const closed = Promise.withResolvers<void>()
  // a test that reads the end of the other side ends its own, too
  socket.on('end', () => socket.end()).on('close', () => closed.resolve())
  try {
    await write(socket, script)
    await soon(
      closed.promise,
      () => `the connection, after ${script.end}, of which ${Buffer.concat(came).length} bytes came,`
    )
  } finally {
    socket.destroy()
  }
  return Buffer.concat(came)
}
