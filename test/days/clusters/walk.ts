import {TEMPLATE_LABEL} from '../../../src/packages/kubernetes/object.ts'
import {Random} from '../../fuzz/random.ts'
import type {SeedWalk} from '../seeds.ts'
import {ApiServer, type Asked, type Fate, type Stored, type Written} from './api-server.ts'
import {lostLines, silences} from './checks.ts'
import {Command} from './command.ts'
import {SimTime} from './sim-time.ts'
import {Templates, TEMPLATES, VERSIONS, type Kind, type Name} from './templates.ts'
import {ROOTS, Workshop} from './workshop.ts'

const CALM_MS = 420_000

type Weather = 'calm' | 'flaky' | '500' | '503' | '429' | 'away' | 'silent' | 'slow'

/**
 * Two templates in one namespace, which people run, stop, interrupt and kill at any request, while a server fails in all ways, others make and
 * delete objects, and pods come and go. In simulated time: a walk is the same each time. What strangers have stays theirs, each line of a
 * container comes once, each command ends, and what was interrupted is finished by the next one.
 */
export async function walkCommands({seed, steps}: {readonly seed: number; readonly steps: number}): Promise<SeedWalk> {
  const walk = new Walk(new Random('clusters', seed))
  try {
    for (let step = 0; step < steps && walk.faults.length === 0; step++) await walk.step()
    if (walk.faults.length === 0) await walk.end()
  } finally {
    walk.close()
  }
  return {faults: walk.faults, steps: walk.done}
}

class Walk {
  readonly faults: string[] = []
  readonly done: string[] = []
  readonly #random: Random
  readonly #time = new SimTime()
  readonly #server = new ApiServer(this.#time)
  readonly #workshop: Workshop
  readonly #templates: Templates
  #commands: Command[] = []
  readonly #strangers = new Map<string, string>()
  #weather: Weather = 'calm'
  #weatherUntil = 0
  #token = 1
  #count = 0
  /** What stops says something within this time, or ends: a request without an answer fails after a minute. */
  #silenceMs = 28_000
  /** What others do in the middle of requests. */
  #ambushes = 0
  /** By command and path: which object it has seen there last. */
  readonly #seen = new Map<string, string>()
  /** Runs go on, and their pods come and go. */
  readonly #isLong: boolean

  constructor(random: Random) {
    this.#random = random
    this.#isLong = random.oneIn(3)
    this.#workshop = new Workshop(this.#server, this.#time, random)
    this.#templates = new Templates(random)
    this.#server.fate = async asked => this.#fate(asked)
    this.#server.onWrite = (asked, before, next) => this.#judge(asked, before, next)
  }

  /** Gives the time back to the clock. */
  close(): void {
    for (const command of this.#commands) command.kill()
    this.#time.close()
  }

  #say(text: string): void {
    this.done.push(`${(this.#time.now / 1000).toFixed(3)} ${text}`)
  }

  /** What a request of a command may do: only to what belongs to its template. */
  #judge({as, method, path}: Asked, before: Stored | undefined, next: Written | undefined): void {
    const command = this.#commands.find(({name}) => as.startsWith(`${name}|`))
    if (command === undefined || before === undefined) return
    const label = before.metadata.labels?.[TEMPLATE_LABEL]
    const isSeen = next === undefined || (this.#seen.get(`${command.name} ${path}`) ?? '') === before.metadata.uid
    if (label !== command.template && !isSeen) this.#strangers.delete(path)
    if (label !== command.template && isSeen)
      this.faults.push(
        `${command.name} does ${method} to ${path}, which is ${label ?? 'a stranger'}'s${next === undefined ? '' : ' now'}`
      )
  }

  async #fate(asked: Asked): Promise<Fate> {
    const random = this.#random
    const {as, method, path, query} = asked
    const command = this.#commands.find(({name}) => as.startsWith(`${name}|`))
    if (this.#weather !== 'calm' && this.#time.now > this.#weatherUntil) this.#clear()
    await this.#time.pause(this.#weather === 'slow' ? random.below(3000) : random.below(20))
    if (command !== undefined && --command.left <= 0 && !command.isDead) {
      this.#say(`${command.name} is killed at ${method} ${path}`)
      command.kill()
      if (random.oneIn(2)) return 'gone'
    }
    // nothing but a lock keeps others out between the last look and the write
    const isWrite = method === 'PATCH' && !query.has('dryRun')
    if (this.#ambushes > 0 && !isWrite && random.oneIn(6)) {
      this.#ambushes--
      this.#say(`before ${command?.name} ${method} ${path}${query.has('dryRun') ? ' (dry)' : ''}:`)
      this.#others()
    }
    if (!as.endsWith(`|${this.#token}`)) return {code: 401}
    if (method === 'GET' && command !== undefined)
      this.#seen.set(`${command.name} ${path}`, this.#server.objects.get(path)?.metadata.uid ?? '')
    switch (this.#weather) {
      case 'flaky': {
        if (!random.oneIn(3)) return undefined
        const fate = random.pick<Fate>([
          {code: 429, after: 1},
          {code: 500},
          {code: 503, after: 1},
          {code: 502},
          {code: 504},
          'gone',
          'lost',
          'cut'
        ])
        // what is applied is not tried again after these: it may fail
        return fate
      }
      case 'calm':
      case 'slow':
        return undefined
      case '500':
        return {code: 500}
      case '503':
        return {code: 503}
      case '429':
        return {code: 429, after: 1}
      case 'away':
        return 'gone'
      case 'silent':
        return 'never'
    }
  }

  #clear(): void {
    this.#weather = 'calm'
    this.#server.endHung()
    this.#say('the server is well')
  }

  async step(): Promise<void> {
    const isLong = this.#isLong && this.#alive().length > 0
    const all: readonly [number, () => void][] = [
      [6, () => this.#startRun()],
      [4, () => this.#startStop()],
      [4, () => this.#say(this.#templates.edit())],
      [4, () => this.#signal()],
      [3, () => this.#kill()],
      [5, () => this.#others()],
      [4, () => this.#pods()],
      [4, () => this.#change()],
      [3, () => this.#cut()],
      [1, () => void (this.#ambushes += 2)]
    ]
    const acts = isLong ? all.slice(6, 9) : all
    let at = this.#random.below(acts.reduce((sum, [weight]) => sum + weight, 0))
    for (const [weight, act] of acts) {
      at -= weight
      if (at < 0) {
        act()
        break
      }
    }
    await this.#pass(this.#random.pick([10, 100, 100, 1000, 3000, 10_000, 40_000]))
    this.#look()
  }

  async #pass(ms: number): Promise<void> {
    await this.#time.pass(ms)
  }

  #alive(): readonly Command[] {
    return this.#commands.filter(({isOver}) => !isOver)
  }

  #start(kind: string, template: Name): Command {
    const command = new Command(`${kind}${++this.#count}`, template, {
      time: this.#time,
      server: this.#server,
      token: () => `${this.#token}`
    })
    this.#commands.push(command)
    command.slowMs = this.#random.pick([0, 0, 0, 300, 5000])
    if (!this.#isLong && this.#random.oneIn(5)) command.left = this.#random.below(80) + 1
    this.#say(`${command.name} of ${template} starts`)
    return command
  }

  #startRun(template = this.#random.pick(Object.keys(TEMPLATES) as Name[])): Command | undefined {
    if (this.#alive().length > 4) return undefined
    const command = this.#start('run', template)
    command.startRun(this.#templates.objects(template))
    return command
  }

  #startStop(template = this.#random.pick(Object.keys(TEMPLATES) as Name[])): Command {
    const command = this.#start('stop', template)
    command.startStop(this.#templates.objects(template))
    return command
  }

  #signal(): void {
    const alive = this.#alive()
    if (alive.length === 0) return
    const command = this.#random.pick(alive)
    const isAgain = this.#random.oneIn(4)
    this.#say(`Ctrl-C ${isAgain ? 'twice ' : ''}at ${command.name}`)
    command.interrupt(isAgain)
  }

  #kill(): void {
    const alive = this.#alive()
    if (alive.length === 0) return
    const command = this.#random.pick(alive)
    this.#say(`kill -9 ${command.name}`)
    command.kill()
  }

  /** Strangers make and delete objects: their own ones, and ours. */
  #others(): void {
    const random = this.#random
    const kind = random.pick(Object.keys(ROOTS) as Kind[])
    const ids =
      kind === 'Component'
        ? ['shop-store', 'depot-store']
        : ['cart', 'mail', 'stock', 'gate', 'rack'].map(id => (kind === 'Secret' ? `${id}-env` : id))
    const name = random.pick(ids)
    const path = `${ROOTS[kind]}/${name}`
    const there = this.#server.objects.get(path)
    if (there !== undefined) {
      if (there.metadata.deletionTimestamp !== undefined) return
      this.#say(`somebody deletes ${kind} ${name} of ${there.metadata.labels?.[TEMPLATE_LABEL] ?? 'a stranger'}`)
      this.#strangers.delete(path)
      this.#server.delete(path)
      if (!random.oneIn(3)) return
    }
    if (this.#server.objects.has(path) || !random.oneIn(3)) return
    this.#say(`a stranger makes ${kind} ${name}`)
    const template = {mark: 'stranger'}
    const made = this.#server.save(path, {
      apiVersion: VERSIONS[kind],
      kind,
      metadata: {name, labels: {app: name}},
      ...(kind === 'Secret'
        ? {data: {A: 'theirs'}}
        : {spec: kind === 'Deployment' || kind === 'Job' ? {replicas: 1, template} : {theirs: 1}})
    })
    this.#strangers.set(path, made.metadata.uid)
  }

  #pods(): void {
    const pods = [...this.#workshop.pods.values()]
    if (pods.length === 0) return
    const pod = this.#random.pick(pods)
    const kind = this.#random.below(5)
    this.#say(`${['crash', 'crash', 'sidecar crash', 'evict', 'delete'][kind]} ${pod.path}`)
    if (kind <= 1) this.#workshop.exit(pod, pod.app, this.#random.below(2))
    else if (kind === 2) this.#workshop.exit(pod, 'daprd', 2)
    else if (kind === 3) this.#workshop.evict(pod)
    else this.#server.delete(pod.path)
  }

  #change(): void {
    this.#weather = this.#random.pick(['flaky', 'flaky', '500', '503', '429', 'away', 'silent', 'slow'] as const)
    const ms = this.#random.pick([500, 3000, 20_000, 100_000, 300_000])
    this.#weatherUntil = this.#time.now + ms
    this.#say(`the server is ${this.#weather} for ${ms} ms`)
    if (this.#weather === 'silent') this.#silenceMs = 130_000
    if (this.#weather === 'away') this.#server.endWatches('cut')
    if (this.#weather === 'away') this.#workshop.cutLogs()
  }

  #cut(): void {
    const kind = this.#random.below(6)
    this.#say(
      [
        'watches end',
        'watches expire',
        'watches are cut',
        'logs are cut',
        'the history is compacted',
        'the token expires'
      ][kind] ?? ''
    )
    if (kind === 0) this.#server.endWatches('end')
    if (kind === 1) this.#server.endWatches('gone')
    if (kind === 2) this.#server.endWatches('cut')
    if (kind === 3) this.#workshop.cutLogs()
    if (kind >= 4) this.#server.forget()
    if (kind === 4) this.#server.endWatches('end')
    if (kind === 5) this.#token++
  }

  /** What must hold at any time. */
  #look(): void {
    for (const command of this.#commands) {
      for (const [line, times] of command.printed)
        if (times > 1 && line !== '') this.faults.push(`${command.name} printed ${times} times: ${line}`)
      if (command.end?.startsWith('BUG') === true) this.faults.push(`${command.name}: ${command.end}`)
      this.faults.push(...silences(command, this.#time.now, this.#silenceMs))
    }
    for (const [path, uid] of this.#strangers) {
      const there = this.#server.objects.get(path)
      if (there?.metadata.uid !== uid) this.faults.push(`${path} of a stranger is gone`)
    }
  }

  /** All is well at last. */
  async end(): Promise<void> {
    this.#say('the end begins')
    this.#ambushes = 0
    this.#clear()
    for (const command of this.#alive()) Object.assign(command, {left: Infinity, slowMs: 0})
    await this.#time.pass(CALM_MS)
    this.#look()
    for (const each of this.#alive()) if (!each.isReady) this.faults.push(`${each.name} neither is ready nor ends`)
    this.faults.push(...lostLines(this.#alive(), this.#workshop, this.#time.now))
    for (const each of this.#alive()) each.interrupt()
    await this.#ended('Ctrl-C')
    for (const name of Object.keys(TEMPLATES) as Name[]) this.#startStop(name).left = Infinity
    await this.#ended('stop -k')
    this.#nothingIsLeft()
    for (const name of Object.keys(TEMPLATES) as Name[]) {
      const again = this.#startStop(name)
      again.left = Infinity
      await this.#ended('stop -k again')
      if (again.count !== 0 || again.end !== 'done')
        this.faults.push(`${again.name} found ${again.count}, ${again.end}`)
      await this.#twice(name)
    }
    this.#look()
    if (this.faults.length > 0)
      for (const command of this.#commands)
        this.done.push(
          `-- ${command.name}${command.isDead ? ' (killed)' : ''}`,
          ...command.said.map(({at, text}) => `   ${(at / 1000).toFixed(3)} ${text}`)
        )
  }

  async #ended(what: string): Promise<void> {
    await this.#time.pass(CALM_MS, () => this.#alive().length === 0)
    for (const each of this.#alive()) {
      this.faults.push(`${each.name} does not end after ${what}`)
      each.kill()
    }
  }

  #nothingIsLeft(): void {
    for (const [path, {metadata}] of this.#server.objects)
      if (metadata.labels?.[TEMPLATE_LABEL] !== undefined && metadata.deletionTimestamp === undefined)
        this.faults.push(`${path} is left`)
  }

  async #twice(name: Name): Promise<void> {
    this.#templates.mend(name)
    const first = this.#startRun(name)
    if (first === undefined) return
    Object.assign(first, {left: Infinity, slowMs: 0})
    await this.#time.pass(CALM_MS, () => first.isReady || first.isOver)
    await this.#time.pass(20_000)
    if (first.isOver) return this.#explain(first)
    this.faults.push(...this.#templates.faults(name, this.#server.objects))
    const second = this.#startRun(name)
    if (second === undefined) return
    Object.assign(second, {left: Infinity, slowMs: 0})
    await this.#time.pass(CALM_MS, () => second.isReady || second.isOver)
    if (second.changed !== 0)
      this.faults.push(`${second.name} changed ${second.changed}, though all was there: ${second.end}`)
    await this.#time.pass(5000)
    this.faults.push(...lostLines(this.#alive(), this.#workshop, this.#time.now))
    second.interrupt()
    await this.#ended('Ctrl-C')
    this.#nothingIsLeft()
  }

  /** A run in calm weather may end by itself for these reasons. */
  #explain({name, end = '', template}: Command): void {
    const isForeign = [...this.#strangers.keys()].length > 0 && /belongs to/.test(end)
    const isJobs = end === 'done' && this.#templates.hasJobsAlone(template as Name)
    if (!isForeign && !isJobs) this.faults.push(`${name} ended: ${end}`)
  }
}
