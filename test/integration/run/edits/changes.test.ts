import {mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setFlagsFromString} from 'node:v8'
import {runInNewContext} from 'node:vm'
import t, {type Test} from 'tap'
import {UserError} from '../../../../src/model/errors.ts'
import type {Apps} from '../../../../src/run/apps/apps.ts'
import {Changes} from '../../../../src/run/edits/changes.ts'
import {Watching} from '../../../../src/run/edits/watch-apps.ts'
import {Watch} from '../../../../src/files/watcher/watcher.ts'
import type {AppPlan, Plan} from '../../../../src/model/plan.ts'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'
import {planOf} from '../../../rig/plan.ts'

/** In one step: a busy machine tells of a save in place in two breaths. */
const saved = (path: string, text: string): void => {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

/** A template whose plan the test chooses, and what its edits lead to. */
class Template {
  readonly file: string
  apps: readonly AppPlan[] = []
  leftOut: readonly AppPlan[] = []
  rereads = 0
  /** What is wrong with the template. */
  mistake: Error | undefined
  readonly warned: string[] = []
  /** What opens an app. */
  open: (app: AppPlan) => Promise<undefined> = async () => undefined
  readonly #folder = mkdtempSync(join(tmpdir(), 'changes-'))
  readonly changes: Changes
  runtimes: readonly AppRuntime[] = []
  readonly #lifetime = {isOver: false}
  /** Ids of left-out apps that the user has started, and their instances. */
  readonly broughtIn = new Set<string>()
  found: readonly AppRuntime[] = []
  /** The file has an earlier time, rounded up. */
  readonly #since: number

  constructor(t: Test) {
    this.file = join(this.#folder, 'dapr.yaml')
    writeFileSync(this.file, '1')
    this.#since = Date.now() + 1
    this.changes = new Changes({
      plan: this.#plan,
      since: this.#since,
      reread: async () => {
        this.rereads++
        if (this.mistake !== undefined) throw this.mistake
        return this.#plan
      },
      letGo: () => async () => Promise.resolve(true),
      letGoMs: () => 0,
      finishWork: () => async () => Promise.resolve(true),
      keepHosted: () => undefined,
      resumeWork: () => undefined,
      queue: async () => undefined,
      emit: () => undefined,
      reporter: {warn: (_, text) => this.warned.push(text)},
      lifetime: this.#lifetime,
      apps: () =>
        ({
          all: this.runtimes,
          failedIds: [],
          broughtIn: this.broughtIn,
          find: plan => this.found.find(each => each.plan === plan),
          isWhollyStopped: () => false,
          hold: () => () => undefined,
          inTurn: async work => work(),
          leaveOut: async () => undefined,
          edited: async () => undefined,
          closeAll: async () => undefined,
          remove: async () => undefined,
          openNew: async app => this.open(app),
          begin: async () => undefined,
          arrange: () => undefined
        }) as Partial<Apps> as Apps
    })
    t.teardown(() => {
      this.#lifetime.isOver = true
      this.changes.end()
      rmSync(this.#folder, {recursive: true})
    })
  }

  async begin(): Promise<void> {
    // before that moment the clock would seem to have been set back, which counts as a save
    while (Date.now() < this.#since) await new Promise(setImmediate)
    await this.changes.begin()
  }

  /** Saves the template; settles when an app is opened, which then fails with this error, if any. */
  async save(text: string, error?: Error): Promise<string> {
    const opened = Promise.withResolvers<string>()
    this.open = async ({id}) => {
      opened.resolve(id)
      if (error !== undefined) throw error
      return undefined
    }
    saved(this.file, text)
    return opened.promise
  }

  get #plan(): Plan {
    return {
      name: '',
      file: this.file,
      shownAs: 'dapr.yaml',
      managerPort: 'none',
      apps: this.apps,
      leftOut: this.leftOut
    }
  }
}

/** Longer than the rest that ends a change: what comes later is another one. */
const atRest = async (): Promise<void> => new Promise(resolve => setTimeout(resolve, 500))

t.test('an app that could not be opened is tried again when the template is saved, changed or not', async t => {
  const template = new Template(t)
  await template.begin()
  template.apps = [planOf({id: 'b'})]
  t.equal(await template.save('2', new UserError('its port is taken')), 'b')
  while (template.warned.length === 0) await new Promise(setImmediate)
  await atRest()
  t.same(template.warned, ['its port is taken'])
  t.equal(await template.save('2'), 'b', 'the same bytes')
  await atRest()
  t.equal(template.rereads, 2, 'once for each save')
  template.apps = [planOf({id: 'b'}), planOf({id: 'c'})]
  t.equal(await template.save('3'), 'c', 'the one that is there is left alone')
})

t.test('an edit that fails because of a bug is told, and does not keep the next one from being followed', async t => {
  const template = new Template(t)
  await template.begin()
  template.apps = [planOf({id: 'b'})]
  await template.save('2', new Error('a bug'))
  while (template.warned.length === 0) await new Promise(setImmediate)
  await atRest()
  t.same(template.warned, ['cannot apply the edit of the template: a bug'])
  template.apps = [planOf({id: 'c'})]
  t.equal(await template.save('3'), 'c')
})

t.test('files that the new template names are followed from then on', async t => {
  const template = new Template(t)
  await template.begin()
  const env = join(template.file, '../.env')
  template.apps = [planOf({id: 'b', envFiles: [env]})]
  t.equal(await template.save('2'), 'b')
  await atRest()
  template.apps = [...template.apps, planOf({id: 'c'})]
  const opened = Promise.withResolvers<string>()
  template.open = async ({id}) => {
    opened.resolve(id)
    return undefined
  }
  saved(env, 'A=1')
  t.equal(await opened.promise, 'c')
})

t.test('a file that an edit names before it is there is waited for', async t => {
  const template = new Template(t)
  await template.begin()
  const env = join(template.file, '../config/.env')
  template.mistake = new UserError('no such file', {mendedBy: [env]})
  saved(template.file, '2')
  while (template.warned.length === 0) await new Promise(setImmediate)
  await atRest()
  template.mistake = undefined
  template.apps = [planOf({id: 'b', envFiles: [env]})]
  const opened = Promise.withResolvers<string>()
  template.open = async ({id}) => {
    opened.resolve(id)
    return undefined
  }
  mkdirSync(join(env, '..'))
  writeFileSync(env, 'A=1')
  t.equal(await opened.promise, 'b')
})

t.test('an edit amid the start of an app that was left out opens the instances that were not yet', async t => {
  const template = new Template(t)
  await template.begin()
  const [first, second] = [planOf({id: 'b'}), planOf({id: 'b', instance: 2})]
  template.leftOut = [first, second]
  template.apps = [planOf({id: 'a'})]
  t.equal(await template.save('2'), 'a')
  await atRest()
  template.broughtIn.add('b')
  template.found = [{plan: first, wanted: first} as AppRuntime]
  t.equal(await template.save('3'), 'b')
})

t.test('of an app that has left the run nothing is kept', async t => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const template = new Template(t)
  const freed: string[] = []
  const registry = new FinalizationRegistry<string>(id => freed.push(id))
  for (let i = 0; i < 100; i++) {
    const runtime = {
      id: 'a',
      plan: planOf({id: 'a'}),
      wanted: planOf({id: 'a'}),
      app: {state: {phase: 'exited'}},
      idle: {kind: 'no'},
      round: 0,
      person: 'none',
      onMove: () => () => undefined
    } as unknown as AppRuntime
    registry.register(runtime, 'a')
    template.changes.join(runtime)
    template.changes.leave(runtime)
    await template.changes.ownerOf(runtime).close('closes', async () => undefined)
    await template.changes.ownerOf(runtime).follow()
  }
  for (let i = 0; i < 20 && freed.length < 90; i++) {
    await new Promise(setImmediate)
    gc()
  }
  t.ok(freed.length >= 90, `${freed.length} of 100 are freed`)
})

t.test('the files of an app that is still being opened when watching begins are followed', async t => {
  const template = new Template(t)
  const folder = t.testdir({'main.js': '1'})
  const wanted = planOf({id: 'a', folder, command: ['x'], watch: {paths: ['.'], ignore: [], honoursGitignore: false}})
  const seen = Promise.withResolvers<boolean>()
  const runtime = {
    id: 'a',
    plan: wanted,
    wanted,
    round: 0,
    idle: {kind: 'no'},
    onMove: () => () => undefined,
    opening: {createdAt: Date.now()},
    app: {state: {phase: 'running', ready: true}},
    sleep: {isAsleep: false},
    get isDebugged() {
      seen.resolve(true)
      return true
    }
  } as unknown as AppRuntime
  template.runtimes = [runtime]
  template.changes.join(runtime)
  await template.begin()
  saved(join(folder, 'main.js'), '2')
  t.ok(await seen.promise)
})

t.test('a run that ends while it turns to other files of its template follows none of them', async t => {
  const open = new Set<unknown>()
  t.intercept(Watch.prototype, 'open', {
    value: async function (this: unknown) {
      open.add(this)
      return Promise.resolve()
    }
  })
  t.intercept(Watch.prototype, 'close', {
    value: async function (this: unknown) {
      open.delete(this)
      return Promise.resolve()
    }
  })
  const watching = new Watching([], () => undefined, {warn: () => undefined})
  await watching.followTemplate(['/shop/a.yaml'], 0, () => undefined)
  t.equal(open.size, 1)
  const turned = watching.followTemplate(['/shop/b.yaml'], 0, () => undefined)
  await Promise.all([watching.close(), turned])
  t.equal(open.size, 0)
})
