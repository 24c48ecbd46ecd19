import {execFileSync} from 'node:child_process'

/** The system's own `ps`, in words that no language changes. */
export const PS_ENVIRONMENT = {PATH: '/bin:/usr/bin', LC_ALL: 'C'}

/** Reads the start time of a process from `lstart`. */
export const secondsOf = (start: string): number => Date.parse(start) / 1000

/** Returns columns of one process; '' if it is gone, or `ps` lacks them. */
export function columnsOf(pid: number, columns: string): string {
  try {
    return execFileSync('ps', ['-p', pid.toString(), '-ww', '-o', columns], {
      env: PS_ENVIRONMENT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore']
    }).trim()
  } catch {
    return ''
  }
}

/** Returns the start time of a process, in seconds; 0 if there is none. */
export const startByPs = (pid: number): number => secondsOf(columnsOf(pid, 'lstart=')) || 0

/** Whether a process is stopped by a signal. */
export const isSuspendedByPs = (pid: number): boolean => columnsOf(pid, 'stat=').startsWith('T')

/** Whether our process group is in the terminal's foreground; true if `ps` does not report it. */
export function isForegroundByPs(): boolean {
  const [group, foreground = group] = columnsOf(process.pid, 'pgid=,tpgid=').split(/\s+/)
  return group === foreground
}
