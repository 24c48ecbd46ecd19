import t from 'tap'
import {wantsColours, APP_COLOURS, painted, paintedStatus, toned} from '../../../../src/clients/cli/paint.ts'
import {clockText, LineView, logStyleOf, prefixesFor} from '../../../../src/clients/cli/log-style.ts'
import type {Plan} from '../../../../src/model/plan.ts'

t.test('who decides on colours', async t => {
  const table: readonly (readonly [boolean, Readonly<Record<string, string>>, boolean])[] = [
    [true, {}, true],
    [false, {}, false],
    [true, {TERM: 'dumb'}, false],
    [true, {NO_COLOR: '1'}, false],
    [true, {NO_COLOR: ''}, true],
    [true, {CLICOLOR: '0'}, false],
    [false, {CLICOLOR_FORCE: '1'}, true],
    [false, {CLICOLOR_FORCE: '0'}, false],
    [false, {CLICOLOR_FORCE: '1', NO_COLOR: '1'}, false],
    [false, {FORCE_COLOR: '1'}, true],
    [false, {FORCE_COLOR: ''}, true],
    [false, {FORCE_COLOR: '3', NO_COLOR: '1'}, true],
    [true, {FORCE_COLOR: '0'}, false]
  ]
  for (const [isTerminal, env, wants] of table)
    t.equal(wantsColours(isTerminal, env), wants, `${isTerminal} ${JSON.stringify(env)}`)
})

/** The levels of xterm's colour cube. */
const LEVELS = [0, 95, 135, 175, 215, 255]

/** Red, green and blue of a colour of the cube, from 0 to 255. */
const rgbOf = (colour: number): readonly number[] =>
  [36, 6, 1].map(unit => LEVELS[Math.floor((colour - 16) / unit) % 6] ?? 0)

/** Relative luminance (WCAG 2.2). */
function luminance(colour: number): number {
  const [red = 0, green = 0, blue = 0] = rgbOf(colour).map(level => {
    const part = level / 255
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

t.test('every colour is readable on a black and on a white ground, and no app is red or yellow', async t => {
  for (const colour of APP_COLOURS) {
    const light = luminance(colour) + 0.05
    t.ok(Math.min(1.05 / light, light / 0.05) >= 3.6, `contrast of ${colour}`)
  }
  for (const colour of APP_COLOURS) {
    const [red = 0, green = 0, blue = 0] = rgbOf(colour)
    t.ok(red <= blue || (red < green && blue > red), colour.toString())
  }
})

t.test('lines that warn and fail are coloured, others are not', async t => {
  t.equal(paintedStatus('info', 'ℹ️  a\n'), 'ℹ️  a\n')
  t.equal(paintedStatus('warning', '⚠  a\n    b'), '\x1b[33m⚠  a\x1b[39m\n\x1b[33m    b\x1b[39m')
  t.equal(paintedStatus('failure', '❌  a'), '\x1b[31m❌  a\x1b[39m')
  t.same(
    (['bad', 'busy', 'good', 'plain'] as const).map(tone => toned(tone, 'x')),
    ['\x1b[31mx\x1b[39m', '\x1b[33mx\x1b[39m', '\x1b[32mx\x1b[39m', 'x'],
    'colours that the theme of a terminal chooses'
  )
})

const plan = (...ids: readonly string[]): Plan => ({apps: ids.map(id => ({id, instance: 1}))}) as unknown as Plan

t.test('short prefixes are aligned, and a long name is cut', async t => {
  const short = prefixesFor(plan('api', 'worker'), {style: 'short', isPainted: false})
  t.equal(short('api', 0), 'api    │ ')
  t.equal(short('worker', 1), 'worker │ ')
  const long = prefixesFor(plan('api', 'a-name-of-more-than-twenty'), {style: 'short', isPainted: false})
  t.equal(long('api', 0), `${'api'.padEnd(20)} │ `)
  t.equal(long('a-name-of-more-than-twenty', 1), 'a-name-of-more-than… │ ')
  const painting = prefixesFor(plan('api'), {style: 'short', isPainted: true})
  t.equal(painting('api', 0), `${painted('api │', 0)} `)
  const dapr = prefixesFor(plan('api'), {style: 'dapr', isPainted: false})
  t.equal(dapr('api', 0), undefined, 'what stands in the files')
  t.equal(logStyleOf(undefined), 'dapr')
  t.throws(() => logStyleOf('long'), {message: /invalid argument "long" for "--log-style" flag/})
})

t.test('a view hides apps and shows times as it is told', async t => {
  const view = new LineView({hasTimes: false, isPainted: false})
  t.equal(view.stamp(), '')
  t.ok(view.shows('api'))
  view.only = new Set(['api'])
  t.ok(view.shows('api'))
  t.notOk(view.shows('worker'))
  for (const name of ['api.2', 'api_1.2.0', 'api_1.2.0.2', 'api_1.2.0-rc.1']) t.ok(view.shows(name), name)
  for (const name of ['api.admin', 'api.2.3', 'api-2', 'api_2', 'api_admin_1.2.0'])
    t.notOk(view.shows(name), `${name}, another app`)
  view.hasTimes = true
  t.match(view.stamp(), /^\d\d:\d\d:\d\d\.\d{3} $/)
  t.equal(clockText(new Date(2026, 0, 2, 3, 4, 5, 67)), '03:04:05.067')
})
