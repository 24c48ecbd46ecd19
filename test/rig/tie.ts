import {spawn, type ChildProcess} from 'node:child_process'
import {Socket} from 'node:net'
import {limitAlone} from './limit.ts'

await limitAlone()

/** Waits for the end of its input, which is the end of the process that holds the other side of the pipe. */
const GUARD = 'read -r _; kill -9 "$1"; [ -z "$2" ] || rm -rf "$2"'

/**
 * Kills a process and removes its folder as soon as this process is gone, however it went: a test that is killed tears
 * nothing down. A `detached` process is killed with its group.
 */
export function tie(child: ChildProcess, folder = '', {detached = false}: {detached?: boolean} = {}): void {
  if (child.pid === undefined) return
  const target = `${detached ? '-' : ''}${child.pid}`
  const guard = spawn('sh', ['-c', GUARD, 'sh', target, folder], {stdio: ['pipe', 'ignore', 'ignore'], detached: true})
  child.once('exit', () => guard.kill('SIGKILL'))
  guard.unref()
  if (guard.stdin instanceof Socket) guard.stdin.unref()
}
