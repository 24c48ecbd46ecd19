import {spawn, spawnSync} from 'node:child_process'
import {systemText} from './paths.ts'
import {statFields} from './proc.ts'
import {isForegroundByPs} from './ps-now.ts'

/** The modes of a terminal that delivers each key at once and does not echo, in the form of `stty -g`. */
export interface KeyMode {
  /** `/dev/pts/3` */
  readonly device: string
  /** The current modes. */
  readonly keys: string
  /** The modes before. */
  readonly saved: string
}

const MODES = {
  /** Keys one by one; signals stay, so Ctrl-C, Ctrl-Z and Ctrl-\ keep their meaning (termios(3): ICANON, ECHO, ISIG). */
  keys: '-icanon -echo min 1 time 0',
  /** Every byte unchanged in both directions. Node's `setRawMode` would turn each LF into CR LF. */
  bytes: 'raw -echo'
} as const
const WITHIN_MS = 2000

/** Switches the terminal of stdin to a mode. Undefined without a terminal or `stty`. Only the foreground group may call it: any other would be stopped (SIGTTOU). */
export async function enterKeyMode(mode: keyof typeof MODES = 'keys'): Promise<KeyMode | undefined> {
  const text = await outputOf(`tty && stty -g && stty ${MODES[mode]} && stty -g`)
  const [device = '', saved = '', keys = ''] = text.split('\n')
  return keys === '' ? undefined : {device, keys, saved}
}

/** Restores the modes at once, unless the terminal belongs to another group by now. */
export function leaveKeyMode({saved}: KeyMode): void {
  if (isForeground()) spawnSync('stty', [saved], {stdio: ['inherit', 'ignore', 'ignore'], timeout: WITHIN_MS})
}

/** Runs a shell with the stdin of this process. Resolves with its output; '': it failed. */
const outputOf = async (script: string): Promise<string> =>
  new Promise(resolve => {
    const shell = spawn('/bin/sh', ['-c', script], {stdio: ['inherit', 'pipe', 'ignore'], timeout: WITHIN_MS})
    let text = ''
    shell.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
    shell.once('error', () => resolve(''))
    shell.once('close', code => resolve(code === 0 ? text : ''))
  })

/** Whether our process group is the terminal's (`tpgid` of proc(5)): else the system stops us once we touch it (SIGTTIN, SIGTTOU). */
export function isForeground(): boolean {
  const [, , group, , , foreground] = statFields(systemText('/proc/self/stat'))
  return group === undefined ? isForegroundByPs() : group === foreground
}
