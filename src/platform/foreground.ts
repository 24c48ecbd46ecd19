import {readFileSync} from 'node:fs'

/** Whether our process group is the terminal's (`tpgid` of proc(5)); where the system does not tell, it is. */
export function isForeground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8')
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return group === foreground
  } catch {
    return true // no such system
  }
}
