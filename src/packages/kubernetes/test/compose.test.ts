import {join} from 'node:path'
import t, {type Test} from 'tap'
import {parseDocument} from 'yaml'
import {loadTemplate} from '../../../files/config/load.ts'
import {composeFile} from '../compose.ts'
import {UserError} from '../../../model/errors.ts'
import {openShop, type Files} from '../../../../test/unit/files/config/shop.ts'
import {KEYS, SETTING} from './every-key.ts'
import {changes, golden} from './golden.ts'
import {composeCheck} from './schemas.ts'
import {orders} from './shop.ts'

const check = composeCheck()

async function composed(
  t: Test,
  yaml: string,
  files: Files = {},
  below = '.',
  dapr = '1.18.0'
): Promise<{text: string; warnings: readonly string[]}> {
  const cwd = openShop(t, `name: shop\n${yaml}`, files)
  const home = join(cwd, 'home')
  const loaded = await loadTemplate('.', {cwd, home, env: {}, readStdin: () => ''}, {watch: false, profiles: ['extra']})
  const result = await composeFile(loaded, {home, cwd, folder: join(cwd, below), dapr})
  t.equal(check(parseDocument(result.text).toJS()), '', 'valid for Compose')
  t.notMatch(result.text, cwd)
  return result
}

t.test('every key of a template makes this compose file', async t => {
  const {text: base} = await composed(t, orders(), SETTING.files)
  golden(t, 'compose.yaml', base)
  const parts: string[] = []
  for (const [key, lines] of Object.entries(KEYS)) {
    if (key.startsWith('kubernetes')) continue
    const {text, warnings} = await composed(t, orders(...lines), SETTING.files)
    parts.push(
      [`## ${key}: ${lines.join(' · ')}\n`, changes(base, text), ...warnings.map(line => `! ${line}\n`)].join('')
    )
  }
  golden(t, 'compose-keys.txt', parts.join('\n'))
})

const app = (id: string, more: string): string => `  - {appID: ${id}, appDirPath: ./orders, ${more}}\n`

t.test('an app waits as far as Compose can: started, healthy by its command, completed', async t => {
  const yaml = [
    'version: 1\napps:\n',
    app('shop', 'containerImage: a, dependsOn: {stock: ready, db: ready, migrate: completed, mail: started}'),
    app('stock', 'containerImage: a'),
    app('db', 'containerImage: a, ready: {command: [pg_isready, "$X"]}'),
    app('migrate', 'containerImage: a'),
    app('mail', 'containerImage: a')
  ].join('')
  const {services} = parseDocument((await composed(t, yaml)).text).toJS() as {
    readonly services: Readonly<Record<string, {readonly depends_on?: unknown; readonly healthcheck?: unknown}>>
  }
  t.strictSame(services['shop']?.depends_on, {
    stock: {condition: 'service_started'},
    db: {condition: 'service_healthy'},
    migrate: {condition: 'service_completed_successfully'},
    mail: {condition: 'service_started'}
  })
  t.strictSame(services['db']?.healthcheck, {
    test: ['CMD', 'pg_isready', '$$X'],
    interval: '1s',
    timeout: '5s',
    retries: 60
  })
})

t.test('an app without an image is built where its folder says how', async t => {
  const bare = `version: 1\napps:\n${app('shop', '')}`
  t.match((await composed(t, bare, {orders: {Dockerfile: ''}})).text, /build: \.\/orders\n/)
  t.match(
    (await composed(t, bare, {orders: {Containerfile: ''}})).text,
    /context: \.\/orders\n +dockerfile: Containerfile\n/
  )
  t.match((await composed(t, bare, {orders: {Dockerfile: ''}}, 'deploy/compose')).text, /build: \.\.\/\.\.\/orders\n/)
  await t.rejects(composed(t, bare), {message: /app "shop" has no containerImage, and its folder no Dockerfile/})
})

t.test('ports of two services that are the same are published once', async t => {
  const more = 'containerImage: a, appPort: 3000, createService: true'
  const {text} = await composed(t, `version: 1\napps:\n${app('a', more)}${app('b', more)}`)
  t.strictSame(
    [...text.matchAll(/ports:\n +- "?([\d:]+)/g)].map(([, port]) => port),
    ['3000:3000', '3000']
  )
})

t.test('a port is published at the address that it has in the template', async t => {
  const ports = '127.0.0.1:81 [::1]:82 localhost:83 0.0.0.0:84 85 127.0.0.2:81 shop.localhost:86 box.lan:87'.split(' ')
  const apps = ports.map((port, index) => app(`a${index}`, `containerImage: a, port: '${port}'`)).join('')
  const {text} = await composed(t, `version: 1\napps:\n${apps}`)
  t.strictSame(
    [...text.matchAll(/ports:\n +- "?([\d.:[\]]+)/g)].map(([, port]) => port),
    [
      '127.0.0.1:81:81',
      '[::1]:82:82',
      ...'127.0.0.1:83:83 0.0.0.0:84:84 85:85 127.0.0.2:81:81 127.0.0.1:86:86 87:87'.split(' ')
    ]
  )
})

t.test('names that a compose file cannot have, or that are taken', async t => {
  const refused = async (...ids: readonly string[]): Promise<string> => {
    const yaml = `version: 1\napps:\n${ids.map(id => app(id, 'containerImage: a')).join('')}`
    const error: unknown = await composed(t, yaml).catch((thrown: unknown) => thrown)
    return error instanceof UserError ? error.message : ''
  }
  t.match(
    await refused('placement'),
    /app "placement": the id cannot name a service of a compose file: one of Dapr has this name/
  )
  t.match(await refused('shop', 'shop-dapr'), /app "shop-dapr": the id cannot name a service/)
  t.match(await refused('a b'), /app "a b": the id cannot name a service of a compose file/)
  t.equal(await refused('Front_End'), '')
})

const withResources = (more: string): string =>
  `version: 1\napps:\n${app('shop', `containerImage: a, resourcesPath: ../res${more}`)}`

t.test('Dapr has a scheduler from 1.14 on, if an app does not turn it off; what stays in a container is told', async t => {
  const files = {
    res: {
      'a.yaml': 'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: s}\nspec: {type: secretstores.local.file, version: v1}\n'
    }
  }
  const {text, warnings} = await composed(t, withResources(''), files)
  t.match(warnings, [/^res\/a\.yaml:4:14: Component "s": secretstores\.local\.file reads files and variables of the sidecar's container \(mount the file/])
  t.match(text, /--scheduler-host-address, scheduler:50006|- --scheduler-host-address\n\s+- scheduler:50006/)
  const {services, volumes} = parseDocument(text).toJS() as {
    readonly services: Readonly<Record<string, {readonly depends_on?: unknown}>>
    readonly volumes?: unknown
  }
  t.strictSame(services['shop-dapr']?.depends_on, ['shop', 'placement', 'scheduler'])
  t.strictSame(services['scheduler'], {
    image: 'daprio/scheduler:1.18.0',
    command: ['./scheduler', '--port', '50006', '--etcd-data-dir', '/var/lock/dapr/scheduler'],
    volumes: ['scheduler:/var/lock']
  })
  t.strictSame(volumes, {scheduler: {}})
  t.notMatch((await composed(t, withResources(', schedulerHostAddress: ""'), files)).text, 'scheduler')
  t.notMatch((await composed(t, withResources(''), files, '.', '1.13.6')).text, 'scheduler')
}) // prettier-ignore

t.test('variables of an env file that compose reads otherwise are named once', async t => {
  const yaml = `version: 1\napps:\n${['shop', 'stock'].map(id => app(id, 'containerImage: a, envFile: ../a.env')).join('')}`
  const {warnings} = await composed(t, yaml, {'a.env': "A=1\nB=$A\nC=x#y\nD='$A#'\nE=1 # $A\n"})
  t.strictSame(warnings, [
    'B: a.env: compose replaces the $NAME in it: put the value in single quotes',
    'C: a.env: the # in it begins no comment for compose: write a blank before it'
  ])
})

t.test('a container of docker run is a service of its image, with what the command says of it', async t => {
  const run =
    '[docker, run, --rm, --name, shop-db, --publish, 5432:5432, --volume, shop_data:/data, -v, ./init:/init:ro, -v, /var/run/x.sock:/x, -ePGOPTS=a=$b, --env, PASS, --add-host=a:host-gateway, -it, --init, postgres:15, -c, log=$x]'
  const yaml = `version: 1
apps:
  - {appID: db, appDirPath: ., command: ${run}, env: {PASS: p}, ready: {command: [docker, exec, shop-db, pg_isready]}}
  - {appID: own, appDirPath: ., command: [sh, -c, 'docker build …', build, shop-own, ./own/Dockerfile.dev, ./own, --target=dev, --build-arg=A=$1, docker, run, --rm, shop-own]}
`
  const {text, warnings} = await composed(t, yaml, {Dockerfile: '', own: {'Dockerfile.dev': ''}}, 'deploy')
  const {services, volumes} = parseDocument(text).toJS() as {
    readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>
    readonly volumes: unknown
  }
  t.match(services['db'], {
    image: 'postgres:15',
    ports: ['5432:5432'],
    volumes: ['shop_data:/data', '../init:/init:ro', '/var/run/x.sock:/x'],
    extra_hosts: ['a:host-gateway'],
    init: true,
    command: ['-c', 'log=$$x'],
    environment: {PASS: 'p', PGOPTS: 'a=$$b'},
    healthcheck: {test: ['CMD', 'pg_isready']}
  })
  t.notOk(services['db']?.['build'])
  t.strictSame(services['own']?.['build'], {
    context: '../own',
    dockerfile: 'Dockerfile.dev',
    args: ['A=$$1'],
    target: 'dev'
  })
  t.strictSame(volumes, {shop_data: {name: 'shop_data'}, scheduler: {}})
  t.strictSame(warnings, [])
})
