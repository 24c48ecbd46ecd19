import {orElse} from '../model/or-else.ts'
import {loadFfi} from './experimental.ts'
import {look} from './process-table.ts'

/** How often to look for orphans that have exited. */
const EVERY_MS = 2000
/** waitpid(2): does not wait. */
const WNOHANG = 1

/**
 * Reaps exited orphans if this process has PID 1, their parent. False if Node cannot call the C library. A zombie seen in two looks is
 * not a child of Node, which reaps its own in the next turn of its loop.
 */
export function reapOrphans(): boolean {
  const signature = {arguments: ['i32', 'u64', 'i32'], return: 'i32'}
  const waitpid = orElse(() => loadFfi()?.dlopen(null, {waitpid: signature}).functions['waitpid'], undefined)
  if (waitpid === undefined) return false
  let before = new Set<string>()
  const reap = async (): Promise<void> => {
    const zombies = (await look()).all.filter(({parent, isZombie}) => isZombie && parent === process.pid)
    for (const {pid, started} of zombies) if (before.has(`${pid} ${started}`)) waitpid(pid, 0n, WNOHANG)
    before = new Set(zombies.map(({pid, started}) => `${pid} ${started}`))
  }
  setInterval(() => void reap(), EVERY_MS).unref()
  return true
}
