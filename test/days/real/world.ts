import {readFileSync, writeFileSync} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import type {Program} from '../../rig/program.ts'
import {Rig} from '../../rig/rig.ts'
import type {Action} from '../steps/step.ts'
import {nameOf, type Commands} from '../template.ts'
import {BETWEEN_CALLS_MS, EDIT_AFTER, type Seen, type Told, type World} from '../world.ts'
import {component} from '../../rig/resource-files.ts'
import {freePort} from '../../rig/free-port.ts'
import {Calls} from './calls.ts'
import {fewDescriptors, fullDisk, namedRun, secondRun, secondUp, TakenPorts, WHY_NO_LIMITS} from './hardships.ts'
import {livingOf} from './living.ts'
import {answersAt, answersOf, eventsIn, excessOf, firedIn, outcriesIn, runningOf, textAt} from './observed.ts'
import {Promises, type Received} from './promises.ts'
import {readRecords, recordFaults} from './recorded.ts'
import {Streams} from './streams.ts'
import {Workflows} from './workflows.ts'

const ROOT = join(import.meta.dirname, '../../..')
const SERVER = join(ROOT, 'test/fixtures/apps/day-server.mjs')
const NOTED = `text=$(cat version.txt)
echo "begun $APP_ID $PILLION_LIFE $text" >> \${DAY_NOTES:-../notes}
case $text in bad*) exit 3;; esac
`

/** So long something that is not as it must be may take to become so: the machine may be busy. */
const PATIENCE_MS = 8000
/** A call that waits for its app is taken for one after this time. Where it should not, the next look gives it longer: it may only be late. */
const WAITS_AFTER_MS = 1000
const HANGS_AFTER_MS = 30_000
const REST = ['wait', '--for', 'idle:300ms', '--timeout', '6s']
/** How many numbers apps may have as their `port`. */
const PORTS = 3
/** So often that is waited for. */
const RESTS = 5

/** The built program, as a user drives it, with real processes, files and signals. */
export class RealWorld implements World {
  readonly commands: Commands = {
    server: ['node', '../server.mjs'],
    worker: ['sh', '../worker.sh'],
    'one-shot': ['sh', '../one-shot.sh'],
    sidecar: []
  }
  readonly whyNoLimits = WHY_NO_LIMITS
  readonly programs = {
    'server.mjs': readFileSync(SERVER, 'utf8'),
    'worker.sh': `${NOTED}exec sleep 100000\n`,
    'one-shot.sh': NOTED,
    'resources/store.yaml': component('store', 'state.in-memory', {keyPrefix: 'none'}),
    'resources/bus.yaml': component('bus', 'pubsub.in-memory'),
    'resources/kept.yaml': '',
    'resources/redis.yaml': '',
    'other/dapr.yaml': 'version: 1\napps:\n  - {appID: other, appDirPath: ., command: [sleep, "100000"]}\n'
  }
  readonly ports: number[] = []
  readonly commonKeys = {resourcesPath: './resources'}
  readonly isPatient = false
  readonly #rig = new Rig([process.execPath, join(ROOT, 'bin/pillion.js')])
  readonly #notes = join(this.#rig.folder, 'notes')
  readonly #told: string[] = []
  #run: Program | undefined
  /** Commands that may be under way. */
  readonly #left: Promise<unknown>[] = []
  #calls = new Calls()
  readonly #promises = new Promises()
  /** How many calls since the last rest were made before this run began. */
  #callsBefore = 0
  /** Of the last look. */
  #received: Received = {received: [], fired: [], running: new Set()}
  readonly #streams = new Streams()
  readonly #workflows = new Workflows()
  readonly #taken = new TakenPorts()
  /** What a step itself has found. */
  #found: string[] = []
  #numbers = 0
  /** The latest port of the sidecar of each instance. */
  readonly #ports = new Map<string, number>()
  readonly #appPorts = new Map<string, number>()
  /** How many lines of the notes belong to the time before the last rest. */
  #settled = 0
  #read = 0
  #patienceEnds = 0
  /** Since the run came to rest. */
  #looks = 0

  static async open(): Promise<RealWorld> {
    const world = new RealWorld()
    await world.#rig.open()
    for (let i = 0; i < PORTS; i++) world.ports.push(await freePort())
    const redisHost = `127.0.0.1:${await freePort()}`
    world.programs['resources/kept.yaml'] = component('kept', 'state.redis', {redisHost, keyPrefix: 'none'})
    world.programs['resources/redis.yaml'] = component('redis', 'pubsub.redis', {
      redisHost,
      redeliverInterval: '1s',
      processingTimeout: '2s'
    })
    return world
  }

  begin(): void {
    // how long things take is up to the machine
  }

  async act(action: Action): Promise<void> {
    switch (action.do) {
      case 'write':
        return this.#rig.write(action.files)
      case 'write many':
        return this.#writeMany(action)
      case 'pillion':
        if (action.isLeft === true) return void this.#left.push(this.#pillion(action.args))
        await this.#pillion(action.args)
        if (action.args[0] !== 'down') return
        await this.#run?.exited
        this.#promises.ended({isKilled: false})
        return
      case 'up':
        this.#callsBefore = this.#calls.all.length
        this.#run = this.#rig.pillion(['up', ...action.args])
        await this.#pillion(['wait', '--for', 'ready', '--timeout', '30s'])
        return
      case 'kill app': {
        const told = (await this.#ps()).find(({id, instance}) => nameOf(id, instance) === action.name)
        if (told !== undefined && told.pid > 0) signal(told.pid, action.signal)
        return
      }
      case 'kill run':
        this.#promises.ended({isKilled: true})
        this.#run?.signal('SIGKILL')
        await this.#run?.exited
        return
      case 'write under calls':
        return this.#writeUnderCalls(action)
      case 'call': {
        const {port: plain = 0} = action
        if (plain > 0) {
          for (let i = 0; i < action.count; i++) this.#calls.make(plain, {...action, isPlain: true})
          return
        }
        const from = (await this.#ps()).find(({id}) => id === action.from)
        const port = action.isGrpc === true ? from?.grpcPort : from?.httpPort
        for (let i = 0; i < action.count; i++) this.#calls.make(port ?? 0, action)
        return
      }
      case 'publish':
      case 'save state':
      case 'flood':
      case 'plan':
        return this.#promise(action)
      case 'start workflow':
      case 'raise event': {
        const told = (await this.#ps()).find(({id, instance}) => id === action.from && instance === 1)
        if (told === undefined) return
        return action.do === 'raise event' ? this.#workflows.raise(told) : this.#workflows.start(told, action.id)
      }
      case 'pause':
        return pause(action.ms)
      case 'suspend':
        return this.#suspend(action.name)
      case 'other run':
        return this.#otherRun()
      case 'second run':
        this.#found.push(...(await (action.isNamed ? namedRun : secondRun)(this.#rig)))
        return
      case 'second up':
        this.#found.push(...(await secondUp(this.#rig, action.flags)))
        return
      case 'stream': {
        const port = (await this.#ps()).find(({id}) => id === action.from)?.httpPort
        return port === undefined ? undefined : this.#streams.open(port, action)
      }
      case 'take ports':
        return this.#takePorts(action.name)
      case 'free ports':
        return this.#taken.free()
      case 'few descriptors':
        return this.#fewDescriptors(action)
      case 'full disk':
        return this.#fullDisk(action)
      case 'clock jumps': // the machine has one clock, which is not ours
      case 'rest':
    }
  }

  async #promise(action: Action & {readonly do: 'publish' | 'save state' | 'flood' | 'plan'}): Promise<void> {
    const whose = action.do === 'flood' ? action.name : action.from
    const told = (await this.#ps()).find(({id, instance}) => nameOf(id, instance) === whose)
    if (told === undefined) return
    const [sidecar, app] = [told.httpPort, told.appPort].map(port => `http://127.0.0.1:${port}`)
    if (action.do === 'save state') return this.#promises.state.save(sidecar ?? '', action.store, action)
    if (action.do === 'flood') return this.#promises.flood(app ?? '', {...action, mark: `m${++this.#numbers}`})
    if (action.do === 'plan') return this.#promises.work.plan(sidecar ?? '', {...action, number: `p${++this.#numbers}`})
    for (let i = 0; i < action.count; i++)
      await this.#promises.publish(sidecar ?? '', {...action, number: `e${++this.#numbers}`})
  }

  async #writeUnderCalls(action: Action & {readonly do: 'write under calls'}): Promise<void> {
    const {port = (await this.#ps()).find(({id}) => id === action.from)?.httpPort ?? 0, count} = action
    for (let i = 0; i < count; i++) {
      this.#calls.make(port, {...action, isPlain: action.port !== undefined})
      if (i === EDIT_AFTER) await this.#rig.write(action.files)
      await pause(BETWEEN_CALLS_MS)
    }
  }

  async #suspend(name: string | undefined): Promise<void> {
    const told = (await this.#ps()).find(({id, instance}) => nameOf(id, instance) === name)
    const pid = name === undefined ? this.#run?.pid : told?.pid
    if (pid === undefined || pid <= 0) return
    signal(pid, 'SIGSTOP')
    await pause(500)
    signal(pid, 'SIGCONT')
  }

  async #otherRun(): Promise<void> {
    const folder = 'other'
    const other = this.#rig.pillion(['up'], {folder})
    await this.#rig.run(['wait', '--for', 'ready', '--timeout', '30s'], {folder})
    await this.#rig.run(['down'], {folder})
    await other.exited
  }

  /** The ports that it had last: with the next start it may get others. */
  async #takePorts(name: string): Promise<void> {
    const ports = [this.#ports.get(name) ?? 0, this.#appPorts.get(name) ?? 0].filter(port => port > 0)
    if (this.#run !== undefined) this.#found.push(...(await this.#taken.take(name, ports, this.#run.pid)))
  }

  async #fewDescriptors({from, to}: {readonly from: string; readonly to: string}): Promise<void> {
    const port = (await this.#ps()).find(({id}) => id === from)?.httpPort
    if (port === undefined || this.#run?.hasExited !== false) return
    await fewDescriptors(this.#run, () => this.#calls.make(port, {from, to}))
  }

  async #fullDisk({name, folder}: {readonly name: string; readonly folder: string}): Promise<void> {
    const app = (await this.#ps()).find(({id, instance}) => nameOf(id, instance) === name)?.appPort
    if (app === undefined || this.#run?.hasExited !== false) return
    const base = `http://127.0.0.1:${app}`
    const largest = await this.#promises.largestLog(this.#rig.folder, folder)
    const isTold = await fullDisk(this.#run, largest, async lines => textAt(`${base}/flood?mark=lost&count=${lines}`))
    if (!isTold) this.#found.push(`nobody says that the log file of ${name} cannot be written`)
    await this.#promises.flood(base, {folder, mark: `m${++this.#numbers}`, count: 100})
  }

  async rest(): Promise<string> {
    await this.#calls.over(PATIENCE_MS)
    await Promise.race([Promise.all(this.#left.splice(0)), pause(PATIENCE_MS)])
    let why = ''
    for (let i = 0; i < RESTS && !(await this.#waitsForNobody(why)); i++) {
      const {code, stderr} = await this.#pillion(REST)
      why = code === 0 || this.#run?.hasExited === true ? '' : `the run does not come to rest: ${stderr.trim()}`
      if (why === '') break
    }
    this.#patienceEnds = performance.now() + PATIENCE_MS
    this.#looks = 0
    return (await this.#waitsForNobody(why)) ? '' : why
  }

  /** Messages wait for an instance that does not run, or one that never gets ready still starts: that may last until somebody does something. */
  async #waitsForNobody(why: string): Promise<boolean> {
    const id = /(?:wait for |: ")(\w+)(?:\.\d+)?(?:" is (?:starting|being reloaded.*))?$/m.exec(why)?.[1]
    return id !== undefined && (await this.#ps()).some(told => told.id === id && !told.isReady)
  }

  async look(): Promise<Seen> {
    const notes = await this.#lines()
    this.#read = notes.length
    const living = livingOf(this.#rig.marker, this.#run?.pid, notes)
    const apps = await this.#ps()
    this.#workflows.tend(apps)
    const listed = JSON.parse((await this.#pillion(['list', '-o', 'json'])).stdout || '[]') as readonly {
      appId: string
      instance: number
    }[]
    const recent = notes.slice(this.#settled).map(line => line.split(' '))
    const delivered = recent.flatMap(([what, number = '']) => (what === 'call' ? [number] : []))
    const received = eventsIn(notes.slice(this.#settled))
    this.#received = {received, fired: firedIn(recent), running: runningOf(apps)}
    const run = living.find(({isChild}) => isChild)?.env['PILLION_RUN']
    const happened = {
      calls: this.#calls.all.slice(this.#callsBefore),
      delivered,
      events: run === undefined ? undefined : eventsIn(notes, run).length
    }
    return {
      end: this.#run?.hasExited === true ? `exit ${String((await this.#run.exited).code)}` : undefined,
      apps,
      listed: listed.map(({appId, instance}) => nameOf(appId, instance)),
      living: living.filter(({isOfRun}) => isOfRun),
      ended: [],
      strangers: living.filter(({isOfRun}) => !isOfRun).map(({id, pid}) => `${id} (${pid})`),
      begun: recent.flatMap(([what, id = '']) => (what === 'begun' ? [id] : [])),
      calls: this.#calls.all,
      delivered,
      published: this.#promises.published,
      received,
      streams: this.#streams.all,
      ...(await answersOf(apps.map(app => this.#withPort(app)))),
      ports: await answersAt(this.ports, {
        limitMs: this.#looks++ === 0 ? WAITS_AFTER_MS : HANGS_AFTER_MS,
        asleep: portsOf(apps.filter(({state}) => state === 'asleep'))
      }),
      outcries: [
        ...this.#found,
        ...outcriesIn(`${this.#run?.stderr.text ?? ''}${this.#told.join('')}`),
        ...(await this.#broken(apps)),
        ...(await this.#workflows.broken(apps)),
        ...recordFaults(readRecords((await this.#pillion(['calls', '-o', 'ndjson', '-n', '1000'])).stdout), happened),
        ...(this.#run?.hasExited === false ? await excessOf(this.#run.pid, apps.length) : [])
      ]
    }
  }

  /** A stopped app has no port any more: nothing of it may answer at the one that it had. */
  #withPort(app: Told): Told {
    const name = nameOf(app.id, app.instance)
    if (app.httpPort > 0) this.#ports.set(name, app.httpPort)
    if (app.appPort > 0) this.#appPorts.set(name, app.appPort)
    return {...app, httpPort: this.#ports.get(name) ?? 0}
  }

  async waits(): Promise<boolean> {
    await pause(100)
    return this.#looks < 2 || performance.now() < this.#patienceEnds
  }

  settle(): void {
    this.#settled = this.#read
    this.#calls = new Calls()
    this.#callsBefore = 0
    this.#promises.settle(this.#received)
    this.#streams.settle()
    this.#workflows.settle()
  }

  async close(): Promise<readonly string[]> {
    this.#streams.close()
    this.#workflows.close()
    this.#taken.free()
    if (this.#run?.hasExited === false) {
      await this.#pillion(['down'])
      await Promise.race([this.#run.exited, pause(PATIENCE_MS)])
    }
    const left = await this.#rig.leftovers(PATIENCE_MS)
    await this.#rig.close(true)
    return left
  }

  report(): string {
    return `${this.#told.join('')}${this.#run?.report() ?? ''}`
  }

  /** At once, as git does it: with a rest between two files it would be several changes. */
  #writeMany({folders, count, text}: Action & {readonly do: 'write many'}): void {
    for (const folder of folders)
      for (let i = 1; i <= count; i++) writeFileSync(join(this.#rig.folder, folder, `many-${i}.txt`), text)
  }

  async #pillion(
    args: readonly string[]
  ): Promise<{readonly code: number | null; readonly stdout: string; readonly stderr: string}> {
    const ended = await this.#rig.run(args)
    const {code, stdout, stderr} = ended
    if (!['ps', 'list', 'wait', 'calls'].includes(args[0] ?? ''))
      this.#told.push(`$ pillion ${args.join(' ')} → ${String(code)}\n${stdout}${stderr}`)
    return ended
  }

  async #ps(): Promise<readonly Told[]> {
    const {stdout} = await this.#pillion(['ps', '-o', 'json'])
    return stdout.startsWith('[') ? (JSON.parse(stdout) as readonly Told[]) : []
  }

  async #lines(): Promise<readonly string[]> {
    const text = await readFile(this.#notes, 'utf8').catch(() => '')
    return text.split('\n').slice(0, -1)
  }

  async #broken(apps: readonly Told[]): Promise<readonly string[]> {
    const port = apps.find(({httpPort}) => httpPort > 0)?.httpPort
    return this.#promises.broken(port === undefined ? '' : `http://127.0.0.1:${port}`, this.#rig.folder, this.#received)
  }
}

/** Where apps are called without Dapr's API. */
const portsOf = (apps: readonly (Told & {readonly url?: string})[]): ReadonlySet<number> =>
  new Set(apps.map(({url = ''}) => Number(/\d+$/.exec(url)?.[0])))

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // it has ended in between
  }
}
