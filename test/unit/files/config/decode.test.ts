import t from 'tap'
import {UserError} from '../../../../src/model/errors.ts'
import {decodeTemplate, type Template} from '../../../../src/files/config/decode.ts'
import {NoYaml, parseSource} from '../../../../src/files/config/source.ts'
import {yamlMistake} from '../../../../src/files/config/foreign-file.ts'

const decode = (text: string): Template => {
  const source = {shownAs: 'dapr.yaml', text}
  const document = parseSource(source)
  return decodeTemplate({source, faults: []}, document.root)
}

const appOf = (...lines: readonly string[]): object =>
  decode(['apps:', '- appID: a', ...lines.map(line => `  ${line}`)].join('\n')).apps[0]?.values ?? {}

/** What is refused, without Dapr's words before it. */
const refusal = (text: string): string => {
  try {
    decode(text)
  } catch (thrown) {
    const error = thrown instanceof NoYaml ? yamlMistake(thrown) : thrown
    if (error instanceof UserError)
      return error.message.replace(
        'Error getting apps from config file: error in parsing the provided app config file: yaml: ',
        ''
      )
    throw error
  }
  return 'accepted'
}

t.test('a text is any scalar by its source; a flag is YAML 1.1; a number may be octal or a fraction', async t => {
  const table: readonly (readonly [string, object])[] = [
    ['appID: 010', {appID: '010'}],
    ['logLevel: yes', {logLevel: 'yes'}],
    ['appChannelAddress: 127.0.0.1', {appChannelAddress: '127.0.0.1'}],
    ['enableApiLogging: yes', {enableApiLogging: true}],
    ['enableApiLogging: off', {enableApiLogging: false}],
    ['appPort: 010', {appPort: 8}],
    ['appPort: 0x1F', {appPort: 31}],
    ['appPort: 7001.9', {appPort: 7001}],
    ['appPort: 1e3', {appPort: 1000}],
    ['appPort: -1', {appPort: -1}],
    ['appPort: !!int "7001"', {appPort: 7001}],
    ['command: [node, 8080, yes, ~, "a b"]', {command: ['node', '8080', 'yes', '', 'a b']}],
    [
      'env: {P: 3000, B: yes, H: 0x10, N: ~, E:, Q: "x"}',
      {env: {P: '3000', B: 'yes', H: '0x10', N: '', E: '', Q: 'x'}}
    ],
    ['env: {1: a, yes: b}', {env: {1: 'a', yes: 'b'}}],
    ['maxBodySize: 4194304', {maxBodySize: '4194304'}]
  ]
  for (const [line, values] of table) t.strictSame(appOf(line), {appID: 'a', ...values}, line)
})

t.test('null means that nothing is said', async t => {
  t.strictSame(appOf('appPort: ~', 'env:', 'command: null', 'logLevel: ', 'watch: ~', 'ready:'), {appID: 'a'})
  for (const text of ['', '# nothing', '---\n', 'common:\napps:\n', 'common: ~\napps: null\n']) {
    const template = decode(text)
    t.strictSame([template.top.values, template.common.values, template.apps], [{}, {}, []], JSON.stringify(text))
  }
  t.strictSame(decode('apps: [~]').apps.length, 1)
})

t.test('of equal keys the last counts, and the maps of two env keys are one', async t => {
  t.strictSame(appOf('appPort: 1', 'appPort: 2'), {appID: 'a', appPort: 2})
  t.strictSame(appOf('appPort: 1', 'appPort: ~'), {appID: 'a'})
  t.strictSame(appOf('env: {A: 1, B: 2}', 'env: {B: 3}'), {appID: 'a', env: {A: '1', B: '3'}})
  t.strictSame(decode('common: {logLevel: x}\ncommon: {appPort: 1, env: {A: b}}').common.values, {
    logLevel: 'x',
    env: {A: 'b'}
  })
  t.strictSame(
    decode('apps: [{appID: a}]\napps: [{appID: b}]').apps.map(({values}) => values),
    [{appID: 'b'}]
  )
})

t.test('anchors and merge keys: what comes later wins, of several merged maps the earlier', async t => {
  const text = [
    'x-base: &base {appPort: 1, logLevel: low, env: {A: base}}',
    'x-more: &more {logLevel: high, appProtocol: grpc}',
    'apps:',
    '- <<: *base',
    '  appPort: 2',
    '  env: {B: own}',
    '- appPort: 2',
    '  <<: *base',
    '- <<: [*base, *more]',
    '- *base',
    '- {<<: {appPort: 3}, "<<": kept}'
  ]
  t.strictSame(
    decode(text.join('\n')).apps.map(({values}) => values),
    [
      {appPort: 2, logLevel: 'low', env: {A: 'base', B: 'own'}},
      {appPort: 1, logLevel: 'low', env: {A: 'base'}},
      {logLevel: 'low', appProtocol: 'grpc', appPort: 1, env: {A: 'base'}},
      {appPort: 1, logLevel: 'low', env: {A: 'base'}},
      {appPort: 3}
    ]
  )
})

t.test('only the first document is read', async t => {
  for (const text of ['name: a\n---\nname: b\n', 'name: a\n...\nname: [\n', '---\nname: a\n---\n]]]'])
    t.strictSame(decode(text).top.values, {name: 'a'}, JSON.stringify(text))
})

t.test('unknown keys are passed over, whatever they hold, and keys know upper case', async t => {
  t.strictSame(appOf('apPort: 9', 'appid: x', 'foo: [{a: b}, x]', 'toString: 1'), {appID: 'a'})
})

t.test('of our keys only flags and numbers are more than their text', async t => {
  const table: readonly (readonly [string, object])[] = [
    ['restart: no', {restart: 'no'}],
    ['watch: yes', {watch: true}],
    ['watch: [yes, 1]', {watch: ['yes', '1']}],
    ['watch: {paths: [on], ignore: ~}', {watch: {paths: ['on']}}],
    ['autoPort: on', {autoPort: true}],
    ['version: 1.0', {version: '1.0'}],
    ['fixedPort: 0x10', {fixedPort: 16}],
    ['ready: {tcp: 8080, timeout: 5}', {ready: {tcp: 8080, timeout: 5}}],
    ['ready: {tcp: "8080"}', {ready: {tcp: '8080'}}],
    ['ready: {log: 200}', {ready: {log: '200'}}],
    ['dependsOn: [1, no]', {dependsOn: ['1', 'no']}],
    ['dependsOn: {on: ready}', {dependsOn: {on: 'ready'}}],
    ['stop: {timeout: 0.5, <<: {signal: SIGINT}}', {stop: {timeout: 0.5, signal: 'SIGINT'}}]
  ]
  for (const [line, values] of table) t.strictSame(appOf(line), {appID: 'a', ...values}, line)
})

const app = (line: string): string => `apps:\n- appID: a\n  ${line}\n`

t.test("a value of a wrong type is refused in Go's words", async t => {
  const table: readonly (readonly [string, string])[] = [
    ['version: "1"', 'line 1: cannot unmarshal !!str `1` into int'],
    ['version: [1]', 'line 1: cannot unmarshal !!seq into int'],
    ['name: {a: b}', 'line 1: cannot unmarshal !!map into string'],
    ['common: all', 'line 1: cannot unmarshal !!str `all` into runfileconfig.Common'],
    ['apps: 3', 'line 1: cannot unmarshal !!int `3` into []runfileconfig.App'],
    ['apps:\n  a: {}', 'line 2: cannot unmarshal !!map into []runfileconfig.App'],
    ['apps: [orders]', 'line 1: cannot unmarshal !!str `orders` into runfileconfig.App'],
    ['- a', 'line 1: cannot unmarshal !!seq into runfileconfig.RunFileConfig'],
    ['hello', 'line 1: cannot unmarshal !!str `hello` into runfileconfig.RunFileConfig'],
    [app('appPort: abc'), 'line 3: cannot unmarshal !!str `abc` into int'],
    [app('appPort: yes'), 'line 3: cannot unmarshal !!bool `yes` into int'],
    [app('appPort: 2026-11-20'), 'line 3: cannot unmarshal !!timestamp `2026-11-20` into int'],
    [app('appPort: .inf'), 'line 3: cannot unmarshal !!float `.inf` into int'],
    [app('enableApiLogging: 1'), 'line 3: cannot unmarshal !!int `1` into bool'],
    [app('enableApiLogging: "yes"'), 'line 3: cannot unmarshal !!str `yes` into bool'],
    [app('logLevel: [a]'), 'line 3: cannot unmarshal !!seq into string'],
    [app('appLogDestination: [a]'), 'line 3: cannot unmarshal !!seq into standalone.LogDestType'],
    [app('command: 1234567890'), 'line 3: cannot unmarshal !!int `1234567890` into []string'],
    [app('command: 12345678901'), 'line 3: cannot unmarshal !!int `1234567...` into []string'],
    [app('command: grüße, wer da'), 'line 3: cannot unmarshal !!str `grüße...` into []string'],
    [app('command: [[a]]'), 'line 3: cannot unmarshal !!seq into string'],
    [app('env:\n    A: {b: c}'), 'line 4: cannot unmarshal !!map into string'],
    [app('env: ["A=1"]'), 'line 3: cannot unmarshal !!seq into map[string]string'],
    [app('env: {[a]: b}'), 'line 3: cannot unmarshal !!seq into string'],
    [app('logLevel: !x [a]'), 'line 3: cannot unmarshal !!seq into string'],
    [app('appPort: !x a'), 'line 3: cannot unmarshal !x `a` into int']
  ]
  for (const [text, line] of table) t.equal(refusal(text), `unmarshal errors:\n  ${line}`, text)
})

t.test('all values of a wrong type are told, in the order of the text', async t => {
  const text = ['apps:', '- appPort: x', '  command: b', 'common:', '  appSSL: z', 'version: "1"'].join('\n')
  t.equal(
    refusal(text),
    [
      'unmarshal errors:',
      '  line 2: cannot unmarshal !!str `x` into int',
      '  line 3: cannot unmarshal !!str `b` into []string',
      '  line 5: cannot unmarshal !!str `z` into bool',
      '  line 6: cannot unmarshal !!str `1` into int'
    ].join('\n')
  )
})

t.test('a tree that leads nowhere, or into itself, is refused', async t => {
  const table: readonly (readonly [string, string])[] = [
    ['apps: *x', "unknown anchor 'x' referenced"],
    ['common: {<<: [a]}', 'map merge requires map or sequence of maps as the value'],
    ['common: {<<: 3}', 'map merge requires map or sequence of maps as the value'],
    ['common: &c\n  <<: *c', "anchor 'c' value contains itself"],
    ['common:\n  watch: &w [*w]', "anchor 'w' value contains itself"],
    ['common: {unknown: *x}', "unknown anchor 'x' referenced"]
  ]
  for (const [text, problem] of table) t.equal(refusal(text), problem, text)
})

t.test('a fault of syntax names its line', async t => {
  const table: readonly (readonly [string, number])[] = [
    ['version: 1\napps:\n  - appID: a\n appDirPath: x', 4],
    ['version: 1\napps:\n\t- appID: a', 3],
    ['apps: [', 1],
    ['name: "a', 1],
    ['a: b: c', 1]
  ]
  for (const [text, line] of table) t.match(refusal(text), new RegExp(`^line ${line}: [a-z]`), text)
})

/** A conflict whose sides are equal. */
const sides = (inside: string): string => `<<<<<<< HEAD\n${inside}=======\n${inside}>>>>>>> topic (fix: port)\n`

t.test('a Git merge conflict is told as such, at its first line', async t => {
  const table: readonly (readonly [string, number])[] = [
    [`version: 1\napps:\n- appID: a\n${sides('  appPort: 1\n')}  command: [x]\n`, 4],
    [`version: 1\n${sides('name: a\n')}apps: []\n`, 2],
    [sides('version: 1\n'), 1],
    [sides('version: 1\n').replaceAll('\n', '\r\n'), 1],
    ['version: 1\nname: a\n=======\nname: b\n', 3],
    ['version: 1\n||||||| base\nname: b\n', 2]
  ]
  for (const [text, line] of table) t.equal(refusal(text), `line ${line}: this is a Git merge conflict`, text)
})
