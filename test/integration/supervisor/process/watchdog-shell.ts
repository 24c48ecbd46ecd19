import {spawn, type ChildProcess} from 'node:child_process'
import {randomBytes} from 'node:crypto'
import {once} from 'node:events'
import {chmodSync, existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {startOf} from '../../../../src/platform/process-table.ts'
import {WATCHDOG_LOADER, WATCHDOG_SCRIPT} from '../../../../src/supervisor/process/watchdog-script.ts'

export const newMark = (): string => randomBytes(16).toString('hex')

/** A process that leads a group and a session of its own. */
export class Sleeper {
  readonly child: ChildProcess
  readonly pid: number
  readonly gone: Promise<unknown>
  /** Settles when it says something. */
  readonly said: Promise<unknown>

  constructor(t: Test, env: Readonly<Record<string, string>>, script = 'exec sleep 300') {
    const stdio = ['ignore', 'pipe', 'ignore'] as const
    const child = spawn('sh', ['-c', script], {env: {PATH: '/usr/bin:/bin', ...env}, detached: true, stdio: [...stdio]})
    this.child = child
    this.said = new Promise(resolve => child.stdout.once('data', resolve))
    this.pid = this.child.pid ?? 0
    this.gone = once(this.child, 'exit')
    t.teardown(() => this.child.kill('SIGKILL'))
  }

  get told(): string {
    return `+${this.pid} ${startOf(this.pid)}`
  }

  get signal(): NodeJS.Signals | null {
    return this.child.signalCode
  }
}

interface Vanishing {
  readonly shell?: readonly [string, ...string[]]
  readonly marker: string
  readonly graceMs?: number
  readonly home?: string
  /** Where its tools are. */
  readonly tools?: string
  readonly script?: string
  readonly lines: readonly string[]
}

/** Tells a watchdog these lines and vanishes; settles when the watchdog is gone. */
export async function vanish({
  shell: [file, ...options] = ['/bin/sh'],
  marker,
  graceMs = 10_000,
  home = '',
  tools = '/usr/bin:/bin',
  script = WATCHDOG_SCRIPT,
  lines
}: Vanishing): Promise<void> {
  const args = [...options, '-c', WATCHDOG_LOADER, 'watchdog', marker, graceMs.toString(), home]
  const watchdog = spawn(file, args, {
    cwd: '/',
    env: {PATH: tools, SHLVL: '1', SCRIPT: script},
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore']
  })
  const gone = once(watchdog, 'exit')
  watchdog.stdin.end(lines.map(line => `${line}\n`).join(''))
  await gone
}

/** Says so once it is deaf. */
export const DEAF = "trap '' TERM; echo deaf; while :; do sleep 0.05; done"
/** Tests: what needs most of a shell. */
export function testShell(shell: readonly [string, ...string[]]): void {
  t.test(`in ${shell.join(' ')}: TERM, the grace, KILL for groups and for what carries the mark`, async t => {
    const marker = newMark()
    const obedient = new Sleeper(t, {PILLION_RUN: marker})
    const deaf = new Sleeper(t, {PILLION_RUN: marker}, DEAF)
    const deafGroup = new Sleeper(t, {}, DEAF)
    const another = new Sleeper(t, {PILLION_RUN: newMark()})
    await Promise.all([deaf.said, deafGroup.said])
    await vanish({shell, marker, graceMs: 1000, lines: [deafGroup.told]})
    await Promise.all([obedient.gone, deaf.gone, deafGroup.gone])
    t.same([obedient.signal, deaf.signal, deafGroup.signal], ['SIGTERM', 'SIGKILL', 'SIGKILL'])
    t.equal(another.signal, null)
  })

  t.test(`in ${shell.join(' ')}: a container goes with its command: the next run may have one of its name`, async t => {
    const [deaf, left] = [new Sleeper(t, {}, DEAF), new Sleeper(t, {})]
    await deaf.said
    const folder = t.testdir({docker: `#!/bin/sh\nkill -KILL ${deaf.pid} && echo "$@" >>"$0.log"\n`})
    const engine = join(folder, 'docker')
    chmodSync(engine, 0o755)
    const container = `container ${left.pid}:${startOf(left.pid)} shop-web ${engine}`
    await vanish({shell, marker: newMark(), graceMs: 20_000, lines: [deaf.told, left.told, container]})
    t.equal(readFileSync(`${engine}.log`, 'utf8'), 'rm --force --volumes shop-web\n')
  })

  t.test(`in ${shell.join(' ')}: a daemon that hangs is not waited for`, async t => {
    const left = new Sleeper(t, {})
    const folder = t.testdir({docker: `#!/bin/sh\necho $$ >"$0.pid"\nexec sleep 300\n`})
    const engine = join(folder, 'docker')
    chmodSync(engine, 0o755)
    await vanish({
      shell,
      marker: newMark(),
      // not the ten seconds that a daemon has
      script: WATCHDOG_SCRIPT.replaceAll('-lt 100 ', '-lt 20 '),
      lines: [left.told, `container ${left.pid}:${startOf(left.pid)} shop-web ${engine}`]
    })
    t.notOk(existsSync(`/proc/${readFileSync(`${engine}.pid`, 'utf8').trim()}`))
  })
}
