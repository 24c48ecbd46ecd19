import {stripVTControlCharacters} from 'node:util'
import type {Test} from 'tap'
import {endText, readyText, startingText, waitingText} from '../../../../../src/clients/cli/live/texts.ts'
import {TABLE, uiLines, type UiView} from '../../../../../src/clients/cli/ui/view.ts'
import {widthOf} from '../../../../../src/clients/cli/width.ts'
import {appOf} from '../../../../rig/listed.ts'

/** What ids, lines and messages may be made of: wide, combined and invisible characters, and what terminals obey. */
const PARTS = [
  'plain', ' ', 'x'.repeat(200), '漢字', '👩‍👩‍👧', 'e\u0301', '\u0301\u0302\u0303', 'ก็็็', '\u200b', '\u202e', '\u2066', 'ﷺ', '🇩🇪', '\ud800',
  '\t', '\r', '\n', '\b', '\0', '\x07', '\x7f', '\u009b2J', '\x1b[2J', '\x1b[31m', '\x1b[0m', '\x1b]0;title\x07', '\x1b]52;c;eA==\x1b\\', '\x1bP1$r', '\x1b[', '\x1b'
] // prettier-ignore
const SIZES = [1, 2, 20, 79, 199].flatMap(width => [1, 4, 24].map(height => ({width, height})))

/** The same texts in each run of the test. */
let seed = 7
const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
const text = (most = 8): string => Array.from({length: random(most)}, () => PARTS[random(PARTS.length)] ?? '').join('')

const hostileApp = (): ReturnType<typeof appOf> =>
  appOf({
    id: text(),
    state: (['starting', 'running', 'exited', 'idle', 'stopping'] as const)[random(5)] ?? 'idle',
    availability: (['ready', 'never', 'waiting', 'stopped'] as const)[random(4)] ?? 'ready',
    isReady: random(2) === 0,
    pid: random(2) * random(100_000),
    appPort: random(65_536),
    exit: text(),
    waitsFor: [text(), text()]
  })

/** Characters that act on the terminal, or show text in another order. */
const ACTS = /[\0-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/ // oxlint-disable-line no-control-regex -- what terminals obey

/** Lines that are too wide, or that act on the terminal, but for colours. */
const wrong = (lines: readonly string[], width: number): readonly string[] =>
  lines.filter(line => {
    const plain = line.replaceAll(/\x1b\[[\d;]*m/g, '') // oxlint-disable-line no-control-regex -- colours
    return ACTS.test(plain) || widthOf(stripVTControlCharacters(plain)) > width
  })

/** What `pillion ui` shows of apps like that. */
export async function showsHostile(t: Test, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const apps = Array.from({length: round % 10 === 0 ? 200 : random(6)}, () => ({
      app: hostileApp(),
      memoryBytes: random(2 ** 40),
      cpu: random(1000)
    }))
    const scrolled = random(3)
    const screens: readonly UiView['content'][] = [
      TABLE,
      {kind: 'log', scrolled},
      {kind: 'page', page: {title: text(), lines: [text(), text(40)]}, scrolled}
    ]
    const view: UiView = {
      name: text(),
      notice: text(3),
      apps,
      selected: Math.max(0, random(apps.length || 1)),
      filter: text(3),
      log: Array.from({length: random(60)}, () => ({line: text(), stream: 'stdout' as const, level: 'error' as const})),
      content: screens[random(3)] ?? TABLE,
      message: text(4),
      now: 1_000_000,
      hasColours: random(2) === 0
    }
    for (const size of SIZES) {
      const lines = uiLines(view, 0, size)
      const found = wrong(lines, size.width)
      if (found.length > 0 || lines.length !== size.height) return void t.fail(`${size.width}×${size.height}`, {found})
    }
  }
  t.pass()
}

/** What a start and an end tell of them. */
export async function tellsHostile(t: Test, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const apps = Array.from({length: round % 10 === 0 ? 200 : random(6)}, hostileApp)
    for (const {width, height} of SIZES) {
      const place = {
        width,
        rows: height,
        name: text(),
        now: 1_000_000,
        tookMs: 1234,
        hint: 'Ctrl-C stops · h help',
        wasAsked: round % 2 === 0
      }
      for (const show of [readyText, startingText, endText] as const) {
        const found = wrong(show(apps, place).split('\n'), width)
        if (found.length > 0) return void t.fail(`${show.name} at ${width}`, {found})
      }
      const found = wrong([waitingText(apps, width)], width)
      if (found.length > 0) return void t.fail(`waitingText at ${width}`, {found})
    }
  }
  t.pass()
}
