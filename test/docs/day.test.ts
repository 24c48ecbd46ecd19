import {cpSync} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {stripVTControlCharacters} from 'node:util'
import t, {type Test} from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'
import {keepScene} from '../rig/scenes.ts'
import {noScreen, Screen} from '../rig/screen.ts'

const skip = noScreen
const COLUMNS = 80
/** The folder as the pictures show it. */
const HERE = '/home/me/day'

/** Runs pillion on a terminal of its own to its end, and gives what it showed. */
async function shownBy(rig: Rig, ...args: readonly string[]): Promise<Screen> {
  const screen = new Screen(rig, [...rig.program, ...args], {columns: COLUMNS, rows: 50})
  await screen.ended()
  return screen
}

/** Without its colours. */
const plain = ({text}: Screen): string => stripVTControlCharacters(text)

/** Lines of apps are as wide as the apps make them, Dapr's start lines as the path of the logs. */
const isOurs = (line: string): boolean => !/^(\d\S+ \S+ )?(== APP - |ℹ️ {2}(Started|Writing))/.test(line)

function fits(t: Test, screen: Screen): void {
  t.same(
    screen.lines.filter(line => isOurs(line) && line.length > COLUMNS),
    [],
    'nothing of ours wraps'
  )
}

t.test('a day with six apps: start, break one, repair it, debug one, read all logs, stop', {skip}, async t => {
  const rig = await openRig(t)
  cpSync(join(import.meta.dirname, '../../examples/day'), rig.folder, {recursive: true})
  const here = (text: string): string => text.replaceAll(rig.folder, HERE)
  const run = new Screen(rig, [...rig.program, 'up'], {columns: COLUMNS, rows: 50})
  let from = 0
  const keep = (name: string, command: string): void => {
    keepScene(name, {command, columns: COLUMNS, shown: (from > 0 ? '…\n' : '') + here(run.text.slice(from))})
    from = run.text.length
  }

  await run.line(/^6 apps ready in \d+\.\d s · Ctrl-C stops · h help$/)
  await run.line(/^== APP - orders == takes orders$/)
  keep('day-start', 'pillion up')
  t.match((await shownBy(rig, 'invoke', '-a', 'web', '-m', '/', '-v', 'GET')).text, /^510\b/)

  const source = await readFile(join(rig.folder, 'orders/orders.mjs'), 'utf8')
  await rig.write({'orders/orders.mjs': source.replace('[stock, prices]', '[stock, prizes]')})
  await run.line(/^ℹ️ {2}orders: reloaded in \d+ ms \(orders\.mjs\)/)
  from = run.text.length
  const broken = await shownBy(rig, 'invoke', '-a', 'web', '-m', '/', '-v', 'GET')
  t.match(broken.text, /"orders\\" exited with code 1 at [^]*ReferenceError: prices is not/, 'the caller hears why')
  keepScene('day-caller', {command: 'pillion invoke -a web -m / -v GET', columns: COLUMNS, shown: here(broken.text)})
  await run.line(/^ {4}ReferenceError: prices is not defined$/)
  await run.line(/^== APP - web == GET \/: 500$/)
  t.match(run.lines.join(' '), /⚠ {2}"orders" exited with code 1 after [\d.]+ \w+ while handling GET \/ from web/)
  keep('day-crash', 'pillion up')
  const ps = await shownBy(rig, 'ps')
  t.match(plain(ps), /^✕ orders +exited 1 /m)
  keepScene('day-ps', {command: 'pillion ps', columns: COLUMNS, shown: here(ps.text)})

  await rig.write({'orders/orders.mjs': source})
  await run.shows(/takes orders[^]*takes orders[^]*takes orders/)
  await run.shows(/orders: reloaded in[^]*orders: reloaded in \d+ ms \(orders\.mjs\)/)
  keep('day-repair', 'pillion up')

  const debug = await shownBy(rig, 'debug', 'orders', '--format', 'vscode')
  t.match(debug.text, /"type": "node"[^]*"DAPR_HTTP_PORT": "\d+"[^]*orders is stopped for debugging/)
  keepScene('day-debug', {command: 'pillion debug orders --format vscode', columns: COLUMNS, shown: here(debug.text)})
  const waiting = shownBy(rig, 'invoke', '-a', 'web', '-m', '/', '-v', 'GET')
  const debugged = rig.start(['sh', '-c', `eval "$(${rig.program.join(' ')} env orders)" && exec node orders.mjs`], {
    folder: 'orders'
  })
  t.match((await waiting).text, /^510\b/, 'a call waited for the process of the debugger')
  t.match(plain(await shownBy(rig, 'ps', 'orders')), /^orders +in debugger /m)
  await debugged.end()
  t.match((await shownBy(rig, 'start', 'orders')).text, /^✅ {2}app started successfully: orders/)

  const logs = await shownBy(rig, 'logs', '-t', '--tail', '12')
  await logs.line(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} == APP - orders == takes orders$/)
  t.match(logs.text, '\x1b[1m== APP - orders ==', 'in its colour')
  keepScene('day-logs', {command: 'pillion logs -t --tail 12', columns: COLUMNS, shown: here(logs.text)})
  from = run.text.length
  run.type('\x03')
  await run.line(/^6 apps stopped in \d+\.\d s$/)
  keep('day-end', 'pillion up')
  for (const screen of [run, ps, debug, logs]) fits(t, screen)
  await run.ended()
})

const IDS =
  `accounts api billing cart catalog checkout currency delivery email frontend gateway inventory invoices ledger
  loyalty mailer notifications orders payments pricing products recommendations returns reviews search sessions shipping
  stock tax users`.split(/\s+/)

const APP = `import {createServer} from 'node:http'

createServer((request, response) => {
  if (request.url.startsWith('/dapr/')) return response.writeHead(404).end()
  throw new Error('cannot ' + request.method + ' ' + request.url + ': connection to 10.0.3.17:5432 refused')
}).listen(process.env.APP_PORT, '127.0.0.1', () => console.log('open'))
`

t.test('thirty apps on a terminal of 80 columns', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template(
    IDS.map(appID => ({appID, appDirPath: '.', autoPort: true, command: ['node', 'app.mjs'], restart: 'no'}))
  )
  await rig.write({'app.mjs': APP})
  const here = (text: string): string => text.replaceAll(rig.folder, HERE)
  const run = new Screen(rig, [...rig.program, 'up'], {columns: COLUMNS, rows: 50})
  await run.line(/^30 apps ready in/)
  for (const id of IDS) await run.line(new RegExp(`^== APP - ${id} == open$`))
  const ready = run.text.indexOf('30 apps ready')
  keepScene('many-start', {command: 'pillion up', columns: COLUMNS, shown: `…\n${run.text.slice(ready)}`})
  const ps = await shownBy(rig, 'ps')
  t.equal(ps.lines.filter(line => / ready +/.test(line)).length, 30)
  keepScene('many-ps', {command: 'pillion ps', columns: COLUMNS, shown: ps.text})
  let from = run.text.length
  await shownBy(rig, 'invoke', '-a', 'recommendations', '-m', 'items', '-v', 'GET')
  await run.line(/^ {4}Error: cannot GET \/items: connection to 10\.0\.3\.17:5432 refused$/)
  // what the app itself has written stands before it: the picture shows the sentence
  const said = run.text.indexOf('"recommendations" exited', from)
  const crash = run.text.slice(run.text.lastIndexOf('\n', said) + 1)
  keepScene('many-crash', {command: 'pillion up', columns: COLUMNS, shown: `…\n${here(crash)}`})
  from = run.text.length
  run.type('\x03')
  await run.line(/^30 apps stopped in/)
  const end = run.text.slice(from).split('\n').slice(-6).join('\n')
  keepScene('many-end', {command: 'pillion up', columns: COLUMNS, shown: `…\n${end}`})
  for (const screen of [run, ps]) fits(t, screen)
  await run.ended()
})
