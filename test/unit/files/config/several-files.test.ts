import {join} from 'node:path'
import t, {type Test} from 'tap'
import {UserError} from '../../../../src/model/errors.ts'
import type {AppPlan} from '../../../../src/model/plan.ts'
import {loadAll, openShop, type Asked, type Files, type Read} from './shop.ts'

const BASE = `version: 1
name: shop
common:
  logLevel: debug
  env: {SHARED: base, COMMON: base}
apps:
  - appID: orders
    appDirPath: ./orders
    appPort: 3000
    command: [node, app.mjs]
    env: {A: base, B: base}
    watch: {paths: ['*.mjs'], ignore: [a]}
    dependsOn: [checkout]
  - appDirPath: ./checkout
    enableApiLogging: true
`
const NAMED = ['.', 'mine.yaml']

interface Case extends Asked {
  readonly base?: string
  readonly more?: Files
}

async function read(test: Test, overlay: string, {base = BASE, more = {}, ...asked}: Case = {}): Promise<Read> {
  return loadAll(openShop(test, base, {'mine.yaml': overlay, ...more}), {named: NAMED, ...asked})
}

async function refusal(test: Test, overlay: string, given: Case = {}): Promise<UserError> {
  try {
    await read(test, overlay, given)
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('the files were accepted')
}

const appOf = ({plan}: Read, id: string): AppPlan | undefined => plan.apps.find(app => app.id === id)

t.test('apps are merged by id: maps by key, all else is replaced, also by false, 0 and an empty text', async t => {
  const both = await read(
    t,
    `name: mine
common: {env: {COMMON: mine}}
apps:
  - {appID: checkout, enableApiLogging: false}
  - {appID: new, appDirPath: ./orders}
  - {appID: orders, appPort: 0, command: [tsx, app.ts], env: {B: "", C: mine}, watch: {ignore: [b]}, dependsOn: []}
`
  )
  t.strictSame(
    both.plan.apps.map(({id}) => id),
    ['orders', 'checkout', 'new'],
    'new ids come last'
  )
  t.equal(both.plan.name, 'mine')
  t.match(appOf(both, 'orders'), {
    channel: {port: 0},
    command: ['tsx', 'app.ts'],
    env: {SHARED: 'base', COMMON: 'mine', A: 'base', B: '', C: 'mine'},
    watch: {paths: ['*.mjs'], ignore: ['b']},
    dependsOn: [],
    sidecar: {logLevel: 'debug'}
  })
  t.match(appOf(both, 'checkout'), {sidecar: {apiLogging: false}})
  t.same(both.findings, [])
})

t.test('a value of nothing takes back what an earlier file said', async t => {
  const both = await read(t, 'common: {logLevel: ~}\napps: [{appID: orders, command: , env: ~}]')
  t.match(appOf(both, 'orders'), {command: [], sidecar: {logLevel: 'info'}})
  t.strictSame(appOf(both, 'orders')?.env, {SHARED: 'base', COMMON: 'base'})
})

t.test('the first file names the run, and all files are followed', async t => {
  const folder = openShop(t, BASE, {'mine.yaml': 'name: mine', 'last.yaml': 'name: last'})
  const {plan} = await loadAll(folder, {named: ['dapr.yaml', 'mine.yaml', 'last.yaml']})
  t.match(plan, {file: join(folder, 'dapr.yaml'), shownAs: 'dapr.yaml', name: 'last'})
  t.strictSame(plan.overlays, [join(folder, 'mine.yaml'), join(folder, 'last.yaml')])
  t.equal((await loadAll(folder)).plan.overlays, undefined)
})

t.test('relative paths count from the file they are in', async t => {
  const more = {
    sub: {'mine.yaml': 'common: {resourcesPath: ./res}\napps: [{appID: x, appDirPath: ./x}]', x: {}, res: {}},
    res: {}
  }
  const folder = openShop(t, BASE.replace('logLevel: debug', 'resourcesPath: ./res'), more)
  const both = await loadAll(folder, {named: ['.', 'sub/mine.yaml']})
  t.match(appOf(both, 'x'), {folder: join(folder, 'sub/x'), resources: {folders: [join(folder, 'sub/res')]}})
  t.match(appOf(both, 'orders'), {folder: join(folder, 'orders')})
  const moved = await loadAll(folder, {named: ['sub/mine.yaml', '.']})
  t.match(appOf(moved, 'x'), {folder: join(folder, 'sub/x'), resources: {folders: [join(folder, 'res')]}})
})

t.test('anchors and merge keys of each file are its own', async t => {
  const both = await read(
    t,
    'x-env: &env {B: mine, D: mine}\napps:\n  - appID: orders\n    env: {<<: *env, A: mine}\n    <<: {appPort: 4000}\n',
    {base: BASE.replace('env: {A: base, B: base}', 'env: &env {A: base, B: base}')}
  )
  t.match(appOf(both, 'orders'), {channel: {port: 4000}, env: {A: 'mine', B: 'mine', D: 'mine'}})
})

t.test('versions of one service are told apart', async t => {
  const base = `version: 1
apps:
  - {appID: hello, version: 1.0.0, appDirPath: ./orders, command: [a]}
  - {appID: hello, version: 2.0.0, appDirPath: ./orders, command: [b]}
`
  const both = await read(t, 'apps: [{appID: hello, version: 2.0.0, command: [c]}]', {base})
  t.strictSame(
    both.plan.apps.map(({command}) => command),
    [['a'], ['c']]
  )
  const {mistakes} = await refusal(t, 'apps: [{appID: hello, command: [c]}]', {base})
  t.match(mistakes, [{message: /^several apps have the id "hello"/, place: {file: 'mine.yaml', line: 1, column: 16}}])
})

t.test('an empty file changes nothing', async t => {
  for (const text of ['', '# nothing\n', 'apps:\n']) t.equal((await read(t, text)).plan.apps.length, 2, text)
})

t.test('interpolation is on for all files, or for none', async t => {
  const overlay = 'interpolate: true\napps: [{appID: orders, env: {C: "${NAME}"}}]'
  const base = BASE.replace('A: base', 'A: "${NAME}"')
  const both = await read(t, overlay, {base, env: {NAME: 'x'}})
  t.match(appOf(both, 'orders')?.env, {A: 'x', C: 'x'})
  const off = await read(t, 'interpolate: false', {base: base.replace('name:', 'interpolate: true\nname:')})
  t.match(appOf(off, 'orders')?.env, {A: '${NAME}'})
})

t.test('a mistake is told in the file in which it stands, with its line', async t => {
  const table: readonly (readonly [overlay: string, message: RegExp, place: string])[] = [
    ['\napps: [{appID: orders, appPort: abc}]', /line 2: cannot unmarshal !!str `abc` into int/, 'mine.yaml:2:33'],
    ['apps: [{appID: orders, restart: never}]', /wrong value of restart/, 'mine.yaml:1:33'],
    ['apps: [{appID: orders, dependsOn: [x]}]', /depends on "x"/, 'mine.yaml:1:36'],
    ['apps: [{appID: orders, env: {A: [1]}}]', /cannot unmarshal !!seq into string/, 'mine.yaml:1:33'],
    ['apps: [{appID: x}]', /'appDirPath' not found/, 'mine.yaml:1:8'],
    ['apps: [{appID: x, appDirPath: ./x}]', /no such file/, 'mine.yaml:1:31'],
    ['apps: [{command: [x]}]', /an app needs an appID/, 'mine.yaml:1:8'],
    ['apps: [{appID: orders}, {appID: orders}]', /app "orders" appears twice in this file/, 'mine.yaml:1:33'],
    ['apps: {orders: {}}', /cannot unmarshal !!map into \[\]/, 'mine.yaml:1:7'],
    ['apps: [{appID: orders, appPort: 1', /yaml: line 1:/, 'mine.yaml:1'],
    ['- a list', /cannot unmarshal !!seq into runfileconfig.RunFileConfig/, 'mine.yaml:1:1'],
    ['just a text', /cannot unmarshal !!str/, 'mine.yaml:1:1'],
    ['services: {web: {image: x}}', /mine.yaml is not a template/, 'mine.yaml:1:1']
  ]
  for (const [overlay, message, place] of table) {
    const error = await refusal(t, overlay)
    t.match(error.message, message, overlay)
    t.ok(error.explanation.startsWith(place), `${overlay}: ${error.explanation}`)
  }
  const inBase = await refusal(t, 'name: x', {base: BASE.replace('3000', 'abc')})
  t.match(inBase.explanation, /^dapr\.yaml:9:14\n {4}appPort: abc\n {13}\^\^\^/)
})

t.test('findings name their file, too', async t => {
  const {findings} = await read(t, 'nam: x\napps: [{appID: orders, comand: [x], command: [y]}]\n---\nversion: 2')
  t.strictSame(
    findings.map(({code, place: {file, line, column}}) => `${code} ${file}:${line}:${column}`),
    ['unknown-key mine.yaml:1:1', 'unknown-key mine.yaml:2:24', 'second-document mine.yaml:3:1']
  )
})

t.test('a file is named once', async t => {
  const folder = openShop(t, BASE)
  for (const named of [
    ['.', 'dapr.yaml'],
    ['dapr.yaml', './dapr.yaml'],
    ['-', '-']
  ])
    await t.rejects(loadAll(folder, {named}), {
      message: /^--run-file names .* twice$/,
      explanation: 'Name each file once.'
    })
})

t.test('of all files one must have the version', async t => {
  const error = await refusal(t, 'name: x', {base: BASE.replace('version: 1', '')})
  t.match(error.message, "required field 'version' not found")
})
