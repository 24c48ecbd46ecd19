import {spawn} from 'node:child_process'
import {Socket} from 'node:net'

/** Waits for the end of its input, then kills all whose environment carries a socket of these rigs, until there are none. */
const GUARD = `read -r _
ls -d "$1"* >/dev/null 2>&1 || exit
while marked=$(grep -lz "^RIG_SOCKET=$1" /proc/[0-9]*/environ 2>/dev/null); [ -n "$marked" ]; do
  for path in $marked; do pid=\${path#/proc/}; kill -9 "\${pid%/environ}" 2>/dev/null; done
  sleep 0.1
done
rm -rf "$1"*`

let prefix: string | undefined

/**
 * Gives what the folders of this process's rigs begin with. As soon as this process is gone, however it went, what its rigs
 * started is killed and their folders are removed: a test that is killed tears nothing down.
 */
export function tieRigs(): string {
  if (prefix !== undefined) return prefix
  prefix = `/tmp/rig-${process.pid.toString(36)}-` // short, because paths of sockets are
  const env = {PATH: process.env['PATH'] ?? '/usr/bin:/bin'}
  const guard = spawn('sh', ['-c', GUARD, 'sh', prefix], {stdio: ['pipe', 'ignore', 'ignore'], detached: true, env})
  guard.unref()
  if (guard.stdin instanceof Socket) guard.stdin.unref()
  return prefix
}
