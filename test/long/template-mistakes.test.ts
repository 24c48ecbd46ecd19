import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'

interface Found {
  readonly code: string
  readonly line: number
  readonly column: number
  readonly message: string
  readonly hint: string
}

interface Report {
  readonly exit: number | null
  readonly errors: readonly Found[]
  readonly findings: readonly Found[]
}

const app = (id: string, ...lines: readonly string[]): string =>
  `  - appID: ${id}\n    appDirPath: .\n${lines.map(line => `    ${line}\n`).join('')}`

const shop = (...lines: readonly string[]): string => `version: 1\napps:\n${app('shop', ...lines)}`

async function validate(rig: Rig, text: string | Buffer): Promise<Report> {
  await writeFile(join(rig.folder, 'shop.yaml'), text)
  const {code, stdout} = await rig.run(['validate', 'shop.yaml', '-o', 'json'])
  return {exit: code, ...(JSON.parse(stdout) as Omit<Report, 'exit'>)}
}

t.test('mistakes with which a template cannot run are errors, and exit with 1', async t => {
  const rig = await openRig(t)
  const table: readonly (readonly [string | Buffer, Partial<Found>])[] = [
    [`${shop('daprHTTPPort: 3500')}${app('b', 'daprHTTPPort: 3500')}`, {code: 'duplicate-port', line: 8, column: 19}],
    [shop('daprHTTPPort: 3500', 'daprGRPCPort: 3500'), {code: 'duplicate-port', line: 6}],
    [shop('env: {A: "x\0"}'), {code: 'control-character', line: 5, column: 16}],
    [shop('command: ["a\\0b"]'), {code: 'control-character', line: 5, column: 15}],
    [Buffer.from(shop('env: {A: "é"}'), 'latin1'), {code: 'invalid-utf8', line: 5, column: 15}],
    [
      shop('command: npm run build && npm start'),
      {code: 'wrong-type', hint: 'write command as a list, with a shell: [sh, -c, "npm run build && npm start"]'}
    ],
    [shop('command: [node, app.mjs', 'appPort: 3000'), {code: 'invalid-yaml', line: 5, column: 14}],
    [shop('env: {A: {b: [1, 2}', 'appPort: 3000'), {code: 'invalid-yaml', line: 5, column: 18}],
    [shop('command: ["node, app.mjs]', 'appPort: 3000'), {code: 'invalid-yaml', line: 5, column: 15}],
    ['version: 1\napp:\n  - appDirPath: .\n', {code: 'unknown-key', line: 2, column: 1, hint: 'did you mean apps?'}],
    [shop('envFile: none.env'), {code: 'path-not-found', line: 5}],
    [shop('dependsOn: [shp]'), {code: 'unknown-dependency', hint: 'did you mean shop?'}],
    [
      shop('watch: ["{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"]'),
      {code: 'invalid-value', line: 5, column: 13}
    ]
  ]
  for (const [text, expected] of table) {
    const {exit, errors} = await validate(rig, text)
    t.equal(exit, 1, text.toString())
    t.match(errors, [expected], text.toString())
    t.equal(Object.keys(errors[0] ?? {}).at(-1), 'code')
  }
})

t.test('what Dapr runs, too, is a warning, and exits with 0', async t => {
  const rig = await openRig(t)
  await rig.write({'src/a.js': ''})
  const table: readonly (readonly [string, Partial<Found>])[] = [
    [`${shop('appPort: 8080')}${app('b', 'appPort: 8080')}`, {code: 'duplicate-app-port', line: 8, column: 14}],
    [`${shop('command: [node]')}${app('shop', 'command: [sh]')}`, {code: 'duplicate-app-id', line: 6, column: 12}],
    [shop('env:', 'LEVEL: debug'), {code: 'unknown-key', hint: 'if it belongs to env, indent it below that'}],
    [shop('watch: [scr/**]'), {code: 'watch-matches-nothing', hint: 'did you mean src?'}],
    [shop('watch: {paths: [src, "**/*.log"]}'), {code: 'watch-matches-nothing', line: 5, column: 26}],
    [shop('watch: {paths: [src/**], ignore: [src]}'), {code: 'watch-matches-nothing', line: 5, column: 21}],
    [`${shop()}---\nversion: 1\n`, {code: 'second-document', line: 5}],
    [shop().replace('version: 1', 'version: 2'), {code: 'unknown-format', line: 1, column: 10}]
  ]
  for (const [text, expected] of table) {
    const {exit, errors, findings} = await validate(rig, text)
    t.equal(exit, 0, text)
    t.same(errors, [])
    t.match(findings, [expected], text)
  }
  const quiet = [
    shop('watch: [src/**, "*.js"]'),
    shop('watch: {ignore: [dist]}'),
    `${shop('daprHTTPPort: 3500', 'apiListenAddresses: 127.0.0.1')}${app('b', 'daprHTTPPort: 3500', 'apiListenAddresses: 127.0.0.2')}`
  ]
  for (const text of quiet) t.same((await validate(rig, text)).findings, [], text)
})

t.test('validate and doctor take the template as a word; two are a mistake', async t => {
  const rig = await openRig(t)
  await rig.write({'a.yaml': shop('command: ["true"]')})
  for (const command of ['validate', 'doctor']) {
    t.match(await rig.run([command, 'a.yaml']), {code: 0})
    t.match(await rig.run([command, 'a.yaml', '-f', 'b.yaml']), {code: 255, stdout: /expected one template, got 2/})
  }
  t.match(await rig.run(['validate', 'a.yaml']), {stdout: '✅  a.yaml can run: 1 app\n'})
})

t.test('warnings of run come after the start lines of all apps, one line each', async t => {
  const rig = await openRig(t)
  await rig.write({
    'dapr.yaml': `${shop('comand: [x]', 'appPort: 8080', 'command: ["true"]')}${app('b', 'appPort: 8080', 'command: ["true"]')}`
  })
  const {code, stderr} = await rig.run(['run', '-f', '.', '--log-as-json'])
  t.equal(code, 0)
  const codes = stderr
    .trim()
    .split('\n')
    .map(line => (JSON.parse(line) as Found).code)
  t.same(codes, ['unknown-key', 'duplicate-app-port'])
})

t.test('--env overrides the env of every app; what is no variable names the -- that is missing', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'a', command: ['sh', '-c', 'echo $ONE,$TWO'], env: {ONE: 'template', TWO: 'template'}},
    {appID: 'b', command: ['sh', '-c', 'echo $ONE,$TWO']}
  ])
  const run = await rig.run(['run', '-f', '.', '--env', 'ONE=first', '-e', 'ONE=x=y,z'])
  t.match(run.stdout, '== APP - a == x=y,z,template\n')
  t.match(run.stdout, '== APP - b == x=y,z,\n')
  t.notMatch(run.stdout, 'ignored')
  const single = await rig.run(['run', '--app-id', 'c', '-e', 'ONE=1', '--', 'sh', '-c', 'echo one is $ONE'])
  t.match(single.stdout, 'one is 1\n')
  const swallowed = await rig.run(['run', '--app-id', 'c', 'node', '-e', 'console.log(1)'])
  t.equal(swallowed.code, 255)
  t.match(swallowed.stdout, /^invalid argument "console\.log\(1\)" for "-e, --env" flag: expected KEY=VALUE; write -- /)
})

t.test('an envFile that is not required may be missing', async t => {
  const rig = await openRig(t)
  const envFile = [{path: '../.env'}, {path: '../.env.local', required: false}]
  await rig.template([{appID: 'a', command: ['sh', '-c', 'echo got $WHERE'], envFile}])
  await rig.write({'.env': 'WHERE=shared\n'})
  t.match((await rig.run(['run', '-f', '.'])).stdout, '== APP - a == got shared\n')
  await rig.write({'.env.local': 'WHERE=local\n'})
  t.match((await rig.run(['run', '-f', '.'])).stdout, '== APP - a == got local\n')
})

t.test('--only takes its apps with commas or as words', async t => {
  const rig = await openRig(t)
  await rig.template(['a', 'b', 'c'].map(appID => ({appID, command: ['echo', 'here']})))
  for (const only of [
    ['--only', 'a,b'],
    ['--only', 'a', 'b']
  ]) {
    const {code, stdout} = await rig.run(['run', '-f', '.', ...only])
    t.equal(code, 0)
    t.same(
      ['a', 'b', 'c'].map(id => stdout.includes(`== APP - ${id} == here`)),
      [true, true, false]
    )
  }
  t.match(await rig.run(['run', '-f', '.', '--only', 'a', 'x']), {code: 1, stderr: /--only names "x"/})
})

t.test('mistakes of somebody new to YAML come with what to write', async t => {
  const rig = await openRig(t)
  const column = /keys of one map begin in the same column$/
  const table: readonly (readonly [string, number, RegExp])[] = [
    ['  - appID: a\n   appDirPath: .\n', 4, column],
    ['  - appID: a\n  appDirPath: .\n', 4, column],
    ['  - appID: a\n      appDirPath: .\n', 3, /^indent the line below this one less/],
    ['  - appID: a\n    appDirPath: .\n      command: [x]\n', 4, /^indent the line below this one less/],
    ['  - appID: a\n    appDirPath: x: y\n', 4, /^put a text that contains a colon into quotes$/],
    ['  - appID a\n    appDirPath: .\n', 3, /^write a colon and a space after a key, as in appID: shop$/],
    ['  - appID:a\n    appDirPath: .\n', 3, /^write a colon and a space after a key/],
    ['\t- appID: a\n', 3, /^indent with spaces$/],
    ['  - appID: @a\n', 3, /^put it into quotes$/],
    ['  - appID: a\n    env: {A: ${HOME}}\n', 4, /^put it into quotes: "\$\{…\}"$/]
  ]
  for (const [apps, line, hint] of table)
    t.match((await validate(rig, `version: 1\napps:\n${apps}`)).errors, [{code: 'invalid-yaml', line, hint}], apps)
})
