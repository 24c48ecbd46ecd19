import {AsyncLocalStorage} from 'node:async_hooks'
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {mock} from 'node:test'
import {sendLogs, sendRunLogs} from '../../../src/observe/api/logs.ts'
import type {RunFacts} from '../../../src/observe/api/run-facts.ts'
import {openAppLogs} from '../../../src/observe/logging/app-log.ts'
import {removeOldLogs} from '../../../src/observe/logging/old-logs.ts'
import {Console} from '../../../src/observe/logging/console.ts'
import {RunLog} from '../../../src/observe/logging/run-log.ts'
import {appControl, type AppControlParts} from '../../../src/run/app-control.ts'
import type {Random} from '../../fuzz/random.ts'
import {faultsInFiles, type Part} from './kept-lines.ts'
import {faultsInRead, type Read} from './read-lines.ts'
import {DEEDS, secondRun} from './others.ts'
import {LogDisk} from './disk.ts'
import {Pages} from './pages.ts'
import {BYTES, Reader} from './reader.ts'
import {Written} from './writing-app.ts'

const IDS = ['shop', 'stock'] as const
type Id = (typeof IDS)[number]
const meantIn = ({ids}: Read): readonly Id[] => IDS.filter(id => ids.includes(id))
/** What is under way must end within this time of the machine, in ms. */
const END_MS = 20_000

const turn = async (): Promise<unknown> => new Promise(setImmediate)

export class LoggedRun {
  readonly faults: string[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'pillion-logs-'))
  readonly #disk = new LogDisk()
  readonly #runLog = new RunLog({lines: 30, bytes: 300_000})
  readonly #size: number
  readonly #written = new Map(IDS.map(id => [id, [new Written(`${id}o`), new Written(`${id}e`)] as const]))
  readonly #parts = new Map<Id, Part[]>(IDS.map(id => [id, []]))
  readonly #reads: Read[] = []
  /** Whose request goes on. */
  readonly #asking = new AsyncLocalStorage<Read>()
  readonly #facts: RunFacts
  #opening: Promise<unknown> = Promise.resolve()
  #now = 1000
  #date = Date.UTC(2026, 0, 31, 23, 59, 50)
  readonly #clocks = {now: performance.now.bind(performance), date: Date.now}
  #ends = 0
  #hasJumped = false
  readonly #pages: Pages
  readonly #held = new Map<Id, number>()

  constructor(size: number) {
    this.#size = size
    Object.assign(performance, {now: () => this.#now})
    Object.assign(Date, {now: () => this.#date})
    mock.timers.enable({apis: ['setTimeout']})
    const tap = this.#runLog.tap.bind(this.#runLog)
    this.#runLog.tap = take => {
      const read = this.#asking.getStore()
      if (read?.upTo === undefined && read !== undefined)
        Object.assign(read, this.#state(meantIn(read), read.kind, read.isBytes))
      return tap(take)
    }
    const runtime = (id: Id): object => ({
      id,
      plan: {version: '0.0.0'},
      logs: {app: this.#part(id).log},
      hasEarlierLogs: this.#partsOf(id).length > 1
    })
    const apps = {
      get all() {
        return IDS.map(runtime)
      },
      named: (id: string) => IDS.filter(each => each === id).map(runtime),
      settled: async () => this.#opening
    }
    const parts = {apps, main: (id: string) => apps.named(id)[0], runLog: this.#runLog, form: {kind: 'template'}}
    const listed = {apps: IDS.map(id => ({id, instance: 1, version: '0.0.0', isMain: true}))}
    const control = {...appControl(parts as unknown as AppControlParts), list: () => listed}
    this.#facts = {control, runLog: () => this.#runLog} as unknown as RunFacts
    this.#pages = new Pages(this.#facts, async isSo => this.#until(isSo))
  }

  async open(): Promise<void> {
    for (const id of IDS) await this.#openLog(id)
  }

  async #openLog(id: Id): Promise<void> {
    const {app} = await openAppLogs({
      id,
      plan: {app: 'file', sidecar: 'console', folder: this.#folderOf(id), keep: 0, size: this.#size},
      level: 'info',
      source: {appId: id, instance: '', version: '', isJson: false},
      hasCommand: true,
      startedAt: new Date(this.#date),
      console: new Console({write: () => undefined, midLine: false}),
      isTerminal: false,
      runLog: this.#runLog.writer(id),
      warn: text => {
        this.#part(id).hasFailed = true
        if (!text.includes('no space left')) this.faults.push(text)
      }
    })
    this.#partsOf(id).push({log: app, from: this.#counts(id), to: undefined, isEdited: false, hasFailed: false})
  }

  #folderOf = (id: Id): string => join(this.#folder, id, '.dapr', 'logs')
  #partsOf = (id: Id): Part[] => this.#parts.get(id) ?? []
  #streams = (id: Id): readonly Written[] => this.#written.get(id) ?? []
  #counts = (id: Id): readonly number[] => this.#streams(id).map(({lines}) => lines.length)
  #part(id: Id): Part {
    const part = this.#partsOf(id).at(-1)
    if (part === undefined) throw new Error(`${id} has no log`)
    return part
  }

  write(random: Random, size: number): void {
    const id = random.pick(IDS)
    if (this.#part(id).to !== undefined) return
    const at = random.below(2)
    const [one, other] = at === 0 ? this.#streams(id) : this.#streams(id).toReversed()
    one?.write(random, size, this.#part(id).log, at === 0 ? 'stdout' : 'stderr')
    // what waits for the end of a line of another stream
    const held = other !== undefined && other.open.length > 60_000 ? (this.#held.get(id) ?? 0) + size * 4 : 0
    this.#held.set(id, held)
    if (held > 0) this.#breakOpen(id)
    if (held > 900_000) this.#breakOpen(id)
  }

  #breakOpen(id: Id): void {
    for (const each of this.#streams(id)) if (each.open.length > 60_000) each.broken.add(each.lines.length)
  }

  restart(random: Random): void {
    const id = random.pick(IDS)
    const {log, to} = this.#part(id)
    if (to !== undefined) return
    this.restartOf(id)
    log.sink({app: id, stream: 'status', text: 'Exited App successfully\n'})
    this.#ends++
  }

  /** An edit of the template: the log is closed, and another one opened. */
  edit(random: Random): void {
    const id = random.pick(IDS)
    this.restartOf(id)
    const part = this.#part(id)
    part.to = this.#counts(id)
    const before = this.#opening
    this.#opening = part.log.close().then(async () => before.then(async () => this.#openLog(id)))
  }

  get isOpening(): boolean {
    return IDS.some(id => this.#part(id).to !== undefined)
  }

  restartOf(id: Id): void {
    const {log} = this.#part(id)
    for (const [at, each] of this.#streams(id).entries()) each.end(log, at === 0 ? 'stdout' : 'stderr')
  }

  pass(ms: number): void {
    for (const id of IDS) this.#breakOpen(id)
    for (let left = ms; left > 0; left -= 1000) {
      this.#now += Math.min(left, 1000)
      this.#date += Math.min(left, 1000)
      mock.timers.tick(Math.min(left, 1000))
    }
  }

  jump(random: Random): void {
    this.#hasJumped = true
    this.#date += (random.below(20) - 10) * 600_000
  }

  disk(random: Random): void {
    const disk = this.#disk
    const kind = random.below(4)
    if (kind === 0) disk.room = random.below(3) === 0 ? 0 : random.below(2000)
    if (kind === 1) disk.isSlow = true
    if (kind > 1) this.#well()
  }

  #well(): void {
    this.#disk.room = Infinity
    this.#disk.isSlow = false
    this.#disk.letGo()
  }

  /** The user, or their editor, does something to a file. */
  touch(random: Random): void {
    const id = random.pick(IDS)
    const part = this.#part(id)
    const {path} = part.log
    if (!existsSync(path)) return
    for (const each of this.#partsOf(id)) Object.assign(each, {isEdited: true, sure: undefined})
    random.pick(DEEDS)(path)
  }

  async read(random: Random): Promise<void> {
    const kind = random.pick(['kept', 'kept', 'followed', 'followed', 'stretch'] as const)
    const ids = random.pick([[], ['shop'], ['stock']] as const)
    const tail = random.pick([-1, -1, 0, 1, 3, 10, 40, 1000])
    const meant: readonly Id[] = ids.length === 0 ? IDS : ids
    const since = kind !== 'stretch' && random.oneIn(3) ? this.#date - random.below(8000) : 0
    const query = new URLSearchParams({
      ...(kind === 'stretch' && {from: '0'}),
      ...(kind !== 'stretch' && tail >= 0 && {tail: String(tail)}),
      ...(since > 0 && {since: new Date(since).toISOString()}),
      ...(kind === 'followed' && {follow: ''})
    })
    const isOne = ids.length === 1 && kind !== 'stretch' && random.oneIn(2)
    const isBytes = isOne && random.oneIn(2)
    if (!isOne) for (const id of ids) query.append('app', id)
    const read: Read = {
      ids: meant,
      kind,
      since,
      tail: kind === 'stretch' ? -1 : tail,
      isBytes,
      ...this.#state(meant, kind, isBytes),
      ...(isBytes && {upTo: undefined})
    } as never
    const reader = new Reader(
      query.toString(),
      async asked =>
        this.#asking.run(read, async () =>
          isOne ? sendLogs(this.#facts, {id: ids[0] ?? '', version: ''}, asked) : sendRunLogs(this.#facts, asked)
        ),
      isBytes ? BYTES : undefined
    )
    if (random.oneIn(3)) reader.isSlow = true
    this.#reads.push(Object.assign(read, {reader}))
    await turn() // it is at the log
  }

  /** What there is to read as a reader begins. */
  #state(
    meant: readonly Id[],
    kind: Read['kind'],
    isBytes: boolean
  ): Pick<Read, 'begun' | 'there' | 'isAllThere' | 'upTo'> {
    const parts = meant.flatMap(id => this.#partsOf(id))
    const isWhole =
      this.#size === 0 &&
      parts.length === meant.length &&
      parts.every(({isEdited, hasFailed}) => !isEdited && !hasFailed)
    const begun = new Map(meant.flatMap(id => this.#streams(id).map(({key, lines}) => [key, lines.length])))
    const there = kind === 'stretch' ? new Set<string>() : this.#there(meant, isBytes)
    return {begun, there, isAllThere: isWhole, upTo: kind === 'followed' ? undefined : begun}
  }

  /** The lines that are on the disk or, where no bytes of a file are read, in memory. */
  #there(ids: readonly Id[], isBytes: boolean): ReadonlySet<string> {
    const there = new Set<string>()
    for (const id of ids) {
      const {path} = this.#part(id).log
      for (const each of [`${path}.1`, path])
        if (existsSync(each))
          for (const [, key = ''] of readFileSync(each, 'latin1').matchAll(/^== APP - \w+ == (\w+[oe]\d+):.*\n/gm))
            there.add(key)
    }
    for (const {writer, text} of isBytes ? [] : this.#runLog.latest())
      if (ids.some(id => this.#part(id).log.runLog === writer))
        for (const [, key = ''] of text.matchAll(/^(\w+[oe]\d+):/gm)) there.add(key)
    for (const id of ids) for (const {key, lines} of this.#streams(id)) there.delete(`${key}${lines.length}`)
    return there
  }

  /** An agent asks for the page before the one that it has. */
  async page(random: Random): Promise<void> {
    if (this.#disk.isWaiting || this.#disk.isSlow || this.isOpening) return
    const id = random.pick(IDS)
    const [part, streams] = [this.#part(id), this.#streams(id)]
    const {isEdited, hasFailed} = part
    const isSure =
      this.#partsOf(id).length === 1 && streams.every(({broken}) => broken.size === 0) && !isEdited && !hasFailed
    const faults = await this.#pages.ask(random, {id, streams, isSure, isWhole: this.#size === 0})
    // what waits for the disk is lost if it cannot be written now
    if (!part.hasFailed) this.faults.push(...faults)
  }

  /** The page reads on where it is in the log of the run. */
  async goOn(random: Random): Promise<void> {
    if (this.isOpening) return
    const streams = IDS.flatMap(id => this.#streams(id))
    this.faults.push(...(await this.#pages.goOn(random, streams, this.#runLog.next)))
  }

  /** Another run of the template begins in the same folder. */
  async second(random: Random): Promise<void> {
    if (this.isOpening || this.#disk.isSlow || this.#disk.room < Infinity) return
    const id = random.pick(IDS)
    const place = {
      folder: this.#folderOf(id),
      id,
      kind: 'app',
      startedAt: new Date(this.#date),
      size: this.#size
    } as const
    const used = new Set(this.#partsOf(id).map(({log}) => log.path))
    this.faults.push(...(await secondRun(place, async isSo => this.#until(isSo))))
    await removeOldLogs([{folder: place.folder, name: id, keep: 1 + random.below(2)}], async () => used)
  }

  change(random: Random): void {
    const open = this.#reads.filter(({reader}) => !reader.isDone)
    if (open.length === 0) return
    const {reader} = random.pick(open)
    const kind = random.below(5)
    if (kind === 0) reader.leave()
    else if (kind === 1) reader.isSlow = !reader.isSlow
    reader.take()
  }

  get #isBusy(): boolean {
    return (
      (this.isOpening && !this.#disk.isWaiting) ||
      (!this.#disk.isWaiting && this.#disk.room > 0 && IDS.some(id => this.#part(id).log.record.isWriting)) ||
      this.#reads.some(
        ({reader, kind}) => !reader.isDone && !reader.isSlow && kind !== 'followed' && !this.#disk.isWaiting
      )
    )
  }

  async settle(): Promise<void> {
    await turn()
    if (!(await this.#until(() => !this.#isBusy))) this.faults.push('it does not come to rest')
    for (const read of this.#reads.filter(({reader}) => reader.isDone)) this.#judge(read)
  }

  /** Lets the event loop turn, and time pass. */
  async #until(isSo: () => boolean): Promise<boolean> {
    const end = this.#clocks.now() + END_MS
    for (let n = 0; !isSo(); n++) {
      if (this.#clocks.now() > end) return false
      if (n % 100 === 1) this.pass(5)
      await turn()
    }
    return true
  }

  /** All is well again: what was written is there. */
  async rest(): Promise<void> {
    this.#well()
    for (const {reader} of this.#reads) {
      reader.isSlow = false
      reader.take()
    }
    await this.settle()
    for (let n = 0; n < 3; n++) {
      this.pass(500)
      await this.settle()
    }
    for (const id of IDS) {
      this.#judgeFiles(id, this.#part(id))
      const part = this.#part(id)
      if (part.isEdited) part.sure ??= this.#streams(id).map(({lines, open}) => lines.length + (open === '' ? 0 : 1))
    }
  }

  async close(): Promise<void> {
    for (const id of IDS) {
      this.restartOf(id)
      this.#part(id).to = this.#counts(id)
    }
    const closing = IDS.map(async id => this.#part(id).log.close())
    let isClosed = false
    void Promise.all(closing).then(() => (isClosed = true))
    if (!(await this.#until(() => isClosed))) this.faults.push('a log is not closed')
    if (!(await this.#until(() => this.#reads.every(({reader}) => reader.isDone))))
      this.faults.push('a reader gets no end')
    for (const read of this.#reads.slice()) this.#judge(read)
    for (const id of IDS) for (const part of this.#partsOf(id)) this.#judgeFiles(id, part)
  }

  free(): void {
    mock.timers.reset()
    Object.assign(performance, {now: this.#clocks.now})
    Object.assign(Date, {now: this.#clocks.date})
    this.#disk.close()
    rmSync(this.#folder, {recursive: true, force: true})
  }

  #judgeFiles(id: Id, part: Part): void {
    this.faults.push(...faultsInFiles({id, part, streams: this.#streams(id), size: this.#size}))
  }

  #judge(read: Read): void {
    this.#reads.splice(this.#reads.indexOf(read), 1)
    const ids = meantIn(read)
    const streams = ids.flatMap(id => this.#streams(id))
    const isSure =
      streams.every(({broken}) => broken.size === 0) &&
      ids.every(id => this.#partsOf(id).every(({hasFailed, isEdited}) => !hasFailed && !isEdited))
    const now = this.#size === 0 ? undefined : this.#there(ids, read.isBytes)
    const isStillThere = (key: string): boolean => now?.has(key) ?? true
    const told = {ends: this.#ends, hasJumped: this.#hasJumped}
    this.faults.push(...faultsInRead(read, {...told, streams, isSure, isStillThere}))
  }
}
