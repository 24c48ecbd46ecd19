import {stripVTControlCharacters} from 'node:util'
import t from 'tap'
import {farthest, LOG, TABLE, tableHeight, uiLines, type UiView} from '../../../../../src/clients/cli/ui/view.ts'
import {widthOf} from '../../../../../src/clients/cli/width.ts'
import {blocksOf} from '../../../../rig/page.ts'
import {appOf} from '../../../../rig/listed.ts'

const viewOf = (changed: Partial<UiView> = {}): UiView => ({
  name: 'shop',
  notice: '',
  apps: [],
  selected: 0,
  filter: '',
  log: [],
  content: TABLE,
  message: '',
  now: 1_000_000,
  hasColours: false,
  ...changed
})

const apps = (count: number): UiView['apps'] =>
  Array.from({length: count}, (_, i) => ({
    app: appOf({
      id: `service-${i}-漢字`,
      state: 'running',
      ...(i === 1 ? {state: 'exited', exitCode: 1, availability: 'never'} : {isReady: true, availability: 'ready'})
    }),
    memoryBytes: 64 * 1024 * 1024,
    cpu: 12.5
  }))

const log: UiView['log'] = Array.from({length: 80}, (_, i) => ({
  line: `${i} \x1b[31mred\x1b[0m \x1b]0;title\x07\tabc ${'漢字'.repeat(i)}`,
  stream: 'stdout',
  ...(i % 3 === 0 && {level: 'error'})
}))

const page = {title: 'a title '.repeat(30), lines: ['x'.repeat(1000), '', 'words '.repeat(100)]}

t.test('whatever is shown fills the screen and is no wider, in any size', async t => {
  const views = [0, 30].flatMap(count =>
    [TABLE, LOG, {kind: 'page' as const, page, scrolled: 0}].flatMap(content =>
      [true, false].map(hasColours =>
        viewOf({apps: apps(count), log, content, selected: Math.max(0, count - 1), hasColours})
      )
    )
  )
  for (const view of views)
    for (const width of [1, 20, 59, 199])
      for (const height of [1, 3, 8, 60]) {
        const lines = uiLines(view, 0, {width, height})
        const wrong = lines.filter(line => widthOf(stripVTControlCharacters(line)) > width)
        if (lines.length !== height || wrong.length > 0)
          t.fail(`${width}×${height}`, {lines: lines.length, wrong, count: view.apps.length})
      }
  t.pass(`${views.length} views`)
})

t.test('the table takes at most six tenths of the screen, and all of a small one', async t => {
  t.equal(tableHeight(3, {width: 80, height: 24}), 3)
  t.equal(tableHeight(200, {width: 80, height: 24}), 12)
  t.equal(tableHeight(200, {width: 80, height: 8}), 5, 'without a log')
  t.equal(tableHeight(0, {width: 80, height: 1}), 1)
})

t.test('what apps write cannot act on the terminal', async t => {
  const size = {width: 79, height: 10}
  const [, , , , line = ''] = uiLines(viewOf({apps: apps(1), log: log.slice(0, 1)}), 0, size)
  t.match(line, /^0 red {1,2}/)
  t.notMatch(line, /[\0-\x1f]/) // oxlint-disable-line no-control-regex -- what a terminal obeys
})

t.test('counts and what has failed; a notice takes their place', async t => {
  const size = {width: 79, height: 10}
  t.equal(uiLines(viewOf({apps: apps(3)}), 0, size)[0], 'shop · 2 of 3 ready · 1 down')
  const cut = uiLines(viewOf({apps: apps(30)}), 2, size)[0]
  t.equal(cut, 'shop · 29 of 30 ready · 1 down · apps 3 to 9 ↑↓', 'rows are out of sight')
  t.equal(uiLines(viewOf({apps: apps(3), notice: 'it has ended'}), 0, size)[0], 'shop · it has ended')
  t.equal(uiLines(viewOf({apps: apps(1), filter: 'x'}), 0, size)[0], 'shop · 1 of 1 ready · only “x”')
})

t.test('a page scrolls to its last line, and the log from its end', async t => {
  const size = {width: 40, height: 5}
  const lines = Array.from({length: 10}, (_, i) => `line ${i}`)
  const keys = {title: 'Keys', lines}
  const ends = viewOf({content: {kind: 'page', page: keys, scrolled: 0}})
  t.equal(farthest(ends, size), 7)
  t.same(uiLines({...ends, content: {kind: 'page', page: keys, scrolled: 7}}, 0, size).slice(0, 4), [
    'Keys',
    'line 7',
    'line 8',
    'line 9'
  ])
  const shown = viewOf({content: LOG, apps: apps(1), log: lines.map(line => ({line, stream: 'stdout'}))})
  t.equal(farthest(shown, size), 7)
  t.same(uiLines(shown, 0, size).slice(1, 4), ['line 7', 'line 8', 'line 9'])
  t.same(uiLines({...shown, content: {kind: 'log', scrolled: 7}}, 0, size).slice(0, 4), [
    'service-0-漢字 · 7 later lines',
    'line 0',
    'line 1',
    'line 2'
  ])
})

t.test('the manual shows what is shown', async t => {
  const now = 1_000_000
  const at = (ms: number): string => new Date(now - ms).toISOString()
  const ready = {state: 'running', isReady: true, availability: 'ready'} as const
  const failed = {state: 'exited', availability: 'never', exitCode: 1, exit: 'exited with code 1', restarts: 3} as const
  const MB = 1024 * 1024
  const shown = uiLines(
    viewOf({
      now,
      apps: [
        {app: appOf({...failed, id: 'payments', appPort: 8082}), memoryBytes: undefined, cpu: undefined},
        {
          app: appOf({...ready, id: 'gateway', appPort: 8080, pid: 28114, startedAt: at(120_000)}),
          memoryBytes: 64 * MB,
          cpu: 1
        },
        {
          app: appOf({...ready, id: 'stock', appPort: 8081, pid: 28390, restarts: 1, startedAt: at(9000)}),
          memoryBytes: 71 * MB,
          cpu: 0.5
        }
      ],
      log: [{line: 'Error: no such table: payments', stream: 'stderr', level: 'error'}]
    }),
    0,
    {width: 79, height: 10}
  )
  const block = blocksOf('docs/terminal.md').find(({text}) => text.startsWith('shop · '))
  t.equal(shown.filter(line => line !== '').join('\n'), block?.text.trimEnd())
})
