import {execFileSync} from 'node:child_process'
import {cpSync, existsSync, readFileSync, renameSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {findRuns} from '../../../src/control/client.ts'
import type {RunListing} from '../../../src/control/run-control.ts'
import {freePort, freePorts} from '../../rig/free-port.ts'
import type {Program} from '../../rig/program.ts'
import {respClient} from '../../rig/resp.ts'
import {Rig} from '../../rig/rig.ts'
import {outcriesIn, textAt} from './seen.ts'
import {filesOf, idsOf, type Written} from './template.ts'

const PROGRAM = [process.execPath, join(import.meta.dirname, '../../../bin/pillion.js')]
/** So long something that is not as it must be may take to become so: many walks run on a busy machine. */
const PATIENCE_MS = 180_000
const NAMES = ['pr', 'fix', 'try']
const GIT = ['-c', 'user.name=t', '-c', 'user.email=t@example.org']

/** A folder with a shop, whatever it is called now. */
interface Copy {
  readonly id: string
  readonly kind: 'main' | 'worktree' | 'clone'
  /** Below the rig's folder; '' = it was removed. */
  folder: string
  written: Written
  run: Program | undefined
  /** The folder that its run was started in. */
  startedIn: string
  /** Its folder was moved or removed while it ran: edits do not reach it. */
  isAdrift: boolean
  /** Orders that were sent, and those that were acknowledged. */
  readonly sent: string[]
  readonly taken: string[]
}

/** How often each kind of step comes, compared with the others. */
export const WEIGHTS = {
  'add worktree': 3,
  clone: 1,
  up: 6,
  down: 2,
  'kill -9': 2,
  'edit port': 4,
  'edit component': 2,
  'edit apps': 2,
  order: 4,
  rename: 2,
  remove: 1
} as const

const pick = <T>(all: readonly T[], n: number): T | undefined => all[n % Math.max(1, all.length)]

/** A repository with worktrees and clones, which people start, edit, rename, remove and kill in any order. */
export class Copies {
  readonly done: string[] = []
  readonly #rig = new Rig(PROGRAM)
  readonly #notes = join(this.#rig.folder, 'notes')
  #kept = 0
  #numbers: readonly number[] = []
  readonly #hasOrigin: boolean
  readonly #all: Copy[] = []
  #count = 0
  #hasCloneRun = false

  constructor(hasOrigin: boolean) {
    this.#hasOrigin = hasOrigin
  }

  async open(): Promise<void> {
    await this.#rig.open()
    this.#kept = await freePort()
    this.#numbers = await freePorts(5)
    const [shop = 0, redis = 0] = this.#numbers
    const main = this.#known('main', 'main', {shop, redis, extra: 0, host: 0})
    await this.#write(main, {...filesOf(main.written, this.#kept), 'id.txt': main.id})
    this.#git('main', 'init', '-q', '-b', 'main')
    if (this.#hasOrigin) this.#git('main', 'remote', 'add', 'origin', 'https://example.org/shop.git')
    this.#git('main', 'add', '.')
    this.#git('main', 'commit', '-qm', 'shop')
  }

  /** What people do; a step that makes no sense now does nothing. */
  readonly acts: Readonly<Record<keyof typeof WEIGHTS, (a: number, b: number) => Promise<void>>> = {
    'add worktree': async (_, b) => this.#add(b),
    clone: async () => this.#clone(),
    up: async a =>
      this.#up(
        pick(
          this.#all.filter(({run, folder}) => run === undefined && folder !== ''),
          a
        )
      ),
    down: async a => this.#down(this.#running(a)),
    'kill -9': async a => this.#kill(this.#running(a)),
    'edit port': async (a, b) => this.#edit(a, written => this.#otherPort(written, b)),
    'edit component': async a => this.#edit(a, written => ({...written, host: written.host + 1})),
    'edit apps': async (a, b) => this.#edit(a, written => this.#otherApps(written, b)),
    order: async (a, b) => this.#order(this.#running(a), (b % 5) + 1),
    rename: async a => this.#rename(this.#movable(a)),
    remove: async (a, b) => this.#remove(this.#movable(a), b % 2 === 0)
  }

  /** What is not as it must be, once it has had time to become so. */
  async faults(): Promise<readonly string[]> {
    let faults: readonly string[] = []
    for (const end = performance.now() + PATIENCE_MS; ; await pause(150)) {
      faults = [...(await this.#wrongRuns()), ...this.#wrongEvents()]
      if (faults.length === 0 || performance.now() > end) break
    }
    return faults.length === 0 ? this.#wrongCopies() : faults
  }

  /** Ends everything; what is not as it must be then. */
  async close(hasPassed: boolean): Promise<readonly string[]> {
    for (const copy of this.#all) if (copy.run !== undefined) await this.#down(copy)
    const left = (await this.#rig.leftovers()).map(each => `left behind: ${each}`)
    await this.#rig.close(hasPassed && left.length === 0)
    return left
  }

  #known(kind: Copy['kind'], folder: string, written: Written): Copy {
    const copy: Copy = {
      id: `c${++this.#count}`,
      kind,
      folder,
      written,
      run: undefined,
      startedIn: '',
      isAdrift: false,
      sent: [],
      taken: []
    }
    this.#all.push(copy)
    return copy
  }

  readonly #git = (folder: string, ...args: readonly string[]): string =>
    execFileSync('git', [...GIT, ...args], {cwd: join(this.#rig.folder, folder), encoding: 'utf8', stdio: 'pipe'})

  #tell(text: string): void {
    this.done.push(text)
  }

  async #write({folder}: Copy, files: Readonly<Record<string, string>>): Promise<void> {
    await this.#rig.write(Object.fromEntries(Object.entries(files).map(([name, text]) => [join(folder, name), text])))
  }

  #running(a: number): Copy | undefined {
    return pick(
      this.#all.filter(({run}) => run !== undefined),
      a
    )
  }

  /** The main folder stays: the others belong to it. */
  #movable(a: number): Copy | undefined {
    return pick(
      this.#all.filter(({kind, folder}) => kind !== 'main' && folder !== ''),
      a
    )
  }

  #freeName(b: number): string | undefined {
    // a run is that of a path: it takes up what is put in place of a folder that was moved
    const isRun = (name: string): boolean =>
      this.#all.some(({run, startedIn}) => run !== undefined && startedIn === name)
    const free = NAMES.filter(name => !existsSync(join(this.#rig.folder, name)) && !isRun(name))
    return pick(free, b)
  }

  async #add(b: number): Promise<void> {
    const name = this.#freeName(b)
    const [first] = this.#all
    if (name === undefined || first === undefined) return
    this.#git('main', 'worktree', 'prune')
    this.#git('main', 'worktree', 'add', '-q', '--force', '--detach', `../${name}`)
    const [shop = 0, redis = 0] = this.#numbers
    const copy = this.#known('worktree', name, {shop, redis, extra: 0, host: 0})
    await this.#write(copy, {'id.txt': copy.id})
    this.#tell(`git worktree add ../${name} # ${copy.id}`)
  }

  async #clone(): Promise<void> {
    const name = this.#freeName(0)
    const [main] = this.#all
    if (name === undefined || main === undefined || this.#all.some(({kind}) => kind === 'clone')) return
    cpSync(join(this.#rig.folder, 'main'), join(this.#rig.folder, name), {
      recursive: true,
      filter: path => !/\/(?:data|\.dapr|worktrees)$/.test(path)
    })
    const copy = this.#known('clone', name, main.written)
    await this.#write(copy, {'id.txt': copy.id})
    this.#tell(`cp -r main ${name} # ${copy.id}`)
  }

  async #up(copy: Copy | undefined): Promise<void> {
    if (copy === undefined) return
    // one that Git does not connect with the others is no copy of theirs
    const isStranger = copy.kind === 'clone' && !this.#hasOrigin
    this.#hasCloneRun ||= copy.kind === 'clone'
    const args = ['up', '--watch', ...(isStranger ? ['--isolated'] : [])]
    copy.run = this.#rig.pillion(args, {folder: copy.folder, env: {COPY_NOTES: this.#notes}})
    copy.startedIn = copy.folder
    this.#tell(`(cd ${copy.folder} && pillion ${args.join(' ')}) & # ${copy.id}`)
    return Promise.resolve()
  }

  async #down(copy: Copy | undefined): Promise<void> {
    if (copy?.run === undefined) return
    const {run} = copy
    // on a busy machine a `down` right behind its `up` would find no run yet
    while (!run.hasExited && !(await this.#listings()).has(run.pid)) await pause(50)
    copy.run = undefined
    if (copy.isAdrift) run.signal('SIGINT')
    else await this.#rig.run(['down'], {folder: copy.folder})
    this.#tell(`pillion down # ${copy.id}`)
    const {code} = await run.exited
    if (code !== 0) throw new Error(`${copy.id} ended with ${code}: ${run.stderr.text}`)
    this.#outcry(copy, run)
    copy.isAdrift = false
  }

  async #kill(copy: Copy | undefined): Promise<void> {
    if (copy?.run === undefined) return
    const {run} = copy
    copy.run = undefined
    copy.isAdrift = false
    run.signal('SIGKILL')
    this.#tell(`kill -9 # ${copy.id}`)
    await run.gone()
    this.#outcry(copy, run)
  }

  #outcry({id}: Copy, {stderr}: Program): void {
    const [first] = outcriesIn(stderr.text)
    if (first !== undefined) throw new Error(`${id}: ${first}`)
  }

  async #edit(a: number, change: (written: Written) => Written): Promise<void> {
    const copy = pick(
      this.#all.filter(({folder}) => folder !== ''),
      a
    )
    if (copy === undefined) return
    copy.written = change(copy.written)
    const {'dapr.yaml': template = '', ...others} = filesOf(copy.written, this.#kept)
    await this.#write(copy, {'dapr.yaml': template, ...others})
    this.#tell(`edit ${copy.folder}: ${JSON.stringify(copy.written)} # ${copy.id}`)
  }

  #otherPort(written: Written, b: number): Written {
    const {shop, redis, extra} = written
    const to = pick(
      this.#numbers.filter(number => ![shop, redis, extra].includes(number)),
      b
    )
    const which = pick(['shop', 'redis', ...(extra > 0 ? ['extra'] : [])], b >> 3) ?? 'shop'
    return {...written, [which]: to}
  }

  #otherApps(written: Written, b: number): Written {
    const {shop, redis, extra} = written
    const free = pick(
      this.#numbers.filter(number => number !== shop && number !== redis),
      b
    )
    return {...written, extra: extra > 0 ? 0 : (free ?? 0)}
  }

  async #order(copy: Copy | undefined, count: number): Promise<void> {
    if (copy?.run === undefined) return
    const port = (await this.#listings()).get(copy.run.pid)?.apps.find(({id}) => id === 'shop')?.appPort ?? 0
    const ids = Array.from({length: count}, (_, at) => `${copy.id}-${copy.sent.length + at + 1}`)
    copy.sent.push(...ids)
    this.#tell(`${count} orders # ${copy.id}`)
    for (const id of ids) {
      const answer = await fetch(`http://127.0.0.1:${port}/order/${id}`, {method: 'POST'}).catch(() => undefined)
      if ((await answer?.text()) === id) copy.taken.push(id)
    }
  }

  async #rename(copy: Copy | undefined): Promise<void> {
    const to = `${copy?.folder.replace(/-\d+$/, '')}-${this.done.length}`
    if (copy === undefined) return
    renameSync(join(this.#rig.folder, copy.folder), join(this.#rig.folder, to))
    this.#tell(`mv ${copy.folder} ${to} # ${copy.id}`)
    copy.folder = to
    copy.isAdrift = copy.run !== undefined
    return Promise.resolve()
  }

  async #remove(copy: Copy | undefined, byGit: boolean): Promise<void> {
    if (copy === undefined) return
    // a server whose data are taken away is no finding
    if (copy.run !== undefined) await this.#down(copy)
    const path = join(this.#rig.folder, copy.folder)
    if (byGit && copy.kind === 'worktree' && !/-\d+$/.test(copy.folder))
      this.#git('main', 'worktree', 'remove', '--force', path)
    else rmSync(path, {recursive: true})
    this.#tell(`rm -r ${copy.folder} # ${copy.id}`)
    copy.folder = ''
  }

  async #listings(): Promise<ReadonlyMap<number, RunListing>> {
    const runs = await findRuns({PILLION_RUNTIME_DIR: this.#rig.runtimeDir})
    return new Map(runs.map(({listing}) => [listing.pid, listing]))
  }

  async #wrongRuns(): Promise<readonly string[]> {
    const listings = await this.#listings()
    const holders = new Map<number, string>()
    const faults: string[] = []
    for (const copy of this.#all) {
      const {id, run, written, isAdrift} = copy
      if (run === undefined) continue
      if (run.hasExited) return [`${id} has ended: ${JSON.stringify(await run.exited)} ${run.stderr.text}`]
      const apps = listings.get(run.pid)?.apps ?? []
      const ids = apps.map(app => app.id)
      if (!isAdrift && ids.toSorted().join() !== idsOf(written).toSorted().join())
        faults.push(`${id} has the apps ${ids.join()}`)
      for (const app of apps) {
        if (!app.isReady) faults.push(`${app.id} of ${id} is ${app.state}, not ready`)
        for (const port of [app.appPort, app.httpPort, app.grpcPort]) {
          const whose = `${app.id} of ${id}`
          if (holders.has(port)) faults.push(`${holders.get(port)} and ${whose} have the port ${port}`)
          holders.set(port, whose)
        }
      }
      if (faults.length === 0) faults.push(...(await this.#wrongData(copy, apps)))
    }
    return faults
  }

  /** What the servers of a running copy have. */
  async #wrongData(copy: Copy, apps: RunListing['apps']): Promise<readonly string[]> {
    const {id, kind, sent, taken, run} = copy
    const portOf = (app: string): number => apps.find(each => each.id === app)?.appPort ?? 0
    const who = await textAt(`http://127.0.0.1:${portOf('shop')}/who`)
    if (who !== `${id} redis://localhost:${portOf('redis')}`)
      return [`the shop of ${id} at ${portOf('shop')} says "${who}", its Redis is at ${portOf('redis')}`]
    const redis = await respClient(portOf('redis'))
    const keys = [...(await redis.call('KEYS', 'shop||*')).matchAll(/shop\|\|([\w-]+)/g)].map(([, key = '']) => key)
    redis.close()
    const foreign = keys.filter(key => !sent.includes(key))
    const lost = taken.filter(key => !keys.includes(key))
    if (foreign.length > 0) return [`the Redis of ${id} has ${foreign.join()}, which were not ordered there`]
    if (lost.length > 0) return [`the Redis of ${id} has lost ${lost.join()}`]
    const last = taken.at(-1)
    // clones share what has no space with the first one
    const isApart = kind === 'worktree' || (kind === 'main' && !this.#hasCloneRun)
    if (last === undefined || !isApart) return []
    const read = await textAt(`http://127.0.0.1:${portOf('shop')}/order/${last}`)
    return read === `"${id}" "${id}"` ? [] : [`${last} is read as ${read} in ${id} (pid ${run?.pid})`]
  }

  /** Each acknowledged order of a copy that runs has come to it; none has come to another one. */
  #wrongEvents(): readonly string[] {
    const text = existsSync(this.#notes) ? readFileSync(this.#notes, 'utf8') : ''
    const events = [...text.matchAll(/^event (\S+) (\S+)$/gm)].map(([, order = '', copy = '']) => ({order, copy}))
    const astray = events.filter(({order, copy}) => !order.startsWith(`${copy}-`))
    const missing = this.#all.flatMap(({run, taken}) =>
      run === undefined ? [] : taken.filter(order => !events.some(event => event.order === order))
    )
    return [
      ...astray.map(({order, copy}) => `the event of ${order} came to ${copy}`),
      ...missing.map(order => `the event of ${order} has not come`)
    ]
  }

  /** What `copies` says. */
  async #wrongCopies(): Promise<readonly string[]> {
    const {stdout, stderr, code} = await this.#rig.run(['copies', '-o', 'json'], {folder: 'main'})
    if (code !== 0) return [`copies: ${stderr}`]
    const rows = JSON.parse(stdout) as readonly {
      readonly folder: string
      readonly pid: number
      readonly state: string
    }[]
    return this.#all.flatMap(({id, kind, folder, run, isAdrift}) => {
      if ((kind === 'clone' && (run === undefined || !this.#hasOrigin)) || folder === '') return []
      const row = rows.find(each =>
        run === undefined || isAdrift ? each.folder === join(this.#rig.folder, folder) : each.pid === run.pid
      )
      const wanted = run === undefined ? 'stopped' : 'running'
      // a worktree that was moved is known to Git by its old place
      const isLost = /-\d+$/.test(folder) && row === undefined
      return isLost || row?.state === wanted ? [] : [`copies says ${id} is ${row?.state}, it is ${wanted}`]
    })
  }
}
