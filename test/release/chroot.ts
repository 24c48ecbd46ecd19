import type {Rig} from '../rig/rig.ts'

const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n']

/**
 * Runs a script of sh with this folder as the root of all files, in a namespace of processes of its own: what it leaves behind ends with
 * it. Gives all that was printed, and the exit code last.
 */
export async function inRoot(rig: Rig, root: string, script: string): Promise<string> {
  const mounts = `mkdir -p "$0/proc" "$0/dev" && mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc"`
  const inside = `exec 2>&1; cd /work || exit; ${script}`
  const chroot = ['sh', '-c', `${mounts} && exec chroot "$0" /bin/sh -c "$1"`, root, inside]
  const program = rig.start([...asRoot, 'unshare', '--mount', '--pid', '--fork', '--kill-child', ...chroot])
  const {code} = await program.exited
  return `${program.stdout.text}${program.stderr.text}exit code ${code}\n`
}

/** Does as root what a user may not: files of another root belong to root. */
export async function rootly(rig: Rig, ...command: readonly string[]): Promise<void> {
  const program = rig.start([...asRoot, ...command])
  const {code} = await program.exited
  if (code !== 0) throw new Error(`${command.join(' ')}: exit code ${code}: ${program.stderr.text}`)
}
