import {join} from 'node:path'
import {RE2JS} from 're2js'
import t from 'tap'
import {milliseconds} from '../../../../src/files/config/lifecycle.ts'
import type {AppPlan} from '../../../../src/model/plan.ts'
import {failure, load, loadIn, openShop, orders} from './shop.ts'

const plan = (test: Parameters<typeof load>[0], yaml: string, watch = false): AppPlan | undefined =>
  load(test, yaml, {watch}).plan.apps[0]

t.test('a time has a unit, or is seconds', async t => {
  const table: readonly (readonly [string | number, number])[] = [
    ['250ms', 250],
    ['5s', 5000],
    ['2m', 120_000],
    ['1.5s', 1500],
    [10, 10_000],
    ['10', 10_000],
    [0.5, 500],
    [0, 0]
  ]
  for (const [written, ms] of table) t.equal(milliseconds(written), ms, String(written))
})

t.test('an app is ready when it says so, when its port accepts, or when it runs', async t => {
  const table: readonly (readonly [readonly string[], object])[] = [
    [[], {kind: 'spawned', timeoutMs: 60_000}],
    [['appPort: 3000'], {kind: 'tcp', port: 3000, timeoutMs: 60_000}],
    [['autoPort: true'], {kind: 'tcp', port: 0, timeoutMs: 60_000}],
    [['appPort: 3000', 'ready: {timeout: 5s}'], {kind: 'tcp', port: 3000, timeoutMs: 5000}],
    [['appPort: 3000', 'ready: none'], {kind: 'spawned', timeoutMs: 60_000}],
    [['appPort: 3000', 'ready: {http: /up}'], {kind: 'http', path: '/up', timeoutMs: 60_000}],
    [['ready: {tcp: 4000, timeout: 250ms}'], {kind: 'tcp', port: 4000, timeoutMs: 250}],
    [['ready: {log: "listening on \\\\d+"}'], {kind: 'log', pattern: 'listening on \\d+', timeoutMs: 60_000}],
    [['ready: {}'], {kind: 'spawned', timeoutMs: 60_000}]
  ]
  for (const [lines, ready] of table) t.strictSame(plan(t, orders(...lines))?.ready, ready, lines.join(', '))
})

t.test('an app without a port cannot be asked over HTTP, unless only common says so', async t => {
  const {message, explanation} = failure(t, orders('ready: {http: /up}'))
  t.equal(message, 'Error getting apps from config file: ready.http needs an appPort')
  t.match(
    explanation,
    'dapr.yaml:5:19\n    ready: {http: /up}\n                  ^^^\nwrite appPort, or autoPort: true'
  )
  t.strictSame(plan(t, `common: {ready: {http: /up}}\n${orders()}`)?.ready, {kind: 'spawned', timeoutMs: 60_000})
})

t.test('a pattern that is no regular expression is refused', async t => {
  const {message, explanation} = failure(t, orders('ready: {log: "("}'))
  t.equal(message, 'Error getting apps from config file: wrong value of ready.log')
  t.match(explanation, /^dapr\.yaml:5:18\n.*\n +\^\^\^\nexpected a regular expression; /)
})

t.test('a pattern that needs more than linear time is refused; what is taken is understood by RE2', async t => {
  const table: readonly (readonly [pattern: string, beyond: string])[] = [
    ['(?!x)', 'lookahead and lookbehind'],
    ['a(?<=x)', 'lookahead and lookbehind'],
    ['(a)\\1', 'back references'],
    ['(?<n>a)\\k<n>', 'back references'],
    ['a{2,1001}', 'more than 1000 repetitions'],
    ['a{1001,}', 'more than 1000 repetitions']
  ]
  for (const [pattern, beyond] of table) {
    const {explanation} = failure(t, orders(`ready: {log: '${pattern}'}`))
    t.match(explanation, /^dapr\.yaml:5:18\n.*\n +\^+\nexpected /)
    t.ok(explanation.endsWith(`expected a regular expression of RE2, without ${beyond}`), pattern)
  }
  for (const pattern of [
    '(a+)+$',
    '\\\\1',
    '[(?=]\\]',
    'a{1,1000}',
    '\\/x\\-',
    '[^]',
    '(?<n>a)',
    '(?P<n>a)',
    '(?i)ready (?s-m)x',
    '(?:a|b)*?',
    '\\u00e9',
    'x{',
    '\\cA'
  ]) {
    const ready = plan(t, orders(`ready: {log: '${pattern}'}`))?.ready
    t.match(ready, {kind: 'log'}, pattern)
    t.ok(ready?.kind === 'log' && RE2JS.compile(RE2JS.translateRegExp(ready.pattern)), pattern)
  }
})

t.test('what is watched: nothing, everything, some globs', async t => {
  const everything = {paths: ['**'], ignore: [], honoursGitignore: true}
  const nothing = {paths: [], ignore: [], honoursGitignore: false}
  t.strictSame(plan(t, orders())?.watch, nothing)
  t.strictSame(plan(t, orders('watch: true'))?.watch, everything)
  t.strictSame(plan(t, orders('watch: [src/**, "*.js"]'))?.watch, {
    paths: ['src/**', '*.js'],
    ignore: [],
    honoursGitignore: false
  })
  t.strictSame(plan(t, orders('watch: {ignore: [a]}'))?.watch, {paths: ['**'], ignore: ['a'], honoursGitignore: true})
  t.strictSame(plan(t, orders('watch: {paths: [a]}'))?.watch, {paths: ['a'], ignore: [], honoursGitignore: false})
})

t.test('--watch counts where the template is silent', async t => {
  const everything = {paths: ['**'], ignore: [], honoursGitignore: true}
  t.strictSame(plan(t, orders('autoPort: true'), true)?.watch, everything)
  t.strictSame(plan(t, orders(), true)?.watch, {...everything, untilFinished: true}, 'without a port it may run once')
  t.strictSame(plan(t, orders('watch: true'), true)?.watch, everything, 'it says so')
  t.strictSame(plan(t, orders('watch: false'), true)?.watch, {paths: [], ignore: [], honoursGitignore: false})
  t.strictSame(plan(t, `common: {watch: false}\n${orders()}`, true)?.watch, {
    paths: [],
    ignore: [],
    honoursGitignore: false
  })
})

t.test('--watch: folders of other apps are theirs, databases and containers are left, one-shot apps end', async t => {
  const folder = openShop(
    t,
    `version: 1
apps:
  - {appID: db, appDirPath: ., command: [docker, run, --rm, postgres]}
  - {appID: cache, appDirPath: ., appPort: 6379, command: [sh, -c, 'mkdir -p x && exec redis-server --port 6379']}
  - {appID: built, appDirPath: ., autoPort: true, command: [sh, -c, 'docker build --tag x . && exec docker run x']}
  - {appID: migrate, appDirPath: ./orders, appPort: 5, command: [node, a.mjs], dependsOn: [db]}
  - {appID: orders, appDirPath: ./orders, autoPort: true, command: [node, app.mjs], dependsOn: {migrate: completed}}
  - {appID: root, appDirPath: ., autoPort: true, command: [node, app.mjs]}
  - {appID: all, appDirPath: ., autoPort: true, command: [docker, run, x], watch: true}
`
  )
  const {
    plan: {apps}
  } = loadIn(folder, {watch: true})
  const watched = new Map(apps.map(({id, watch}) => [id, watch]))
  const everything = {paths: ['**'], ignore: [], honoursGitignore: true}
  const others = [join(folder, 'orders')]
  t.strictSame([watched.get('db')?.paths, watched.get('cache')?.paths], [[], []])
  t.strictSame(watched.get('built'), {...everything, others}, 'its image is made of what is saved')
  t.strictSame(watched.get('migrate'), {...everything, untilFinished: true})
  t.strictSame(watched.get('orders'), everything)
  t.strictSame(watched.get('root'), {...everything, others})
  t.strictSame(watched.get('all'), everything, 'it says so')
})

t.test('--watch: a database is one behind another program, too', async t => {
  const watches = (command: string): boolean =>
    plan(t, `version: 1\napps: [{appID: db, appDirPath: ., command: ${command}}]\n`, true)?.watch.paths.length !== 0
  for (const command of [
    '[setpriv, --reuid=postgres, --regid, postgres, --clear-groups, postgres, -D, data]',
    '[sudo, -u, postgres, /usr/lib/postgresql/15/bin/postgres, -D, data]',
    '[runuser, -u, postgres, --, postgres, -D, data]',
    '[su, postgres, -c, "exec postgres -D data"]',
    '[su, "-", postgres, -c, "postgres -D data"]',
    '[gosu, redis, redis-server]',
    '[nice, -n, "10", redis-server]',
    '[timeout, 1h, nohup, redis-server]',
    '[stdbuf, -oL, setsid, redis-server]'
  ])
    t.notOk(watches(command), command)
  for (const command of ['[nice, -n, "10", node, redis-server]', '[sudo, node, app.js]', '[timeout, 5s]', '[gosu]'])
    t.ok(watches(command), command)
})

t.test('--watch: an app that a database’s client finds ready is that database, whatever script starts it', async t => {
  const watches = (ready: string): boolean =>
    plan(t, `version: 1\napps: [{appID: db, appDirPath: ., command: [./pg.sh], ready: {command: ${ready}}}]\n`, true)
      ?.watch.paths.length !== 0
  for (const ready of ['[pg_isready, -p, "21010"]', '[sh, -c, "exec redis-cli -p 21011 ping"]']) t.notOk(watches(ready))
  for (const ready of ['[curl, localhost:3000]', '[./pg_isready.sh]']) t.ok(watches(ready))
})

t.test('an app is asked to end by SIGTERM and has 5 s, unless it says otherwise', async t => {
  t.strictSame(plan(t, orders())?.stop, {signal: 'SIGTERM', timeoutMs: 5000, first: 'leader', scope: 'all'})
  t.strictSame(plan(t, orders('stop: {signal: SIGQUIT, timeout: 0}'))?.stop, {
    signal: 'SIGQUIT',
    timeoutMs: 0,
    first: 'leader',
    scope: 'all'
  })
})

t.test('an app that overlaps needs a port of its own each time, unless only common says so', async t => {
  t.equal(plan(t, orders('reload: overlap', 'autoPort: true'))?.reload, 'overlap')
  t.equal(plan(t, orders('reload: overlap', 'fixedPort: 8000'))?.reload, 'overlap')
  t.equal(plan(t, `common: {reload: overlap}\n${orders('appPort: 3')}`)?.reload, 'replace')
  t.match(failure(t, orders('reload: overlap', 'appPort: 3')), {
    message: 'Error getting apps from config file: reload: overlap needs a port that can change with each start',
    explanation: /^dapr\.yaml:5:13\n/
  })
})

t.test('a time that no timer can wait is refused at its place', async t => {
  const table: readonly (readonly [name: string, line: string])[] = [
    ['ready.timeout', 'ready: {timeout: 34561m}'],
    ['stop.timeout', 'stop: {timeout: 2073601}'],
    ['stop.timeout', 'stop: {timeout: 1.0e+21}'],
    ['appHealthProbeInterval', 'appHealthProbeInterval: 2073601'],
    ['appHealthProbeTimeout', 'appHealthProbeTimeout: 2073600001']
  ]
  for (const [name, line] of table) {
    const {message, explanation} = failure(t, orders(line))
    t.equal(message, `Error getting apps from config file: ${name} is longer than 24 days`)
    t.match(explanation, /^dapr\.yaml:5:\d+\n.*\n +\^+\nexpected at most 24 days$/)
  }
  t.equal(plan(t, orders('stop: {timeout: 34560m}'))?.stop.timeoutMs, 24 * 86_400_000)
})
