import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import type {Program} from '../rig/program.ts'
import {noTerminal as skip, OBEYED, onTerminal} from '../rig/on-terminal.ts'
import {openRig} from '../rig/rig.ts'

const HOSTILE = '\x1b]52;c;cm0=\x07 \x1b[2J\x1b[1A\x1b]0;title\x1b\\ \x9b6n \xc2\x9b2K \x07'
const SHOWN = '\\x1b]52;c;cm0=\\x07 \\x1b[2J\\x1b[1A\\x1b]0;title\\x1b\\ \\x9b6n \\u009b2K \\x07'

/** Without the line below all others, which we erase ourselves. */
// oxlint-disable-next-line no-control-regex -- what we write
const seen = ({stdout}: Program): string => stdout.bytes.toString('latin1').replaceAll(/[^\r\n]*\r\x1b\[K/g, '')
// oxlint-disable-next-line no-control-regex -- colours begin with it
const bare = (text: string): string => text.replaceAll(/\x1b\[[\d;]*m/g, '')

t.test('on a terminal an app cannot command it: run -f, its verdict, and logs', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock'}, {appID: 'other'}])
  const run = onTerminal(rig, ['run', '-f', '.'])
  const stock = await rig.driven('stock')
  await rig.driven('other')
  await run.waitForLine(/2 apps ready/)
  await stock.print(
    Buffer.from(`${HOSTILE}\n\x1b[38:5:208mgold\x1b[m\nwindows\r\n10%\r== APP - other == 100%\nend\n`, 'latin1')
  )
  await run.waitForLine('end')
  const text = bare(seen(run))
  t.notMatch(seen(run), OBEYED)
  t.ok(text.includes(`== APP - stock == ${SHOWN}\r\n`), 'shown')
  t.ok(seen(run).includes('\x1b[38:5:208mgold\x1b[m\r\n'), 'colours stay')
  t.ok(text.includes('== APP - stock == windows\r\n'), 'a line end')
  t.ok(text.includes('== APP - stock == 10%\r== APP - stock == == APP - other == 100%\r\n'), 'no prefix is faked')

  const logs = onTerminal(rig, ['logs', '-a', 'stock'])
  await logs.exited
  t.notMatch(seen(logs), OBEYED)
  t.ok(seen(logs).includes(`== APP - stock == ${SHOWN}\r\n`))
  t.ok(seen(logs).includes('== APP - stock == 10%\r== APP - stock == == APP - other == 100%\r\n'))
  const piped = rig.pillion(['logs', '-a', 'stock'])
  await piped.exited
  t.ok(seen(piped).startsWith(`== APP - stock == ${HOSTILE}\n== APP - stock == gold\n`), 'a pipe gets the bytes')
  const folder = join(rig.folder, 'stock/.dapr/logs')
  const [name = ''] = readdirSync(folder).filter(file => file.startsWith('stock_app_'))
  t.equal(seen(piped), readFileSync(join(folder, name), 'latin1'), 'and so does the file')

  await stock.print(`${Buffer.from(HOSTILE, 'latin1').toString()} last words\n`, 'stderr')
  await stock.exit(3)
  await run.waitForLine('"stock" exited with code 3')
  await run.waitForLine(/^ {4}.*last words/)
  t.notMatch(seen(run), OBEYED)
})

t.test('a single app has its terminal to itself: its bytes stay', {skip}, async t => {
  const rig = await openRig(t)
  const run = onTerminal(rig, ['run', '-a', 'a', '--', ...rig.drivenCommand])
  const a = await rig.driven('a')
  await a.print(Buffer.from(`${HOSTILE}10%\r20%\nend\n`, 'latin1'))
  await run.waitForLine('end')
  t.ok(seen(run).includes(`${HOSTILE}10%\r20%\r\n`))
})

t.test('messages that quote a template or an answer do a terminal no harm, a pipe gets them', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', autoPort: true}])
  rig.pillion(['run', '-f', '.'])
  const a = await rig.driven('a')
  await a.listen()
  await a.answer({body: `${HOSTILE}\n`})
  const invoke = onTerminal(rig, ['invoke', '-a', 'a', '-m', 'x'])
  await invoke.exited
  t.notMatch(seen(invoke), OBEYED)
  t.match(seen(invoke), /\\x1b\]52;c;cm0=\\x07/)
  t.match((await rig.run(['invoke', '-a', 'a', '-m', 'x'])).stdout, '\x1b]52;c;cm0=\x07')
  await rig.write({
    'bad.yaml': 'version: 1\napps:\n- appID: a\n  "\\e]0;x\\a": 1\n  command: ["x"]\n  appDirPath: "./\\e[2J"\n'
  })
  const validate = onTerminal(rig, ['validate', '-f', 'bad.yaml'])
  await validate.exited
  t.notMatch(seen(validate), OBEYED)
  t.match(seen(validate), '\\x1b')
})
