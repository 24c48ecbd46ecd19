import t from 'tap'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'

t.test('a mistake has a place, a caret and a hint, after the words of Dapr', async t => {
  const rig = await openRig(t)
  await rig.write({'dapr.yaml': 'version: 1\napps:\n  - appID: shop\n    appDirPath: .\n    command: node app.mjs\n'})
  for (const command of ['run', 'validate']) {
    const {code, stdout, stderr} = await rig.run([command, '-f', '.'])
    t.equal(code, 1)
    t.equal(
      stdout,
      '❌  Error getting apps from config file: error in parsing the provided app config file: yaml: unmarshal errors:\n  line 5: cannot unmarshal !!str `node ap...` into []string\n'
    )
    t.match(stderr, /^dapr\.yaml:5:14\n/)
    t.match(stderr, /\n.*command: node app\.mjs\n *\^+\n/)
    t.match(stderr, /\["node", "app\.mjs"\]/)
  }
})

t.test('validate reports the mistakes of all checks, each with its place and a caret', async t => {
  const rig = await openRig(t)
  const yaml = `version: 1
apps:
  - {appID: shop, appDirPath: ., appPort: abc, comand: [x]}
  - {appID: pay, appDirPath: ./nothere, dependsOn: [shp]}
faults:
  - {from: shop, to: pya, status: 500}
`
  await rig.write({'dapr.yaml': yaml})
  const {code, stdout, stderr} = await rig.run(['validate'])
  t.equal(code, 1)
  t.equal(stdout.split('❌').length, 6)
  t.match(stdout, /abc[^]*\/nothere: [^]*depends on "shp"[^]*faults: /)
  for (const place of ['3:43', '4:30', '4:53', '6:22']) t.match(stderr, new RegExp(`dapr\\.yaml:${place}\n.*\n *\\^`))
  t.match(stderr, /3:48\n.*\n *\^+\ndid you mean command\?/)
  const {errors, findings} = JSON.parse((await rig.run(['validate', '-o', 'json'])).stdout) as Record<string, unknown[]>
  t.equal(errors?.length, 5)
  t.same(findings, [])
})

t.test('a template without apps says so', async t => {
  const rig = await openRig(t)
  await rig.write({'dapr.yaml': 'version: 1\napps:\n'})
  const stderr = 'dapr.yaml:2:1\napps:\n^^^^\nexpected apps: a list of apps, each after a dash\n'
  t.match(await rig.run(['run', '-f', '.']), {code: 1, stdout: '❌  No apps to run\n', stderr})
  t.match(await rig.run(['validate']), {code: 1, stdout: '❌  No apps to run\n', stderr})
})

t.test('a template is read from stdin; its folder is the one where it was typed', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', command: ['pwd']}])
  const program = rig.start(['sh', '-c', '"$@" run -f - < dapr.yaml', 'sh', ...rig.program])
  t.match(await program.exited, {code: 0})
  t.ok(program.stdout.lines.includes(`== APP - shop == ${rig.folder}/shop`))
})

t.test('an app without a program since its command has a typo: run refuses it', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', command: undefined, comand: ['true']}])
  const {code, stderr} = await rig.run(['run', '-f', '.'])
  t.equal(code, 1)
  t.match(stderr, /^dapr\.yaml:\d+:\d+\n.*comand.*\n *\^+\ndid you mean command\?/)
})

t.test('keys that are written twice and programs that are not there: run and validate name their places', async t => {
  const rig = await openRig(t)
  await rig.write({
    'dapr.yaml':
      'version: 1\napps:\n  - appID: shop\n    appDirPath: .\n    env: {A: 1, A: 2}\n    command: ["true"]\n  - appID: pay\n    appDirPath: .\n    command: [nosuchprogram]\n'
  })
  const {stderr} = await rig.run(['run', '-f', '.'])
  t.match(stderr, '⚠  dapr.yaml:5:11: A is written again at dapr.yaml:5:17: the last one counts (write it once)\n')
  t.match(stderr, '⚠  dapr.yaml:9:15: "nosuchprogram" is in no folder of PATH')
  t.match((await rig.run(['validate'])).stderr, /dapr\.yaml:9:15\n.*\[nosuchprogram\]\n *\^{13}\n/)
})

t.test('validate shows an unknown key with its place, run names it in one line', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', comand: ['x'], command: ['true']}])
  const {code, stdout, stderr} = await rig.run(['validate'])
  t.equal(code, 0)
  t.equal(stdout, '✅  dapr.yaml can run: 1 app\n')
  t.match(stderr, /comand/)
  t.match(stderr, /did you mean .*command/i)
  const run = await rig.run(['run', '-f', '.'])
  t.equal(run.code, 0)
  t.match(run.stderr, /^⚠ {2}dapr\.yaml:\d+:\d+: comand is ignored: unknown key \(did you mean command\?\)\n$/)
})

const marked = (name: string, scopes: readonly string[]) =>
  JSON.stringify({...JSON.parse(component(name, 'state.in-memory', {actorStateStore: 'true'})), scopes})

const twoStores = (scopes: readonly string[]) => ({
  'resources/cart.yaml': marked('cart', []),
  'resources/orders.yaml': marked('orders', scopes)
})

t.test('resources that name a component which is not there', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop'}, {appID: 'pay'}], {resourcesPath: './resources'})
  const secret = [{name: 'redisPassword', secretKeyRef: {name: 'redis', key: 'password'}}]
  const withSecret = JSON.parse(component('cart', 'state.redis', {redisHost: 'localhost:1'})) as {spec: object}
  await rig.write({
    'resources/bus.yaml': component('bus', 'pubsub.in-memory'),
    'resources/orders.yaml': component('orders', 'state.in-memory', {
      outboxPublishPubsub: 'busx',
      outboxPublishTopic: 'o'
    }),
    'resources/cart.yaml': JSON.stringify({
      ...withSecret,
      spec: {...withSecret.spec, metadata: secret},
      auth: {secretStore: 'vault'}
    }),
    'resources/sub.yaml': JSON.stringify({
      apiVersion: 'dapr.io/v2alpha1',
      kind: 'Subscription',
      metadata: {name: 'sub'},
      spec: {pubsubname: 'bsu', topic: 'o', routes: {default: '/o'}}
    })
  })
  const {code, stderr} = await rig.run(['validate'])
  t.equal(code, 0)
  t.match(
    stderr,
    /no Component of pubsub has the name busx: transactions of orders are refused\n.*\n.*\n.*\ndid you mean bus\?/
  )
  t.match(stderr, /no Component of pubsub has the name bsu: no event of o arrives\n.*\n.*\n.*\ndid you mean bus\?/)
  t.match(stderr, /no Component of secretstores has the name vault: its secrets are not there/)
  t.equal(stderr.split('has the name').length, 4, 'each once, though two apps have them')
})

t.test('two stores that are marked for actors are a mistake for the app that has both', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop'}], {resourcesPath: './resources'})
  await rig.write(twoStores([]))
  const {code, stderr} = await rig.run(['validate'])
  t.equal(code, 1)
  t.match(stderr, /detected duplicate actor state store: cart and orders/)
  t.match(stderr, /orders\.yaml:\d+:\d+\n.*actorStateStore.*\n *\^/)
  await rig.write(twoStores(['stock']))
  const other = await rig.run(['validate'])
  t.equal(other.code, 0)
  t.notMatch(other.stderr, /duplicate/)
})

t.test('policies of a type of actors that are wrong are told with their place', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop'}], {resourcesPath: './resources'})
  const policies = 'policies: {retries: {often: {policy: constant}}, circuitBreakers: {trip: {}}}'
  const targets = async (actors: string): Promise<unknown> => {
    const text = `kind: Resiliency\nmetadata: {name: calm}\nspec:\n  ${policies}\n  targets:\n    actors:\n      Cart: ${actors}\n`
    await rig.write({'resources/calm.yaml': text})
    return rig.run(['validate'])
  }
  t.match(await targets('{retry: often, circuitBreaker: trip, circuitBreakerScope: id}'), {code: 0, stderr: ''})
  t.match(await targets('{retry: never}'), {
    stderr:
      /targets\.actors\.Cart names retry "never", which is not in policies\.retries: it has no retry\n.*calm\.yaml:7:21/
  })
  t.match(await targets('{retries: often}'), {
    stderr: /unknown key spec\.targets\.actors\.Cart\.retries: it has no effect\n.*calm\.yaml:7:14/
  })
  t.match(await targets('{circuitBreaker: trip}'), {
    stderr: /actor circuit breakers must include scope\n.*calm\.yaml:7:13/
  })
  t.match(await targets('{circuitBreaker: trip, circuitBreakerScope: all}'), {
    stderr: /unknown circuit breaker scope "all"\n.*calm\.yaml:7:57/
  })
  t.match(await targets('{circuitBreakerCacheSize: -1}'), {stderr: /must provide a positive size/})
})

const scopedComponent = (name: string, scope: string): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: ${name}\nspec:\n  type: pubsub.in-memory\n  version: v1\nscopes:\n  - ${scope}\n`

t.test('validate: a scope that names no app, folders that no app uses, a component in place of a template', async t => {
  const rig = await openRig(t)
  await rig.write({
    'common/pubsub.yaml': scopedComponent('pubsub', 'any'),
    'own/bus.yaml': scopedComponent('bus', 'consumer-ap'),
    'own/other.yaml': scopedComponent('other', 'consumer-app'),
    'part/dapr.yaml': scopedComponent('pubsub', 'any')
  })
  await rig.template([{appID: 'consumer-app', appDirPath: '.', command: ['true'], resourcesPath: './own'}], {
    resourcesPath: './common'
  })
  const {code, stderr} = await rig.run(['validate'])
  t.equal(code, 0)
  t.match(
    stderr,
    /⚠ {2}scopes names consumer-ap, which is no app of this template\nown\/bus\.yaml:9:5\n[^]*\^[^]*did you mean consumer-app\?/
  )
  t.match(stderr, /⚠ {2}resourcesPath of common is used by no app: each names its own\ndapr\.yaml:\d+:\d+\n/)
  t.notMatch(stderr, /names any/)
  t.match(await rig.run(['validate', 'part']), {
    code: 1,
    stderr:
      /part\/dapr\.yaml:2:1\n[^]*this is a Component of Dapr, not a template[^]*put it into a folder that resourcesPath names; pillion import -o run\.yaml writes a template/
  })
})

t.test('run names all mistakes of a template, the first one as Dapr does, the others below it', async t => {
  const rig = await openRig(t)
  await rig.write({
    'dapr.yaml': `version: 1
apps:
  - appID: a
  - {appID: b, appDirPath: ., appLogDestination: nowhere}
`
  })
  const {code, stdout, stderr} = await rig.run(['run', '-f', '.'])
  t.equal(code, 1)
  t.equal(
    stdout,
    "❌  Error getting apps from config file: required field 'appDirPath' not found in the provided app config file\n"
  )
  t.match(stderr, /^dapr\.yaml:3:5\n[^]*\n❌ {2}[^\n]*invalid log destination type: nowhere\ndapr\.yaml:4:\d+\n/)
  const piped = rig.start(['sh', '-c', 'cat dapr.yaml | "$@"', 'sh', ...rig.program, 'run', '-f', '-'])
  t.match(await piped.exited, {code: 1})
  t.equal(piped.stderr.text, stderr.replaceAll('dapr.yaml', '-'), 'as those of one that comes by stdin')
})

t.test('lines of an env file that are not understood are named once, with file and line', async t => {
  const rig = await openRig(t)
  const app = {dir: '.', command: ['true'], envFile: '.env'}
  await rig.write({
    '.env': '# a comment\nA=1\n\nthis is not a variable\nB="two\nlines"\nexport C=3\n: ${X}\n',
    'pillion.yaml': JSON.stringify({
      version: 1,
      apps: [
        {id: 'a', ...app},
        {id: 'b', ...app}
      ]
    })
  })
  const words = `${rig.folder}/.env:4 is not understood, and 1 more line (write NAME=value)`
  const validated = await rig.run(['validate'])
  t.equal(validated.code, 0)
  t.equal((validated.stdout + validated.stderr).split(`${rig.folder}/.env:4`).length, 2, 'once')
  const run = await rig.run(['up'])
  t.equal(run.stderr.split(words).length, 2, 'once')
})
