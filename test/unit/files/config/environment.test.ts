import {chmodSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import type {AppPlan} from '../../../../src/model/plan.ts'
import {failure, loadIn, openShop, orders, type Files} from './shop.ts'

const appOf = (folder: string, env: Readonly<Record<string, string>> = {}): AppPlan => {
  const [app] = loadIn(folder, {env}).plan.apps
  if (app === undefined) throw new Error('no app')
  return app
}

t.test('.env files come below env; of two the later wins', async t => {
  const files: Files = {
    orders: {'.env': '\uFEFFA=first\nB="two words"\nexport C=3 # three\n', 'more.env': 'A=second\r\nD=x\r\n'}
  }
  const folder = openShop(t, orders('envFile: [.env, ./more.env]', 'env: {D: own}'), files)
  const {env, envFiles} = appOf(folder)
  t.strictSame(env, {A: 'second', B: 'two words', C: '3', D: 'own'})
  t.strictSame(envFiles, [join(folder, 'orders/.env'), join(folder, 'orders/more.env')])
})

t.test('a variable may have any name but one with NUL', async t => {
  const folder = openShop(t, orders('envFile: .env', 'env: {__proto__: own, constructor: a}'), {
    orders: {'.env': '__proto__=file\ntoString=b\n'}
  })
  t.strictSame(
    Object.entries(appOf(folder).env).toSorted(([a], [b]) => a.localeCompare(b)),
    [
      ['__proto__', 'own'],
      ['constructor', 'a'],
      ['toString', 'b']
    ]
  )
  const {message, explanation} = failure(t, orders('env: {"A\\0B": x}'))
  t.match(message, 'a text contains the character NUL')
  t.match(explanation, 'dapr.yaml:5:11\n')
})

t.test('an .env file of common lies in the folder of each app, below the env of common', async t => {
  const yaml = `common: {envFile: .env, env: {B: common}}\n${orders()}`
  t.strictSame(appOf(openShop(t, yaml, {orders: {'.env': 'A=1\nB=2'}})).env, {A: '1', B: 'common'})
  const own = `common: {envFile: .env}\n${orders('envFile: own.env')}`
  t.strictSame(appOf(openShop(t, own, {orders: {'.env': 'A=1', 'own.env': 'B=2'}})).env, {B: '2'})
  t.strictSame(appOf(openShop(t, orders('envFile: ~/my.env'), {home: {'my.env': 'A=1'}})).env, {A: '1'})
})

t.test('an .env file that cannot be read is refused', async t => {
  const {message, explanation, mendedBy} = failure(t, orders('envFile: [app.mjs, .env]'))
  const told = 'error in reading the envFile: open $/orders/.env: no such file or directory'
  t.equal(message, `Error getting apps from config file: ${told}`)
  t.match(explanation, 'dapr.yaml:5:24\n')
  t.strictSame(mendedBy, ['$/orders/.env'], 'a run waits for it')
})

t.test("Daeploy's file: names and values are trimmed, comments and other lines passed over, quotes kept", async t => {
  const environment = '# comment\nAPP_FILE = app.py\n A= "1=2" \nnothing\n  # B=2\nC=\nAPP_PORT=1\nDAPR_HTTP_PORT=2\n'
  const folder = openShop(t, orders('env: {C: own}'), {orders: {'app.py': '', '.s2i': {environment}}})
  t.strictSame(appOf(folder).env, {APP_FILE: 'app.py', A: '"1=2"', C: 'own'})
})

/** What says that a file is missing, when it is started. */
const missing = (file: string): readonly string[] => ['sh', '-c', 'echo "ERROR: file \'$0\' not found."; exit 1', file]

t.test("what Daeploy's file starts", async t => {
  const table: readonly (readonly [string, Files, readonly string[]])[] = [
    ['APP_FILE=service.py', {'service.py': ''}, ['python3', 'service.py']],
    ['APP_FILE=service.py\nAPP_SCRIPT=go.sh', {'service.py': '', 'go.sh': ''}, ['bash', 'go.sh']],
    ['A=1', {'app.sh': '', 'app.py': ''}, ['bash', 'app.sh']],
    ['A=1', {'app.py': ''}, ['python3', 'app.py']],
    ['A=1', {}, missing('app.py')],
    ['APP_FILE=x.py', {'app.py': '', 'app.sh': ''}, missing('x.py')],
    ['APP_SCRIPT=x.sh', {}, missing('x.sh')],
    ['APP_FILE=x.py\nAPP_MODULE=x:app', {'x.py': ''}, ['python3', 'x.py']]
  ]
  for (const [environment, files, command] of table) {
    const folder = openShop(t, orders(), {orders: {...files, '.s2i': {environment}}})
    t.strictSame(appOf(folder).command, command, environment)
  }
})

t.test('the Python of a virtual environment goes before that of PATH', async t => {
  const environment = 'APP_FILE=a.py'
  const files: Files = {orders: {'a.py': '', '.s2i': {environment}}, bin: {python: ''}, code: {python: {}}}
  const folder = openShop(t, orders(), files)
  chmodSync(join(folder, 'bin/python'), 0o755)
  t.strictSame(appOf(folder, {PATH: join(folder, 'code')}).command, ['python3', 'a.py'], 'a folder of this name')
  t.strictSame(appOf(folder, {PATH: `/nowhere::${join(folder, 'bin')}`}).command, ['python', 'a.py'])
  const venv: Files = {orders: {'a.py': '', '.s2i': {environment}, '.venv': {bin: {python: ''}}}}
  const other = openShop(t, orders(), venv)
  t.strictSame(appOf(other).command, [join(other, 'orders/.venv/bin/python'), 'a.py'])
})

t.test('a module alone is refused with the command to write; a command always wins', async t => {
  const files: Files = {orders: {'.s2i': {environment: 'APP_MODULE=shop:app\n'}}}
  const {message, explanation} = failure(t, orders(), {files})
  t.equal(
    message,
    'Error getting apps from config file: app "orders": APP_MODULE alone in .s2i/environment does not name a command to start'
  )
  t.match(explanation, 'write command: ["uvicorn", "shop:app", "--port", "8000"]')
  t.match(failure(t, orders('fixedPort: 9000'), {files}).explanation, '"--port", "9000"]')
  t.match(appOf(openShop(t, orders('command: [go]'), files)), {command: ['go'], env: {APP_MODULE: 'shop:app'}})
})

t.test("Daeploy's file that is a folder is refused", async t => {
  const {message} = failure(t, orders(), {files: {orders: {'.s2i': {environment: {}}}}})
  t.equal(message, 'Error getting apps from config file: error in reading $/orders/.s2i/environment: is a directory')
})

t.test('a value with NUL in either file is refused: no program can be given it', async t => {
  for (const [lines, files] of [
    [orders('envFile: .env'), {orders: {'.env': 'A=x\0y\n'}}],
    [orders('version: 1.0.0'), {orders: {'.s2i': {environment: 'A=x\0y\n'}}}]
  ] as const)
    t.match(failure(t, lines, {files}).message, /: it contains the character NUL$/)
})
