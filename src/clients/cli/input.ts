import {Readable} from 'node:stream'
import {isForeground} from '../../platform/key-mode.ts'

/**
 * Our stdin, for the one app of a run. A terminal is read only while our process group is in the foreground: the system
 * stops a background job that reads, and all sidecars would stop with it. A shell sends SIGCONT on `fg` and `bg`; then we
 * check again.
 */
export function openInput(): Readable {
  const {stdin} = process
  if (!stdin.isTTY) return stdin
  const turns = new Readable({read: () => undefined})
  const look = (): void => {
    if (isForeground()) stdin.resume()
    else stdin.pause()
  }
  stdin.on('data', chunk => {
    turns.push(chunk)
    look()
  })
  stdin.on('end', () => turns.push(null))
  process.on('SIGCONT', look)
  look()
  return turns
}
