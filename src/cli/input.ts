import {readFileSync} from 'node:fs'
import {Readable} from 'node:stream'

/**
 * What we are given to read, for the one app of a run. A terminal is read only while our group is its foreground group: the
 * system freezes a background job that reads, with every sidecar. Each change of jobs comes with SIGCONT (`fg`, `bg` of a
 * shell), so that is when it is looked at again.
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

/** Whether our process group is the terminal's (`tpgid` of proc(5)); where the system does not tell, it is. */
function isForeground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8')
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return group === foreground
  } catch {
    return true // no such system
  }
}
