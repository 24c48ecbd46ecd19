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

/** Minimum life of a watchdog that is replaced after its exit, in ms: after a shorter one, the next would soon fail, too. */
const SHORT_RUN_MS = 1000
/** Maximum wait for the exit of the watchdog at the end of the run, in ms. */
const GONE_WITHIN_MS = 500
/** Matches variables that choose a container engine and its daemon: another daemon may have containers with the same names. */
const OF_ENGINES = /^(?:(?:CONTAINER|CONTAINERD|DOCKER)_\w+|HOME|PATH|XDG_RUNTIME_DIR)$/

/** The containers of a process. `env`: environment of the process, which shows their daemon. */
export type OwnContainers = Containers & {readonly env: Environment}

/** The methods of a watchdog that a process calls. */
export type ProcessWatchdog = Pick<Watchdog, 'watch' | 'forget' | 'openNetwork'>

/**
 * A shell that cleans up if Pillion is killed (SIGKILL, a crash, out of memory): it ends Pillion's process groups and all processes with the
 * run's marker. The shell reads a pipe that only Pillion holds, whose end shows that Pillion is gone, and has its own session, but neither Pillion's
 * streams nor its markers. A killed watchdog is replaced at once; one that has failed, with the next process of an app.
 */
export class Watchdog {
  /** Value of `PILLION_RUN` in all processes of the run. */
  readonly #marker: string
  /** Time from SIGTERM to SIGKILL, in ms. */
  #graceMs: number
  /** Environment of the run, whose PATH the shell uses after the system's. */
  readonly #env: Environment
  /** Called if the watchdog cannot start, or has exited without a replacement. Called again only after a later watchdog has lived. */
  readonly #lost: (why: string) => void
  /** Lines for the script about each watched group, by its number. A replacement gets them, too. */
  readonly #groups = new Map<number, readonly string[]>()
  /** Networks of containers, by their lines for the script. */
  readonly #networks = new Map<string, Network & {readonly made: Promise<void>}>()
  readonly spared: string[] = [] // values of `PILLION_LIFE` whose processes keep running, also of closed apps
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

  /** Starts the watchdog, before the first app. Reports a failure by `lost`. `home`: folder of the run's socket, which it removes if the run is killed. */
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

  /** Adds a process group. `graceMs`: grace period of its app, the longest of which counts. `container`: container of its command. */
  watch({pid, started}: Pick<ProcessGroup, 'pid' | 'started'>, graceMs = 0, container?: OwnContainers): void {
    if (pid === undefined) return
    if (this.#isLost && !this.#isDismissed) this.start(this.#home)
    if (graceMs > this.#graceMs) this.#tell(`grace ${(this.#graceMs = graceMs)}`)
    const named = container?.names.map(name => `container ${pid}:${started} ${name} ${engineText(container)}`) ?? []
    const lines = [`+${pid} ${started}`, ...named]
    this.#groups.set(pid, lines)
    for (const line of lines) this.#tell(line)
  }

  /** Creates the network that the container of a command needs, once for each engine. `failed`: called once with a problem. */
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

  /** Removes the networks of the run after their containers have ended. */
  async removeNetworks(): Promise<void> {
    if (this.#networks.size === 0) return
    const {removeNetwork} = await import('./container-network.ts')
    await Promise.all([...this.#networks.values()].map(removeNetwork))
  }

  /** Removes a group that has ended, since the system may reuse its number. */
  forget({pid}: Pick<ProcessGroup, 'pid'>): void {
    if (pid !== undefined && this.#groups.delete(pid)) this.#tell(`-${pid}`)
  }

  /** Lets processes keep running that have left their group. `marker`: value of `PILLION_LIFE` of these processes. */
  spare(marker: string): void {
    this.spared.push(marker)
    this.#tell(`spare ${marker}`)
  }

  /** Makes the watchdog restore the modes of a terminal if Pillion is killed. `mode`: undefined: nothing to restore. */
  guardTerminal(mode: KeyMode | undefined): void {
    this.#terminal = mode === undefined ? '' : ` ${mode.device} ${mode.keys} ${mode.saved}`
    this.#tell(`terminal${this.#terminal}`)
  }

  /** Makes the watchdog exit, since no processes are left. Waits for its exit, at most `GONE_WITHIN_MS`. */
  async dismiss(): Promise<void> {
    this.#isDismissed = true
    const child = this.#process
    if (child === undefined || child.hasExited()) return
    const isGone = new AbortController()
    void child.exited.then(() => isGone.abort())
    this.#tell('bye')
    await pause(GONE_WITHIN_MS, isGone.signal)
    // kills a watchdog that is suspended (SIGSTOP), which would stay otherwise
    child.signal('SIGKILL', 'leader')
  }

  #spawn(home: string): ProcessGroup {
    const startedAt = performance.now()
    const nowhere = {theirs: openSync('/dev/null', 'w')}
    const child = spawnGroup({
      command: ['/bin/sh', '-c', WATCHDOG_LOADER, 'pillion-watchdog', this.#marker, this.#graceMs.toFixed(0), home],
      folder: '/',
      // sets SHLVL: without it, a bash whose input is a socket behaves as if rshd had started it, and reads ~/.bashrc
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

  /** Sends a line to the script. Joins the lines of one tick to one write, since each write wakes the watchdog while apps start. */
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

/** Returns a container engine with its variables, as words of a shell. Leaves out values of several lines. */
function engineText({engine, env}: Pick<OwnContainers, 'engine' | 'env'>): string {
  const settings = Object.entries(env).filter(([name, value = '\n']) => OF_ENGINES.test(name) && !value.includes('\n'))
  return [...settings.map(([name, value = '']) => `${name}=${shellQuoted(value)}`), shellQuoted(engine)].join(' ')
}
