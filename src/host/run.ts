// host/ is one run, wired: it knows every room and hands each what it asks for. Reads as the list of what a run does:
// ports, logs, doors, the socket, apps; and backwards at the end.
import {randomBytes} from 'node:crypto'
import {endMarked} from '../app/ending.ts'
import type {Guardian} from '../app/guardian.ts'
import {prepareLives} from '../app/app.ts'
import {closePipes} from '../app/pipes.ts'
import {existingFolders, runtimeFolders, usableFolder} from '../control/folder.ts'
import type {RunListing} from '../control/messages.ts'
import {homeOf, register, type Registration} from '../control/server.ts'
import type {AppPlan} from '../plan.ts'
import {succeeded} from '../state.ts'
import {answersOf} from './answers.ts'
import {admitBy} from './calls/calls.ts'
import {Changes} from './reload/changes.ts'
import {claimAll, nameOwner} from './ports/claims.ts'
import {openDoor, type Door} from './door.ts'
import {guardianFor, longestGraceMs} from './guardian.ts'
import {listingOf} from './listing.ts'
import type {Member} from './member.ts'
import {Muster} from './muster.ts'
import type {RunOptions} from './run-options.ts'
import {Neighbours} from './calls/neighbours.ts'
import {noteText} from './words/notes.ts'
import {Outside} from './calls/outside.ts'
import {claimPorts} from './ports/ports.ts'
import {isStartedAtOnce, Starts} from './order/starts.ts'
import {Services} from './services/services.ts'
import {sweep} from './sweep.ts'
import {tellTwins} from './twins.ts'
import {warnOfUnbuilt, warnOfUnenforced} from './words/unbuilt.ts'

/** All apps of a plan, from the first port to the last process. */
export class Run {
  /** Settles when nothing of the run is left; whether all went well. */
  readonly ended: Promise<boolean>
  readonly #options: RunOptions
  /** The mark of everything that belongs to this run. */
  readonly #mark = randomBytes(16).toString('hex')
  readonly #startedAt = Date.now()
  readonly #end = Promise.withResolvers<boolean>()
  readonly #doors = new Map<Member, Door>()
  readonly #notes: string[] = []
  readonly #now = new AbortController()
  readonly #guardian: Guardian
  /** What other runs say at our doors when they speak for their apps. */
  readonly #key = randomBytes(16).toString('hex')
  readonly #neighbours: Neighbours
  readonly #services: Services
  readonly #muster: Muster
  readonly #changes: Changes
  readonly #starts: Starts
  #members: readonly Member[] = []
  #registration: Registration | undefined
  /** Ports, doors and socket stand: there is something to take down. */
  #isWired = false
  #areStarted = false
  #isAsked = false
  #isEnding = false

  constructor(options: RunOptions) {
    this.#options = options
    const {plan, shell} = options
    this.#guardian = guardianFor({plan, shell, mark: this.#mark, tell: text => this.#note(text)})
    this.#neighbours = new Neighbours({
      shell: options.shell,
      run: this.#mark,
      known: () => this.#running().map(({id}) => id)
    })
    this.#services = new Services({
      ...options,
      run: this.#mark,
      elsewhere: this.#neighbours.admit,
      note: text => this.#note(text),
      remove: async member => this.#close(member),
      add: async app => this.#openLate(app, this.#members.length)
    })
    this.#changes = new Changes({
      plan,
      since: this.#startedAt,
      reread: options.reread,
      members: () => this.#running(),
      emit: options.emit,
      open: async (app, index) => this.#openLate(app, index),
      close: async member => this.#close(member)
    })
    this.#starts = new Starts({
      shownAs: plan.shownAs,
      emit: options.emit,
      note: text => this.#note(text),
      isOver: () => this.#isAsked || this.#isEnding
    })
    this.#muster = new Muster({
      ...options,
      run: this.#mark,
      services: this.#services,
      guardian: this.#guardian,
      maySpawn: () => !this.#isAsked && !this.#isEnding,
      explain: (id, visit) => this.#changes.circle(id, visit),
      moved: () => this.#starts.look(),
      spare: life => this.#spare(life),
      note: text => this.#note(text)
    })
    this.ended = this.#end.promise
  }

  /** Settles when the start lines of all apps are out that wait for no other. Throws a UserError, with nothing left behind, where a port is taken. */
  async start(): Promise<void> {
    const {plan} = this.#options
    const folders = runtimeFolders(this.#options.shell)
    const folder = usableFolder(folders)
    existingFolders(folders, text => this.#note(text)) // told once; whoever looks for other runs skips them in silence
    const pipes = prepareLives(plan.apps.filter(isStartedAtOnce).length)
    try {
      await this.#wire(folder)
    } catch (error) {
      for (const each of await pipes) closePipes(each)
      throw error
    }
    await this.#starts.begin(this.#members, await pipes)
    this.#areStarted = true
    this.#services.tell()
    for (const text of [...warnOfUnbuilt(plan), ...warnOfUnenforced(plan), ...this.#notes])
      this.#options.emit({type: 'warned', text})
    void tellTwins({plan, run: this.#mark, shell: this.#options.shell, tell: text => this.#note(text)})
    void sweep({env: this.#options.shell, tell: text => this.#note(text)})
    if (this.#isAsked) void this.#finish()
    else if (plan.apps.length > 0) void this.#allEnded().then(async () => this.#finish())
    void this.#changes.begin()
  }

  /** Ports, doors and the socket by which other terminals find the run. */
  async #wire(folder: string): Promise<void> {
    const {plan} = this.#options
    const claims = await claimAll(plan)
    this.#members = await this.#muster.all(claims.doors)
    for (const member of this.#members) this.#services.add(member)
    for (const member of this.#members) this.#doors.set(member, this.#openDoor(member))
    this.#services.open(claims.manager)
    const about = {mark: this.#mark, graceMs: longestGraceMs(plan)}
    this.#registration = await register(folder, about, {
      list: () => this.#listing(),
      stop: () => this.stop(),
      stopApp: async id => this.#stopApp(id),
      ...this.#services.answers,
      ...answersOf({
        restart: async members => this.#changes.restart(members),
        run: this.#mark,
        startedAt: this.#startedAt,
        key: this.#key,
        doors: this.#doors,
        main: id => this.#services.versions.main(id),
        isEnding: () => this.#isAsked || this.#isEnding
      })
    })
    this.#guardian.start(homeOf(folder, this.#mark))
    this.#isWired = true
  }

  /** Asks for the end: SIGTERM to every app at once, and after its grace SIGKILL. */
  stop(): void {
    if (this.#isAsked || this.#isEnding) return
    this.#isAsked = true
    this.#changes.end()
    this.#options.emit({type: 'stopping'})
    for (const member of this.#members) member.announceEnd()
    if (this.#isWired) void this.#finish()
  }

  /** The end without a grace. */
  stopNow(): void {
    this.stop()
    this.#now.abort()
    for (const member of this.#members) member.stopNow()
  }

  /** What has left the groups of this life is not to be ended with the run, nor by those who end it for us. */
  #spare(life: string): void {
    this.#guardian.spare(life)
    this.#registration?.spare(life)
  }

  #openDoor(member: Member): Door {
    const outside = new Outside({
      plan: member.plan,
      env: this.#options.shell,
      warn: text => this.#note(text),
      inside: admitBy(id => this.#services.versions.main(id), this.#neighbours.admit)
    })
    return openDoor({
      member,
      plan: this.#options.plan,
      shell: this.#options.shell,
      outside,
      lodger: this.#services.doorOf(member),
      copierOf: this.#services.copierOf,
      key: this.#key,
      requestShutdown: () => void this.#stopApp(member.id)
    })
  }

  /** Settles when no app runs, nor is started again. */
  async #allEnded(): Promise<void> {
    do {
      await Promise.all(this.#members.map(async ({app}) => app.ended))
      await new Promise(setImmediate) // one that is being exchanged is not there yet
    } while (!this.#members.every(({hasEnded}) => hasEnded))
  }

  /** Those whose door is open. */
  #running(): readonly Member[] {
    return this.#members.filter(member => this.#doors.has(member))
  }

  /** Ends an app and its door, shadows before the main version: none of them is to answer in its place. With the last door the run ends. */
  async #stopApp(id: string): Promise<boolean> {
    const meant = this.#running().filter(member => member.id === id)
    if (meant.length === 0) return false
    const shadows = this.#services.versions.shadows(id)
    await this.#closeAll(meant.filter(member => shadows.includes(member)))
    if (this.#running().every(member => member.id === id)) {
      this.stop()
      await this.ended
    } else await this.#closeAll(meant.filter(member => !shadows.includes(member)))
    return true
  }

  async #closeAll(members: readonly Member[]): Promise<void> {
    await Promise.all(members.map(async member => this.#close(member)))
  }

  /** An app that has come to the template. */
  async #openLate(app: AppPlan, index: number): Promise<void> {
    const [ports] = await claimPorts({...this.#options.plan, apps: [app]}, nameOwner)
    const member = await this.#muster.one(app, ports, index)
    this.#services.add(member)
    this.#members = this.#members.toSpliced(index, 0, member)
    this.#doors.set(member, this.#openDoor(member))
    if (this.#isAsked || this.#isEnding) return this.#close(member)
    await this.#starts.late(member, this.#members)
  }

  async #close(member: Member): Promise<void> {
    this.#changes.leave(member)
    await member.stop('user')
    this.#services.forget(member)
    const door = this.#doors.get(member)
    this.#doors.delete(member)
    await door?.close()
    await member.closeLogs()
  }

  /** Every app at once; doors stay open until the last one is gone, then what carries the run's mark, files, the socket. */
  async #finish(): Promise<void> {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#changes.end()
    try {
      const states = await Promise.all(this.#members.map(async member => member.stop('run ends')))
      await endMarked({
        mark: `PILLION_RUN=${this.#mark}`,
        spared: this.#members.flatMap(member => member.sparedMarks),
        graceMs: longestGraceMs(this.#options.plan),
        now: this.#now.signal,
        ended: stray => this.#note(noteText('', {type: 'stray-ended', ...stray}))
      })
      const members = this.#running().map(async member => this.#close(member))
      await Promise.all([this.#guardian.dismiss(), this.#services.close(), ...members])
      this.#neighbours.close()
      await this.#registration?.withdraw()
      this.#end.resolve(
        this.#isAsked ||
          (!this.#starts.lacksOne &&
            states.every(state => state.phase === 'exited' && (state.asked || succeeded(state.exit))))
      )
    } catch (error) {
      this.#end.reject(error)
    }
  }

  #note(text: string): void {
    if (this.#areStarted || this.#isEnding) this.#options.emit({type: 'warned', text})
    else this.#notes.push(text)
  }

  #listing(): RunListing {
    const {versions} = this.#services
    return listingOf({
      plan: this.#options.plan,
      run: this.#mark,
      startedAt: this.#startedAt,
      members: this.#running(),
      isMain: member => versions.isMain(member)
    })
  }
}
