import {openSync} from 'node:fs'
import {networkEngine, networkName, type Containers} from '../../platform/containers.ts'
import type {Environment} from '../../model/environment.ts'
import {messageOf} from '../../model/errors.ts'
import {shellQuoted} from '../../model/shell-quoted.ts'
import {spawnGroup, type ProcessGroup} from '../../platform/process-group.ts'
import type {Network} from './container-network.ts'
import {WATCHDOG_LOADER, WATCHDOG_SCRIPT} from './watchdog-script.ts'
import {pause} from '../../platform/delay.ts'
import type {KeyMode} from '../../platform/key-mode.ts'

/** Minimum life in ms of a watchdog that is replaced at once: the next one would fail soon, too. */
const SHORT_RUN_MS = 1000
/** On exit we wait this long for the watchdog. */
const GONE_WITHIN_MS = 500
/** Variables that choose an engine and its daemon: another daemon may have containers with the same names. */
const OF_ENGINES = /^(?:(?:CONTAINER|CONTAINERD|DOCKER)_\w+|HOME|PATH|XDG_RUNTIME_DIR)$/

/** Containers of a process, with its environment, by which their daemon is found. */
export type OwnContainers = Containers & {readonly env: Environment}

/** The part of a watchdog that a process needs. */
export type ProcessWatchdog = Pick<Watchdog, 'watch' | 'forget' | 'openNetwork'>

/**
 * A small process that cleans up if we are killed (SIGKILL, a crash, out of memory): it ends our process groups and all processes with
 * the run's marker. A shell reads a pipe that only we hold, so its input ends when we do. The shell has its own session, and neither our streams nor our markers. A killed watchdog is replaced, after a failure with the next process.
 */
export class Watchdog {
  /** The value of `PILLION_RUN`. */
  readonly #marker: string
  /** Time from SIGTERM to SIGKILL after we were killed. */
  #graceMs: number
  /** Environment of the run, for the shell's PATH besides the system's. */
  readonly #env: Environment
  /** Called if the watchdog cannot start, or has exited without a replacement; again only after one has lived. */
  readonly #lost: (why: string) => void
  /** The commands of the watched groups, which its replacement gets, too. */
  readonly #groups = new Map<number, readonly string[]>()
  /** The networks of containers, by their lines for the script. */
  readonly #networks = new Map<string, Network & {readonly made: Promise<void>}>()
  readonly spared: string[] = [] // values of `PILLION_LIFE`, also of apps that were closed since
  #terminal = ''
  #process: ProcessGroup | undefined
  #home = ''
  #isLost = false
  #isReported = false
  #isDismissed = false

  constructor(marker: string, graceMs: number, env: Environment, lost: (why: string) => void) {
    this.#marker = marker
    this.#graceMs = graceMs
    this.#env = env
    this.#lost = lost
  }

  /**
   * Starts the watchdog. Call it before the first app is spawned. Does not wait; reports a failure to `lost`. If the run is killed, the
   * watchdog removes `home`, the folder of the run's socket.
   */
  start(home: string): void {
    this.#home = home
    this.#isLost = false
    try {
      this.#process = this.#spawn(home)
    } catch (error) {
      this.#lose(messageOf(error))
    }
    for (const line of [...this.#groups.values()].flat()) this.#tell(line)
    for (const line of this.#networks.keys()) this.#tell(line)
    for (const marker of this.spared) this.#tell(`spare ${marker}`)
    if (this.#terminal !== '') this.#tell(`terminal${this.#terminal}`)
  }

  /** Adds a process group with its grace period, which an edit may make the longest so far. `container`: of its command. */
  watch({pid, started}: Pick<ProcessGroup, 'pid' | 'started'>, graceMs = 0, container?: OwnContainers): void {
    if (pid === undefined) return
    if (this.#isLost && !this.#isDismissed) this.start(this.#home)
    if (graceMs > this.#graceMs) this.#tell(`grace ${(this.#graceMs = graceMs)}`)
    const named = container?.names.map(name => `container ${pid}:${started} ${name} ${engineText(container)}`) ?? []
    const lines = [`+${pid} ${started}`, ...named]
    this.#groups.set(pid, lines)
    for (const line of lines) this.#tell(line)
  }

  /** Makes the network that the container of a command needs, once for each engine. `failed` is called with a problem once. */
  async openNetwork(command: readonly string[], env: Environment, failed: (why: string) => void): Promise<void> {
    const engine = networkEngine(command)
    if (engine === '') return
    const network = {engine, name: networkName(this.#marker), env}
    const line = `network ${network.name} ${engineText(network)}`
    const known = this.#networks.get(line)
    if (known !== undefined) return known.made
    this.#tell(line)
    const made = import('./container-network.ts')
      .then(async ({createNetwork}) => createNetwork(network))
      .catch((error: unknown) => {
        this.#networks.delete(line) // the next start tries again
        return messageOf(error)
      })
      .then(why => (why === '' ? undefined : failed(why)))
    this.#networks.set(line, {...network, made})
    return made
  }

  /** Removes the networks of the run, whose containers have ended. */
  async removeNetworks(): Promise<void> {
    if (this.#networks.size === 0) return
    const {removeNetwork} = await import('./container-network.ts')
    await Promise.all([...this.#networks.values()].map(removeNetwork))
  }

  /** Removes a gone group, whose number the system may reuse. */
  forget({pid}: Pick<ProcessGroup, 'pid'>): void {
    if (pid !== undefined && this.#groups.delete(pid)) this.#tell(`-${pid}`)
  }

  /** Spares processes that leave the group of this process (the value of `PILLION_LIFE`). */
  spare(marker: string): void {
    this.spared.push(marker)
    this.#tell(`spare ${marker}`)
  }

  /** Makes the watchdog restore the modes of this terminal if we are killed; undefined: nothing to restore. */
  guardTerminal(mode: KeyMode | undefined): void {
    this.#terminal = mode === undefined ? '' : ` ${mode.device} ${mode.keys} ${mode.saved}`
    this.#tell(`terminal${this.#terminal}`)
  }

  /** Makes the watchdog exit, as no processes are left. Waits for its exit, but not for long. */
  async dismiss(): Promise<void> {
    this.#isDismissed = true
    const child = this.#process
    if (child === undefined || child.hasExited()) return
    const isGone = new AbortController()
    void child.exited.then(() => isGone.abort())
    this.#tell('bye')
    await pause(GONE_WITHIN_MS, isGone.signal)
    // a watchdog that was suspended (SIGSTOP) would stay
    child.signal('SIGKILL', 'leader')
  }

  #spawn(home: string): ProcessGroup {
    const startedAt = performance.now()
    const nowhere = {theirs: openSync('/dev/null', 'w')}
    const child = spawnGroup({
      command: ['/bin/sh', '-c', WATCHDOG_LOADER, 'pillion-watchdog', this.#marker, this.#graceMs.toFixed(0), home],
      folder: '/',
      // SHLVL: otherwise a first bash with a socket as input behaves as if started by rshd, and reads ~/.bashrc
      env: {PATH: `/usr/bin:/bin:${this.#env['PATH'] ?? ''}`, SHLVL: '1', SCRIPT: WATCHDOG_SCRIPT},
      stdio: {stdout: nowhere, stderr: nowhere},
      hasInput: true,
      isUnref: true
    })
    void child.exited.then(exit =>
      exit.kind === 'spawn-error' ? this.#lose(exit.message) : this.#replace(home, performance.now() - startedAt)
    )
    return child
  }

  /** Sends a line. Lines of one turn are one write: each write wakes the watchdog, while starting apps need the processor. */
  #tell(line: string): void {
    const input = this.#process?.stdin
    if (input === undefined || input === null) return
    if (input.writableCorked === 0) {
      input.cork()
      process.nextTick(() => input.uncork())
    }
    input.write(`${line}\n`)
  }

  #replace(home: string, livedMs: number): void {
    if (this.#isDismissed) return
    if (livedMs < SHORT_RUN_MS) return this.#lose('it was killed from outside')
    this.#isReported = false
    this.start(home)
  }

  #lose(why: string): void {
    this.#isLost = true
    if (!this.#isReported) this.#lost(why)
    this.#isReported = true
  }
}

/** Returns an engine with its settings, for a shell. Leaves out settings of several lines. */
function engineText({engine, env}: Pick<OwnContainers, 'engine' | 'env'>): string {
  const settings = Object.entries(env).filter(([name, value = '\n']) => OF_ENGINES.test(name) && !value.includes('\n'))
  return [...settings.map(([name, value = '']) => `${name}=${shellQuoted(value)}`), shellQuoted(engine)].join(' ')
}
