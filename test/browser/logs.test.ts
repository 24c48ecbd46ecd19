import type * as Api from '../../src/model/api.generated.ts'
import t from 'tap'
import {open, violations, withBrowser} from './browser.ts'
import {app, madeUp, type MadeUp} from './made-up.ts'

const line = (text: string, more: Partial<Api.Line> = {}): Api.Line => ({
  time: '2026-01-31T14:46:45.500Z',
  app: 'payments',
  stream: 'stdout',
  line: text,
  ...more
})

const asJson = (lines: readonly Api.Line[]): string => lines.map(each => `${JSON.stringify(each)}\n`).join('')

async function runWith(
  test: Parameters<typeof madeUp>[0],
  lines: readonly Api.Line[]
): Promise<MadeUp & {readonly logs: string}> {
  const run = await madeUp(test)
  run.answers['GET /logs'] = (_body, query) => (query.has('from') ? '' : asJson(lines))
  return Object.assign(run, {logs: run.url})
}

/** What apps may say, and how it is shown. */
const EVIL: readonly (readonly [line: string, shown: string])[] = [
  ['<img src=x onerror="document.title=1">', '<img src=x onerror="document.title=1">'],
  ['<script>document.title=2</script>', '<script>document.title=2</script>'],
  ['\x1b]8;;javascript:document.title=3\x1b\\click\x1b]8;;\x1b\\', 'click'],
  ['\x1b]52;c;aGk=\x07clipboard', 'clipboard'],
  ['\x1b]0;title\x07renamed', 'renamed'],
  ['\x1b[31munterminated', 'unterminated'],
  ['turned \u202earound', 'turned [U+202E]around'],
  ['nul\0 and bell\x07', 'nul␀ and bell␇'],
  ['not UTF-8: \ufffd', 'not UTF-8: \ufffd']
]

t.test('the lines of apps', async t =>
  withBrowser(t, async browser => {
    await t.test('earlier lines, then those that come, in order and once each', async t => {
      const run = await runWith(t, [line('first'), line('second')])
      const {page, troubles} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Logs'}).click()
      const log = page.getByRole('log', {name: 'Lines'})
      await log.getByText('second').waitFor()
      await run.followed('lines')
      run.send('lines', {
        from: 0,
        to: 2,
        lines: [line('third', {coloured: '\x1b[32mthird\x1b[0m', time: '2026-01-31T14:46:46.000Z'})],
        notShown: 12_000
      })
      await log.getByText('12,000 lines not shown').waitFor()
      t.match(await log.innerText(), /first[^]*second[^]*third/)
      t.equal(await log.getByText('second').count(), 1)
      t.same(troubles, [])
    })

    await t.test('what was left out opens where it belongs; so do gaps of a slow connection', async t => {
      const run = await runWith(t, [line('first')])
      const asked: string[] = []
      const numbered = (first: number, count: number): string =>
        asJson(Array.from({length: count}, (_, n) => line(`left out ${first + n}.`)))
      run.answers['GET /logs'] = (_body, query) => {
        if (query.has('tail')) return asJson([line('first')])
        if (!query.has('to')) return ''
        asked.push(query.toString())
        if (query.get('from') === '12') return asJson([line('in the gap')])
        if (query.get('skip') === '1') return `${numbered(0, 1000)}{"left":200,"from":5,"skip":7}\n`
        return `{"note":"… older lines are no longer in memory"}\n${numbered(1000, 200)}`
      }
      const {page, troubles} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Logs'}).click()
      const log = page.getByRole('log', {name: 'Lines'})
      await log.getByText('first').waitFor()
      await run.followed('lines')
      run.send('lines', {from: 0, to: 12, lines: [line('shown')], notShown: 1200})
      run.send('lines', {from: 14, to: 15, lines: [line('after')], notShown: 0})
      await log.getByText('after').waitFor()
      t.same(asked, [], 'nothing is read before it is asked for')
      await log.getByRole('button', {name: 'Open 1,200 lines not shown'}).focus()
      await page.keyboard.press('Enter')
      const rest = log.getByRole('button', {name: 'Open 200 lines not shown'})
      await rest.waitFor()
      await log.locator('button:focus', {hasText: 'open'}).waitFor() // the keyboard goes on there
      await page.locator('button[aria-pressed=false]', {hasText: 'Follow'}).waitFor()
      await rest.click()
      await log.getByText('left out 1199.').waitFor()
      await log.getByRole('button', {name: 'Open lines not shown'}).click()
      await log.getByText('in the gap').waitFor()
      t.same(asked, [
        'from=0&to=12&skip=1&limit=1000',
        'from=5&to=12&skip=7&limit=1000',
        'from=12&to=14&skip=0&limit=1000'
      ])
      const texts = (await log.locator('p').allTextContents()).map(text => text.replace(/^\S+ payments /, ''))
      const between = Array.from({length: 1200}, (_, n) => `left out ${n}.`)
      between.splice(1000, 0, '… older lines are no longer in memory')
      t.same(texts, ['first', 'shown', ...between, 'in the gap', 'after'])
      t.same(troubles, [])
    })

    await t.test('after a pause, and with another run, what was missed is read', async t => {
      const run = await runWith(t, [line('first')])
      run.answers['GET /logs'] = (_body, query) =>
        asJson([line(query.get('from') === null ? 'first' : `from ${query.get('from') ?? ''}`)])
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Logs'}).click()
      const log = page.getByRole('log', {name: 'Lines'})
      await log.getByText('first').waitFor()
      await run.followed('lines')
      run.send('lines', {from: 0, to: 7, lines: [line('shown')], notShown: 0})
      await log.getByText('shown').waitFor()
      await page.getByRole('button', {name: /Pause/}).click()
      await page.getByRole('button', {name: /Pause|Resume/}).click()
      await log.getByText('from 7').waitFor()
    })

    await t.test('what was left out of a run that has ended is not read of the next one', async t => {
      const run = await runWith(t, [line('first')])
      const asked: string[] = []
      run.answers['GET /logs'] = (_body, query) => {
        if (query.has('limit') && query.has('to')) asked.push(query.toString())
        return asJson([line(query.has('from') ? 'of the next run' : 'first')])
      }
      const {page, troubles} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Logs'}).click()
      const log = page.getByRole('log', {name: 'Lines'})
      await log.getByText('first').waitFor()
      await run.followed('lines')
      run.send('lines', {from: 0, to: 12, lines: [line('shown')], notShown: 3})
      const left = log.getByRole('button', {name: 'Open 3 lines not shown'})
      await left.waitFor()
      run.restart()
      run.cut()
      await log.getByText('Another run begins').waitFor()
      await left.click()
      await log.getByText('of a run that has ended').waitFor()
      t.same(asked, [])
      t.equal(await left.count(), 0)
      // what it asks when it connects again, the next run refuses
      const others = troubles.filter(text => !text.includes('412'))
      t.same(others, [])
    })

    await t.test('what apps say is text', async t => {
      const run = await runWith(t, [...EVIL.map(([text]) => line(text)), line(`begin${'x'.repeat(1024 * 1024)}`)])
      const {page, troubles} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Logs'}).click()
      const log = page.getByRole('log')
      await log.getByText('1,048,581 characters').waitFor()
      for (const [, shown] of EVIL) t.equal(await log.getByText(shown, {exact: true}).count(), 1, shown)
      t.equal(await log.locator('img, script, a').count(), 0)
      t.equal(await page.title(), 'Logs · shop · Pillion')
      t.ok((await log.innerText()).length < 10_000, 'the rest of the long line is left out')
      t.same(troubles, [])
    })

    await t.test('of one app: its versions and instances; or one instance alone', async t => {
      const names = ['shop', 'shop.2', 'bank_1.2.0', 'bank_2.0.0.2', 'web.1']
      const run = await runWith(
        t,
        names.map(name => line(`by ${name}.`, {app: name}))
      )
      run.apps = [app('shop'), app('shop', {instance: 2}), app('bank', {version: '1.2.0'}), app('web.1'), app('web')]
      const {page} = await open(browser, run.url)
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      const log = page.getByRole('log')
      for (const [asked, shown] of [
        ['', names],
        ['shop', ['shop', 'shop.2']],
        ['shop.2', ['shop.2']],
        ['shop.1', ['shop']],
        ['bank', ['bank_1.2.0', 'bank_2.0.0.2']],
        ['web.1', ['web.1']],
        ['web', []]
      ] as const) {
        await page.goto(`${page.url().replace(/#.*/, '')}#/logs${asked === '' ? '' : `?app=${asked}`}`)
        for (const name of names)
          await log
            .getByText(`by ${name}.`, {exact: true})
            .waitFor({state: shown.some(each => each === name) ? 'visible' : 'hidden'})
      }
      await page.goto(`${page.url().replace(/#.*/, '')}#/logs?app=shop.2`)
      await page.getByRole('checkbox', {name: 'shop.2', checked: true}).waitFor()
      await page.getByRole('checkbox', {name: 'web', exact: true}).check()
      t.match(page.url(), /\?app=web%2Cshop\.2$/)
    })

    await t.test('search by text and expression, one app, stderr only; a broken expression is said', async t => {
      const run = await runWith(t, [
        line('order 1 [ok]'),
        line('order 2 failed', {stream: 'stderr'}),
        line('invoice 3', {app: 'checkout'})
      ])
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Logs'}).click()
      const log = page.getByRole('log')
      const shown = async (...texts: readonly string[]): Promise<void> => {
        for (const text of ['order 1', 'order 2', 'invoice 3'])
          await log.getByText(text).waitFor({state: texts.includes(text) ? 'visible' : 'hidden'})
      }
      await log.getByText('invoice 3').waitFor()
      await page.keyboard.press('/')
      await page.keyboard.type('[OK]')
      await shown('order 1')
      await page.getByLabel('What the search does').selectOption('highlight')
      await shown('order 1', 'order 2', 'invoice 3')
      await page.getByLabel('What the search does').selectOption('filter')
      await shown('order 1')
      await page.getByRole('searchbox').fill('/order \\d (f|$)/')
      await shown('order 2')
      await page.getByRole('searchbox').fill('/order (/')
      await page.getByText(/Unterminated group|Invalid regular expression/).waitFor()
      await page.getByRole('searchbox').fill('')
      await page.getByRole('button', {name: 'Only checkout'}).click()
      await shown('invoice 3')
      t.match(page.url(), /app=checkout/)
      await page.getByRole('checkbox', {name: 'payments'}).check()
      await page.getByRole('button', {name: 'stderr only'}).click()
      await shown('order 2')
      await page.getByRole('button', {name: 'All', exact: true}).click()
      await page.reload()
      await shown('order 2')
    })

    await t.test('a search finds lines of the whole run, the latest first, earlier ones when asked', async t => {
      const run = await runWith(t, [line('the latest')])
      const asked: string[] = []
      run.answers['GET /logs'] = (_body, query) => {
        if (!query.has('grep')) return query.has('from') ? '' : asJson([line('the latest')])
        asked.push(query.toString())
        if (query.get('grep') !== 'order 17') return ''
        if (query.has('skip')) return asJson([line('order 17 came')])
        return `${asJson([line('order 17 handled')])}{"left":1,"from":9,"skip":500}\n`
      }
      const {page, troubles} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Logs'}).click()
      const log = page.getByRole('log')
      await log.getByText('the latest').waitFor()
      await page.getByRole('searchbox').fill('order 17')
      await log.getByText('order 17 handled').waitFor()
      await run.followed('lines')
      run.send('lines', {from: 0, to: 2, lines: [line('order 17 again'), line('order 18')], notShown: 0})
      await log.getByText('order 17 again').waitFor()
      await log.getByRole('button', {name: 'Open 1 earlier line that matches'}).click()
      await log.getByText('order 17 came').waitFor()
      t.match(await log.textContent(), /came[^]*handled[^]*again/)
      t.match(asked, [
        /^grep=order\+17&level=&stream=&limit=500&version=\*$/,
        /^grep=order\+17&level=&stream=&limit=500&version=\*&before=\d+&skip=500$/
      ])
      await page.getByRole('searchbox').fill('order 99')
      await page.getByText('No line matches.').waitFor()
      await page.getByRole('button', {name: 'Clear the search'}).click()
      await log.getByText('the latest').waitFor()
      t.same(troubles, [])
    })

    await t.test('the level of a line has its colour and its filter; stderr is a grey mark', async t => {
      const run = await runWith(t, [
        line('INFO:     ready', {stream: 'stderr', level: 'info'}),
        line('ERROR:    no order', {stream: 'stderr', level: 'error'}),
        line('  File "shop.py", line 7', {stream: 'stderr'}),
        line('plain')
      ])
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Logs'}).click()
      const log = page.getByRole('log')
      await log.getByText('plain').waitFor()
      const colours = await page.evaluate<string[]>(
        "[...document.querySelectorAll('.lines .text')].map(text => getComputedStyle(text).color)"
      )
      const [info, error, stack, plain] = colours
      t.equal(colours.length, 4)
      t.equal(info, plain, 'what is written to stderr is not an error')
      t.not(error, plain)
      t.equal(stack, error, 'what goes on a line has its level')
      await page.getByLabel('Level').selectOption('Warnings and errors')
      await log.getByText('plain').waitFor({state: 'hidden'})
      await log.getByText('shop.py').waitFor()
      t.equal(await log.getByText('ready').isVisible(), false)
      t.match(page.url(), /level=warn$/)
    })

    await t.test('where no line is shown it says why, and shows all again', async t => {
      const run = await madeUp(t)
      const {page, troubles} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Logs'}).click()
      const hint = page.getByText('What the apps write to stdout and stderr comes here.')
      await hint.waitFor()
      t.same(await violations(page), [])
      await run.followed('lines')
      run.send('lines', {
        from: 0,
        to: 1,
        lines: [{time: null, app: 'checkout', stream: 'stdout', line: 'hello'}],
        notShown: 0
      })
      await page.getByRole('log').getByText('hello').waitFor()
      await hint.waitFor({state: 'hidden'})
      run.answers['GET /logs'] = (_body, query) => (query.has('tail') ? asJson([line('hello')]) : '')
      await page.getByLabel('Level').selectOption('Errors')
      await page.getByText('No line matches.').waitFor()
      await page.getByRole('button', {name: 'Show all'}).click()
      await page.getByRole('log').getByText('hello').waitFor()
      await page.getByText('No line matches.').waitFor({state: 'hidden'})
      t.same(troubles, [])
    })

    await t.test('clear is for the view alone; restart is for one app, and not for who looks only', async t => {
      const run = await runWith(t, [line('first')])
      run.answers['POST /apps/payments/restart'] = {apps: []}
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Logs'}).click()
      const shown = page.getByRole('log').getByText('first') // the first view shows the last line of an app, too
      await shown.waitFor()
      await page.keyboard.press('x')
      await shown.waitFor({state: 'detached'})
      await page.getByRole('button', {name: 'Only payments'}).click()
      const [answer] = await Promise.all([
        page.waitForResponse(/restart$/),
        page.getByRole('button', {name: 'Restart payments'}).click()
      ])
      t.equal(answer.status(), 200)
      t.ok(run.asked.includes('POST /apps/payments/restart'))
      await page.goto('about:blank')
      await page.goto(run.readOnlyUrl)
      await page.getByRole('link', {name: 'Logs'}).click()
      await page.getByRole('button', {name: 'Only payments'}).click()
      t.equal(await page.getByRole('button', {name: 'Restart'}).count(), 0)
    })

    await t.test('the oldest blocks go; scrolled up, the lines do not move, also while more come', async t => {
      const run = await runWith(t, [line('first')])
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Logs'}).click()
      const log = page.getByRole('log')
      await log.getByText('first').waitFor()
      await run.followed('lines')
      for (let i = 0; i < 20; i++)
        run.send('lines', {
          from: i,
          to: i + 1,
          lines: Array.from({length: 400}, (_, n) => line(`line ${i * 400 + n}.`)),
          notShown: 0
        })
      await log.getByText('line 7999.').waitFor()
      t.ok((await log.locator('p').count()) <= 5000)
      const follow = page.getByRole('button', {name: 'Follow'})
      t.equal(await follow.getAttribute('aria-pressed'), 'true')
      await log.hover()
      let next = 20
      const pours = setInterval(() => {
        run.send('lines', {from: next, to: next + 1, lines: [line(`more ${next++}`)], notShown: 0})
      }, 2)
      t.teardown(() => clearInterval(pours))
      await page.mouse.wheel(0, -2000)
      await page.locator('button[aria-pressed=false]', {hasText: 'Follow'}).waitFor()
      clearInterval(pours)
      await follow.click()
      await page.locator('button[aria-pressed=true]', {hasText: 'Follow'}).waitFor()
    })

    for (const theme of ['light', 'dark'] as const)
      await t.test(`breaks no rule of accessibility, ${theme}`, async t => {
        const colours = [30, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 47].map(n =>
          line(` colour ${n} `, {coloured: `\x1b[${n}m colour ${n} \x1b[0m`})
        )
        const run = await runWith(t, [...colours, line('warn', {stream: 'stderr'}), line('ready', {stream: 'status'})])
        const {page} = await open(browser, run.url, theme)
        await page.getByRole('link', {name: 'Logs'}).click()
        await page.getByText('colour 47').waitFor()
        t.same(await violations(page), [])
      })
  })
)
