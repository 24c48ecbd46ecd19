import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {Ajv} from 'ajv'
import t from 'tap'
import {parse} from 'yaml'
import * as keys from '../../../../src/files/config/keys.ts'
import {validators} from '../../../../src/files/config/schema.generated.js'
import {failure, load, orders} from './shop.ts'

interface Definition {
  readonly description?: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  readonly errorMessage?: string
  readonly type?: unknown
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, Definition>>
}

interface Schema extends Definition {
  readonly $id: string
  readonly title: string
  readonly properties: Readonly<Record<string, Definition>>
  readonly definitions: Readonly<Record<string, Definition>>
}

const root = join(import.meta.dirname, '../../../..')
const schema = JSON.parse(readFileSync(join(root, 'schema/template.json'), 'utf8')) as Schema
const ajv = new Ajv({allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true})
ajv.addVocabulary(['errorMessage'])
const accepts = ajv.compile(schema)

const resolve = (definition: Definition): Definition =>
  definition.$ref === undefined || definition.description !== undefined
    ? definition
    : (schema.definitions[definition.$ref.replace('#/definitions/', '')] ?? {})

const propertiesOf = (definition: Definition | undefined): Readonly<Record<string, Definition>> =>
  definition?.properties ?? {}
const app = propertiesOf(schema.definitions['app'])
const common = propertiesOf(schema.properties['common'])

const sorted = (names: Iterable<string>): readonly string[] => [...names].toSorted()

/** Short names of keys, which the loader makes whole. */
const SHORT = ['id', 'dir']

t.test('the schema knows the keys that the loader knows, and no others', async t => {
  t.strictSame(sorted(Object.keys(app)), sorted([...Object.keys(keys.APP_KEYS), ...keys.OUR_APP_KEYS, ...SHORT]))
  t.strictSame(sorted(Object.keys(common)), sorted([...Object.keys(keys.SHARED_KEYS), ...keys.OUR_SHARED_KEYS]))
  const top = [...Object.keys(keys.TOP_KEYS), ...keys.OUR_TOP_KEYS, 'common', 'apps']
  t.strictSame(sorted(Object.keys(schema.properties)), sorted(top))
  t.strictSame(sorted(Object.keys(validators)), sorted(new Set([...keys.OUR_APP_KEYS, ...keys.OUR_TOP_KEYS])))
})

t.test('every key is described for people, with examples that fit it', async t => {
  const walk = (pointer: string, written: Definition): void => {
    if (written.$ref !== undefined && written.description === undefined)
      return walk(written.$ref.slice(1), resolve(written))
    const {description, examples, default: usual, properties = {}} = written
    t.match(description, /^.{10,400}\.$/, `${pointer} is described`)
    const values = [...(examples ?? []), ...(usual === undefined ? [] : [usual])]
    t.ok(values.length > 0, `${pointer} has examples`)
    for (const value of values)
      t.ok(ajv.validate({$ref: `${schema.$id}#${pointer}`}, value), `${pointer}: ${JSON.stringify(value)}`)
    for (const [key, inner] of Object.entries(properties)) walk(`${pointer}/properties/${key}`, inner)
  }
  for (const [key, definition] of Object.entries(schema.properties)) walk(`/properties/${key}`, definition)
  for (const [key, definition] of Object.entries(app)) walk(`/definitions/app/properties/${key}`, definition)
  t.match(schema.title, /template/)
  t.match(schema.description, /Dapr/)
})

t.test('the template with every key has every key', async t => {
  const file = join(root, 'test/fixtures/templates/every-key/dapr.yaml')
  const template = parse(readFileSync(file, 'utf8')) as {apps: readonly object[]; common: object}
  t.ok(accepts(template), ajv.errorsText(accepts.errors))
  t.strictSame(sorted(Object.keys(template)), sorted(Object.keys(schema.properties)))
  const written = [template.common, ...template.apps].flatMap(section => Object.keys(section))
  t.strictSame(sorted(new Set([...written, ...SHORT])), sorted(Object.keys(app)))
})

t.test('every key of ours says what is expected of it, and that it is ours', async t => {
  const ours = [...keys.OUR_APP_KEYS, ...keys.OUR_TOP_KEYS]
  for (const [key, definition] of Object.entries({...schema.properties, ...app})) {
    const {errorMessage, description = ''} = resolve(definition)
    const isOurs = key !== 'version' && (ours as readonly string[]).includes(key)
    if (key !== 'version') t.equal(errorMessage !== undefined, isOurs, key)
    if (isOurs) t.match([errorMessage, description], [/^expected /, /^Pillion: /], key)
  }
})

t.test('what Dapr accepts, the schema accepts', async t => {
  const templates = [
    'version: 1\napps: []\ncommon:\n',
    'version: 2\napps: ~',
    'version: 1\nx-anchors: [1]\napps: [{appDirPath: a, x-mine: 1}]',
    'version: 1\napps: [{appDirPath: a, env: {P: 3000, B: true, N: , T: x}, command: [node, 3, true]}]',
    'version: 1\napps: [{appDirPath: 1, appID: 7, appPort: -1, daprHTTPPort: 3500, appPort: ~}]',
    'version: 1\napps: [{appDirPath: a, enableApiLogging: "yes", appProtocol: HTTPS, maxBodySize: 4194304}]',
    'version: 1\napps: [{appDirPath: a, maxBodySize: 1e3, readBufferSize: "", appLogDestination: ""}]',
    'version: 1\ncommon: {resourcesPath: ./r, resourcesPaths: [a, b], placementHostAddress: ""}'
  ]
  for (const text of templates)
    t.ok(accepts(parse(text, {uniqueKeys: false})), `${text} ${ajv.errorsText(accepts.errors)}`)
})

t.test('what is wrong, the schema refuses', async t => {
  const templates = [
    'apps: []',
    'version: 0',
    'version: "1"',
    'version: 1\nappz: []',
    'version: 1\napps: {}',
    'version: 1\napps: [{appID: a}]',
    'version: 1\napps: [{appDirPath: a, apPort: 1}]',
    'version: 1\napps: [{appDirPath: a, command: node app.mjs}]',
    'version: 1\napps: [{appDirPath: a, appPort: 70000}]',
    'version: 1\napps: [{appDirPath: a, env: [A=1]}]',
    'version: 1\ncommon: {appPort: 1}',
    'version: 1\ncommon: {appLogDestination: screen}',
    'version: 1\ncommon: {appProtocol: tcp}'
  ]
  for (const text of templates) t.notOk(accepts(parse(text)), text)
})

t.test('a wrong value of ours is refused with its place', async t => {
  const table: readonly (readonly [string, string, string])[] = [
    ['restart: sometimes', 'wrong value of restart', '5:14 ^^^^^^^^^ expected no, on-failure or always'],
    ['restart: true', 'wrong value of restart', '5:14 ^^^^ expected no, on-failure or always'],
    ['autoPort: 3', 'wrong value of autoPort', '5:15 ^ expected true or false'],
    [
      'watch: 3',
      'wrong value of watch',
      '5:12 ^ expected true, false, a list of globs, or {paths: [globs], ignore: [globs]}'
    ],
    ['watch: [a, {b: c}]', 'wrong value of watch.1', '5:16 ^^^^^^ expected a glob'],
    ['watch: {paths: a}', 'wrong value of watch.paths', '5:20 ^ expected a list of globs'],
    [
      'ready: maybe',
      'wrong value of ready',
      '5:12 ^^^^^ expected {http: /path}, {tcp: PORT}, {log: REGEXP}, {command: [WORDS]} or none; each but none may have a timeout'
    ],
    ['ready: {http: health}', 'wrong value of ready.http', '5:19 ^^^^^^ expected a path that begins with /'],
    ['ready: {tcp: "80"}', 'wrong value of ready.tcp', '5:18 ^^^^ expected a port number from 1 to 65535'],
    ['ready: {tcp: 70000}', 'wrong value of ready.tcp', '5:18 ^^^^^ expected a port number from 1 to 65535'],
    [
      'ready: {tcp: 1, http: /}',
      'wrong value of ready',
      '5:12 ^^^^^^^^^^^^^^^^^ expected only one of http, tcp, log and command'
    ],
    [
      'ready: {timeout: 5 minutes}',
      'wrong value of ready.timeout',
      '5:22 ^^^^^^^^^ expected a duration: 250ms, 5s, 2m, or a number of seconds'
    ],
    [
      'ready: {timeout: -1}',
      'wrong value of ready.timeout',
      '5:22 ^^ expected a duration: 250ms, 5s, 2m, or a number of seconds'
    ],
    [
      'dependsOn: orders',
      'wrong value of dependsOn',
      '5:16 ^^^^^^ expected a list of app ids, or a map of app id to started, ready or completed'
    ],
    ['dependsOn: {a/b: soon}', 'wrong value of dependsOn.a/b', '5:22 ^^^^ expected started, ready or completed'],
    ['reload: hot', 'wrong value of reload', '5:13 ^^^ expected replace or overlap'],
    [
      'stop: SIGINT',
      'wrong value of stop',
      '5:11 ^^^^^^ expected {signal: SIGTERM, timeout: 5s, first: leader, scope: all}, each of them optional'
    ],
    ['stop: {scope: app}', 'wrong value of stop.scope', '5:19 ^^^ expected all or group'],
    ['stop: {first: all}', 'wrong value of stop.first', '5:19 ^^^ expected leader or group'],
    [
      'envFile: [1, {path: x, required: maybe}]',
      'wrong value of envFile.1.required',
      '5:38 ^^^^^ expected true or false'
    ],
    [
      'envFile: {path: }',
      'wrong value of envFile',
      '5:14 ^^^^^^^^ expected a path, {path: PATH, required: false}, or a list of these'
    ],
    [
      'port: 0',
      'wrong value of port',
      '5:11 ^ expected a port number from 1 to 65535, or an address with one, like 0.0.0.0:5100'
    ],
    [
      'port: [1]',
      'wrong value of port',
      '5:11 ^^^ expected a port number from 1 to 65535, or an address with one, like 0.0.0.0:5100'
    ],
    ['fixedPort: 0', 'wrong value of fixedPort', '5:16 ^ expected a port number from 1 to 65535'],
    ['fixedPort: 80.5', 'wrong value of fixedPort', '5:16 ^^^^ expected a port number from 1 to 65535'],
    ['version: [1]', 'wrong value of version', '5:14 ^^^ expected a semantic version, like 1.0.0']
  ]
  for (const [line, message, explanation] of table) {
    const {message: told, stream, explanation: shown} = failure(t, orders(line))
    t.equal(told, `Error getting apps from config file: ${message}`, line)
    t.equal(stream, 'stdout', line)
    const [place = '', , carets = '', ...rest] = shown.split('\n')
    t.equal([place.replace('dapr.yaml:', ''), carets.trim(), ...rest].join(' '), explanation, line)
  }
})

t.test('a key that our maps do not know is refused; a near one is suggested', async t => {
  const {message, explanation} = failure(t, orders('stop:', '  timout: 5s'))
  t.equal(message, 'Error getting apps from config file: unknown key timout in stop')
  t.match(explanation, 'dapr.yaml:6:7\n      timout: 5s\n      ^^^^^^\n')
  t.match(explanation, /did you mean timeout\?$/)
  t.notMatch(failure(t, orders('watch: {xyz: 1}')).explanation, 'did you mean')
})

t.test('all wrong values of ours are told, in the order of the text', async t => {
  const yaml = `managerPort: -1\n${orders('restart: sometimes')}common: {reload: hot}\n`
  const {message, explanation} = failure(t, yaml)
  t.equal(message, 'Error getting apps from config file: wrong value of managerPort')
  t.strictSame(explanation.match(/^dapr.yaml:\d+/gm), ['dapr.yaml:1', 'dapr.yaml:6', 'dapr.yaml:7'])
})

t.test('a place inside an anchor is shown where it is written', async t => {
  const yaml = `x-stop: &stop {timeout: soon}\n${orders('stop: *stop')}`
  t.match(failure(t, yaml).explanation, 'dapr.yaml:1:25\nx-stop: &stop {timeout: soon}\n')
  t.match(failure(t, orders('stop: {timeout: 5s, timeout: soon}')).explanation, 'dapr.yaml:5:34\n')
})

t.test('keys that nothing reads are found: unknown ones, those in the wrong section, those written twice', async t => {
  const yaml = [
    'version: 1',
    'vresion: 1',
    'x-mine: 1',
    'common: {appPort: 3, zzzzzzzz: 1}',
    'apps:',
    '  - appDirPath: ./orders',
    '    appId: orders',
    '    apPort: 9',
    '    daprHTTPMaxRequestSize: 4',
    '    daprHTTPReadBufferSize: 4',
    '    dependson: [x]',
    '    appPort: 1',
    '    appPort: 2'
  ]
  const {findings, plan} = load(t, yaml.join('\n'))
  t.equal(plan.apps.length, 1)
  t.strictSame(
    findings.map(({message, place: {line, column}, explanation}) => [
      line,
      column,
      message,
      explanation.split('\n')[3]
    ]),
    [
      [2, 1, 'vresion is ignored: unknown key', 'did you mean version?'],
      [4, 10, 'appPort is ignored in common', 'write it in each app'],
      [4, 22, 'zzzzzzzz is ignored: unknown key', undefined],
      [7, 5, 'appId is ignored: unknown key', 'did you mean appID?'],
      [8, 5, 'apPort is ignored: unknown key', 'did you mean appPort?'],
      [9, 5, "daprHTTPMaxRequestSize is ignored, although Dapr's documentation lists it", 'did you mean maxBodySize?'],
      [
        10,
        5,
        "daprHTTPReadBufferSize is ignored, although Dapr's documentation lists it",
        'did you mean readBufferSize?'
      ],
      [11, 5, 'dependson is ignored: unknown key', 'did you mean dependsOn?'],
      [12, 5, 'appPort is written again at dapr.yaml:13:5: the last one counts', 'write it once']
    ]
  )
  t.equal(findings[4]?.explanation, 'dapr.yaml:8:5\n    apPort: 9\n    ^^^^^^\ndid you mean appPort?')
})

t.test('the keys of other tools, and keys in a wrong place, come with the key that is meant', async t => {
  const app: Readonly<Record<string, string>> = {
    ports: 'did you mean port?',
    environment: 'did you mean env?',
    healthcheck: 'did you mean ready?',
    working_dir: 'did you mean appDirPath?',
    workingDir: 'did you mean appDirPath?',
    appDirPth: 'did you mean appDirPath?',
    env_file: 'did you mean envFile?',
    depends_on: 'did you mean dependsOn?',
    image: 'to run a container, write command: [docker, run, --rm, IMAGE]'
  }
  const hint = (yaml: string): string => {
    const {findings} = load(t, yaml)
    t.equal(findings.length, 1, yaml)
    return findings[0]?.explanation.split('\n').slice(2).join('\n') ?? ''
  }
  for (const [key, expected] of Object.entries(app))
    t.equal(hint(orders(`${key}: x`)), `    ${'^'.repeat(key.length)}\n${expected}`, key)
  t.match(hint(`environment: {}\n${orders()}`), /\nwrite env in common, or in an app$/)
  t.match(hint(`command: [x]\n${orders('command: [y]')}`), /\nwrite it in an app$/)
  t.match(hint(`common:\n  cwd: x\n${orders()}`), /\nwrite appDirPath in an app$/)
  t.match(
    hint(`isolate: true\n${orders()}`),
    /\ncopies keep data apart if the server is an app of the template, or by a database name/
  )
})

t.test('an app that lacks its command by a typo is refused; one with a command has a warning', async t => {
  const outside = failure(t, `command: [x]\n${orders()}`)
  t.equal(outside.explanation, 'dapr.yaml:1:1\ncommand: [x]\n^^^^^^^\nwrite it in the app')
  for (const key of ['comand', 'entrypoint']) {
    const {message, explanation} = failure(t, orders(`${key}: [x]`))
    t.equal(message, `Error getting apps from config file: app "orders" has no command: ${key} is ignored here`)
    t.equal(explanation, `dapr.yaml:5:5\n    ${key}: [x]\n    ${'^'.repeat(key.length)}\ndid you mean command?`)
    t.match(load(t, orders(`${key}: [x]`, 'command: [y]')).findings, [{code: 'unknown-key', severity: 'warning'}])
  }
})

t.test('a name that is written twice is found in every map, with both places', async t => {
  const yaml = orders('env:', '  A: 1', '  B: 2', '  A: 3', 'ready: {timeout: 1s, timeout: 2s}', 'env: {C: 1}')
  t.match(load(t, yaml).findings, [
    {place: {line: 5, column: 5}, message: 'env is written again at dapr.yaml:10:5: both count'},
    {place: {line: 6, column: 7}, message: 'A is written again at dapr.yaml:8:7: the last one counts'},
    {place: {line: 9, column: 13}, message: 'timeout is written again at dapr.yaml:9:26: the last one counts'}
  ])
  const merged = `x-a: &a {A: 1}\n${orders('env: {<<: *a, A: 2}')}`
  t.strictSame(load(t, merged).findings, [], 'a merged one is overridden on purpose')
})

t.test('ids that do not pass as they are get a warning with the id to write', async t => {
  const table: Readonly<Record<string, string>> = {
    'my app': 'my-app',
    'a.b': 'a-b',
    'shop/web': 'shop-web',
    Grüße: 'Gru-e',
    '-x': 'x',
    '☃': ''
  }
  for (const [id, better] of Object.entries(table)) {
    const {findings} = load(t, orders().replace('appID: orders', `appID: "${id}"`))
    const hint = better === '' ? '' : `write appID: ${better}, wherever the app is called`
    t.match(findings, [{code: 'odd-app-id', severity: 'warning', place: {line: 3, column: 12}, hint}], id)
    t.equal(findings[0]?.hint, hint)
  }
  t.match(load(t, orders().replace('orders', 'a.b')).findings, [{message: /has a dot: Dapr takes .* for a namespace/}])
  for (const id of ['orders', 'die_roller', 'Front-End', '7'])
    t.strictSame(load(t, orders().replace('appID: orders', `appID: ${id}`)).findings, [], id)
  const {findings} = load(t, 'version: 1\napps: [{appDirPath: "./my app"}]', {files: {'my app': {}}})
  t.match(findings, [{code: 'odd-app-id', hint: /write appID: my-app/}], 'the name of a folder')
})

t.test('a PORT of its own takes the place of the one that autoPort chooses: validate says so', async t => {
  const withEnv = (port: string, env: string): ReturnType<typeof load> =>
    load(t, `version: 1\napps:\n  - {appID: a, appDirPath: .}\n  - {appID: b, appDirPath: ., ${port}, env: ${env}}\n`)
  t.match(withEnv('autoPort: true', '{PORT: 3000}').findings, [
    {
      code: 'own-port',
      severity: 'warning',
      place: {line: 4, column: 59},
      message: 'env sets PORT, in place of the port that autoPort chooses: only APP_PORT has that one',
      hint: 'leave PORT out, or write appPort: 3000 in place of autoPort'
    }
  ])
  t.match(withEnv('autoPort: true', '{APP_PORT: ""}').findings, [
    {message: /^env sets APP_PORT, .*: only PORT has that one$/, hint: 'leave APP_PORT out'}
  ])
  t.strictSame(withEnv('appPort: 3000', '{PORT: 3000}').findings, [])
  t.strictSame(withEnv('autoPort: true', '{DB_PORT: 3000}').findings, [])
})

t.test('a command that names $PORT of an app with appPort gets the PORT of the shell: validate says so', async t => {
  const withCommand = (keys: string, word = '-p $PORT'): ReturnType<typeof load> =>
    load(t, `version: 1\napps:\n  - {appID: a, appDirPath: ., ${keys}, command: [sh, -c, "node x.js ${word}"]}\n`)
  t.match(withCommand('appPort: 3000').findings, [
    {
      code: 'own-port',
      severity: 'warning',
      place: {line: 3},
      message: "the command names $PORT, which has the shell's value in an app with appPort: 3000 is in $APP_PORT",
      hint: 'write $APP_PORT, or port: 3000 in place of appPort'
    }
  ])
  t.match(withCommand('appPort: 3000', '${PORT:-8080}').findings, [{code: 'own-port'}])
  for (const keys of ['port: 3000', 'autoPort: true', 'appPort: 3000, env: {PORT: 3000}'])
    t.strictSame(withCommand(keys).findings, [], keys)
  t.strictSame(withCommand('appPort: 3000', '-p $APP_PORT $PORTAL').findings, [])
})

t.test('a required key under a wrong name is shown at its place', async t => {
  const folder = failure(t, orders().replace('appDirPath', 'working_dir'))
  t.match(folder.message, "required field 'appDirPath' not found")
  t.match(folder.explanation, /^dapr\.yaml:4:5\n.*\n {4}\^{11}\n.*\nwrite appDirPath in place of working_dir$/)
  const version = failure(t, orders().replace('version', 'x-a: 1\nVersion'))
  t.match(version.explanation, /^dapr\.yaml:2:1\nVersion: 1\n\^{7}\nwrite version: 1 at the top$/)
})

t.test('what merge keys write once more is no finding', async t => {
  const yaml = `x-base: &base {appPort: 1}\n${orders('<<: *base', 'appPort: 2')}`
  t.strictSame(load(t, yaml).findings, [])
})
