import {join} from 'node:path'
import t, {type Test} from 'tap'
import {loadTemplate} from '../../../../src/files/config/load.ts'
import {UserError} from '../../../../src/model/errors.ts'
import {loadAll, openShop, type Asked, type Read} from './shop.ts'

const ENV = {NAME: 'shop', PORT: '3000', EMPTY: ''}

const template = (...lines: readonly string[]): string =>
  [
    'version: 1',
    'interpolate: true',
    'apps:',
    '  - appID: orders',
    '    appDirPath: ./orders',
    ...lines.map(line => `    ${line}`),
    ''
  ].join('\n')

const read = async (test: Test, yaml: string, asked: Asked = {}): Promise<Read> =>
  loadAll(openShop(test, yaml), {env: ENV, ...asked})

/** What a text becomes as the value of a variable of an app. */
async function value(test: Test, text: string): Promise<string | undefined> {
  const {plan} = await read(test, template(`env: {V: '${text}'}`))
  return plan.apps[0]?.env['V']
}

async function refusal(test: Test, yaml: string): Promise<UserError> {
  try {
    await read(test, yaml)
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('the template was accepted')
}

t.test('every form of a variable, as compose has them', async t => {
  const table: Readonly<Record<string, string>> = {
    '${NAME}': 'shop',
    'a ${NAME}, b ${PORT}': 'a shop, b 3000',
    '${NAME}${PORT}': 'shop3000',
    '${EMPTY}': '',
    '${EMPTY:-x}': 'x',
    '${EMPTY-x}': '',
    '${UNSET:-x}': 'x',
    '${constructor:-x}': 'x',
    '${__proto__}': '',
    '${UNSET-x}': 'x',
    '${UNSET:-}': '',
    '${UNSET:-a b:c?d}': 'a b:c?d',
    '${UNSET:-${NAME}}': 'shop',
    '${UNSET:-${ALSO_UNSET:-deep}}!': 'deep!',
    '${NAME:-${UNSET:?not asked}}': 'shop',
    '${NAME:?needed}': 'shop',
    '${EMPTY?needed}': '',
    '${NAME:+set}': 'set',
    '${EMPTY:+set}': '',
    '${EMPTY+set}': 'set',
    '$${NAME}': '${NAME}',
    '$${NAME:-${PORT}': '${NAME:-3000',
    $NAME: '$NAME',
    'costs $5 {NAME}': 'costs $5 {NAME}',
    $$: '$$',
    '$(pwd)': '$(pwd)'
  }
  for (const [text, expected] of Object.entries(table)) t.equal(await value(t, text), expected, text)
})

t.test('values of every type are replaced after the YAML was read, keys are not', async t => {
  const {plan} = await read(
    t,
    template(
      'appPort: ${PORT}',
      'enableApiLogging: ${YES:-true}',
      'command: [node, "${NAME}.mjs"]',
      'env: {"${NAME}": x}'
    )
  )
  t.match(plan.apps[0], {
    channel: {port: 3000},
    sidecar: {apiLogging: true},
    command: ['node', 'shop.mjs'],
    env: {'${NAME}': 'x'}
  })
  const lines = await read(t, template('env:', '  V: |', '    # ${NAME}', '    b: [${PORT}'))
  t.equal(lines.plan.apps[0]?.env['V'], '# shop\nb: [3000\n', 'what a variable holds is no YAML')
  const quoted = await read(t, template('env: {V: "\\x24{NAME} \\"${PORT}\\""}'))
  t.equal(quoted.plan.apps[0]?.env['V'], 'shop "3000"')
})

t.test('where a number or a boolean is expected, quotes do not make a variable a text, nor in flow maps', async t => {
  const yaml = [
    'version: 1',
    'interpolate: true',
    'x-port: &port "8${UNSET:-1}00"',
    'apps:',
    "  - {appID: a, appDirPath: ./orders, appPort: '${PORT}', enableApiLogging: \"${YES:-on}\", replay: '${NO:-no}'}",
    '  - appID: b',
    '    appDirPath: ./orders',
    '    appPort: *port',
    '    appMaxConcurrency: "${EMPTY}"',
    '    replicas: "${UNSET-}"',
    '    ready: {tcp: "${PORT}", timeout: "${UNSET:-7}"}',
    '    env: {replicas: "${UNSET:-007}"}',
    '    kubernetes: {patch: {metadata: {labels: {a: "${PORT}"}}}}'
  ].join('\n')
  const {plan} = await read(t, yaml)
  t.match(plan.apps, [
    {channel: {port: 3000}, sidecar: {apiLogging: true}, replay: false},
    {channel: {port: 8100}, ready: {kind: 'tcp', port: 3000, timeoutMs: 7000}, env: {replicas: '007'}}
  ])
  const {explanation} = await refusal(t, template('appPort: "${NAME}"'))
  t.match(explanation, /appPort: "\$\{NAME\}"\n +\^+\nexpected a whole number$/)
  const off = await refusal(t, template('appPort: "${NAME}"').replace('interpolate: true', 'name: x'))
  t.match(off.explanation, /\nexpected a whole number\nto replace it from the environment, write interpolate: true/)
})

t.test('a value that comes twice by an anchor is replaced once', async t => {
  const {plan} = await read(t, template('env: {A: &a "$${NAME} ${NAME}", B: *a}'))
  t.strictSame(plan.apps[0]?.env, {A: '${NAME} shop', B: '${NAME} shop'})
})

t.test('--env comes before the environment', async t => {
  const {plan} = await read(t, template('env: {V: "${NAME}"}'), {variables: {NAME: 'typed'}})
  t.match(plan.apps[0]?.env, {V: 'typed', NAME: 'typed'})
})

t.test('without interpolate nothing is replaced, and validate says so, but not of what a shell reads', async t => {
  const yaml = template(
    'command: [sh, -c, "echo ${NAME} $${x}", "${0}"]',
    'ready: {command: [sh, -ec, "test ${NAME}"]}',
    'env: {"${KEY}": "${NAME:-x}", B: "a ${NAME}", C: "${not a name}", D: $NAME}'
  ).replace('interpolate: true', 'name: x')
  const {plan, findings} = await read(t, yaml)
  t.match(plan.apps[0], {command: ['sh', '-c', 'echo ${NAME} $${x}', '${0}'], env: {B: 'a ${NAME}'}})
  t.strictSame(
    findings.map(({code, severity, message}) => [code, severity, message]),
    [
      ['not-interpolated', 'warning', '${NAME:-x} stays as it is: nothing is replaced in this template'],
      ['not-interpolated', 'warning', '${NAME} stays as it is: nothing is replaced in this template']
    ]
  )
  t.match(
    findings[0]?.explanation,
    /dapr\.yaml:8:\d+\n.*\n +\^+\nto replace it from the environment, write interpolate: true/
  )
  const program = await read(t, yaml.replace('sh, -c,', 'node, app.mjs,'))
  t.equal(program.findings.length, 3, 'an argument of a program is reported')
})

t.test('a variable that is not set is empty, and said once, with its place', async t => {
  const {plan, findings} = await read(t, template('env: {A: "x${UNSET}y", B: "${UNSET}", C: "${NAME:-${OTHER}}"}'))
  t.strictSame(plan.apps[0]?.env, {A: 'xy', B: '', C: 'shop'})
  t.strictSame(
    findings.map(({code, message}) => [code, message]),
    [['unset-variable', 'the variable UNSET is not set: it is taken as empty']]
  )
  t.match(
    findings[0]?.explanation,
    'dapr.yaml:6:16\n    env: {A: "x${UNSET}y", B: "${UNSET}", C: "${NAME:-${OTHER}}"}\n               ^^^^^^^^'
  )
})

t.test('mistakes have their place, all of them at once', async t => {
  const table: readonly (readonly [text: string, message: string, hint: RegExp])[] = [
    ['${', '${ without its }', /write \$\$\{/],
    [`${'${A:-'.repeat(20_000)}${'}'.repeat(20_000)}`, 'variables within variables, too deep', /apart/],
    ['a ${NAME', '${ without its }', /write \$\$\{/],
    ['${NAME:-${PORT}', '${ without its }', /write \$\$\{/],
    ['${}', '${} names no variable', /expected \$\{NAME\}/],
    ['${1A}', '${1A} names no variable', /expected \$\{NAME\}/],
    ['${a.b}', '${a.b} names no variable', /expected \$\{NAME\}/],
    ['${NAME:x}', '${NAME:x} names no variable', /expected \$\{NAME\}/],
    ['${A:?}', 'the variable A is not set', /export A=…, or --env A=…/],
    ['${A:?say where}', 'the variable A is not set: say where', /export A=…/],
    ['${EMPTY:?say where}', 'the variable EMPTY is not set: say where', /export EMPTY=…/]
  ]
  for (const [text, message, hint] of table) {
    const {mistakes} = await refusal(t, template(`env: {V: "x ${text}"}`))
    t.match(mistakes, [{code: 'interpolation', message, hint}], text)
    const column = text === 'a ${NAME' ? 19 : 17
    t.match(mistakes[0]?.place, {file: 'dapr.yaml', line: 6, column}, text)
  }
  const cut = await refusal(t, template('env:\n      V: ${A:?ask in #payments}'))
  t.match(cut.mistakes, [
    {
      message: '${ without its }',
      hint: 'a # behind a space begins a comment: put the value in quotes',
      place: {line: 7}
    }
  ])
  const {message, mistakes} = await refusal(t, template('env: {A: "${", B: "ok", C: "${A:?}"}'))
  t.equal(message, 'Error getting apps from config file: ${ without its }')
  t.equal(mistakes.length, 2)
})

t.test('interpolate itself is true, false, or a path', async t => {
  const {mistakes} = await refusal(t, template().replace('true', 'perhaps'))
  t.match(mistakes, [
    {
      message: 'wrong value of interpolate',
      expected: 'expected true, false, or the path of a .env file',
      place: {line: 2}
    }
  ])
})

const fromFile = (file: string): string =>
  `version: 1\ninterpolate: ${file}\napps: [{appID: a, appDirPath: ./orders, command: ["\${A:-x}", "\${NAME}", "\${C:-none}"]}]\n`

t.test('a file of variables: the environment and --env come first; it may be missing', async t => {
  const commandOf = async (file: string): Promise<unknown> => {
    const shop = openShop(t, fromFile(file), {'my.env': 'A=from file\nNAME=hidden\nC="x y" # why\n'})
    return (await loadAll(shop, {env: ENV})).plan.apps[0]?.command
  }
  t.strictSame(await commandOf('my.env'), ['from file', 'shop', 'x y'])
  t.strictSame(await commandOf('./gone.env'), ['x', 'shop', 'none'])
  await t.rejects(commandOf('orders'), {
    message: /error in reading the file that interpolate names: open .*orders: is a directory/
  })
  t.match((await refusal(t, fromFile('"true"'))).mistakes, [
    {expected: 'expected true, false, or the path of a .env file'}
  ])
})

t.test('a file of variables counts from the file that names it', async t => {
  const shop = openShop(t, fromFile('my.env'), {
    'my.env': 'A=of the first\n',
    more: {'more.yaml': 'interpolate: my.env\n', 'my.env': 'A=of the second\n'}
  })
  const {plan} = await loadAll(shop, {env: ENV, named: ['.', 'more/more.yaml']})
  t.strictSame(plan.apps[0]?.command, ['of the second', 'shop', 'none'])
  t.equal(plan.variablesFile, join(shop, 'more/my.env'))
})

t.test('the sidecar of a command reads resources with the variables of the apps', async t => {
  const cwd = openShop(t, template('appPort: ${PORT}'))
  const around = {cwd, home: cwd, env: ENV, readStdin: () => ''}
  const {plan, commandSidecar} = await loadTemplate('.', around, {watch: false, variables: {A: '1'}})
  const variables = {...ENV, A: '1'}
  t.strictSame(plan.apps[0]?.resources.variables, variables)
  t.strictSame((await commandSidecar('tests')).resources.variables, variables)
})

t.test('a value with thousands of variables that are not set, or not closed', async t => {
  const names = Array.from({length: 40_000}, (_, index) => `\${A${index}}`)
  const many = await read(t, template(`env: {V: "${names.join('')}", W: "${'${B}'.repeat(40_000)}"}`))
  const unset = many.findings.filter(({code}) => code === 'unset-variable')
  t.equal(unset.length, 100)
  t.match(unset[0], {message: 'the variable A0 is not set: it is taken as empty', place: {line: 6, column: 15}})
  const {message} = await refusal(t, template(`env: {V: "${'${A:-'.repeat(100_000)}"}`))
  t.match(message, '${ without its }')
})
