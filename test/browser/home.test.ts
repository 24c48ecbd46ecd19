import t from 'tap'
import {open, toView, violations, withBrowser} from './browser.ts'
import {app, edge, fault, FIRST_VIEW, madeUp} from './made-up.ts'
import {crash, CRASHED, death, trouble} from './made-up-crash.ts'
import {instance} from './made-up-workflows.ts'

const NO_CALLS = {seconds: 60, calls: 0, failed: 0, p95Ms: 0}
const START = Date.parse('2026-01-31T14:46:28.000Z')

/** Returns a time: seconds after the start. */
const at = (second: number): string => new Date(START + second * 1000).toISOString()

t.test('the first view: what is wrong, where to click, what has just happened', async t =>
  withBrowser(t, async browser => {
    await t.test('where to click: the app; at its page the one of its API, and its sidecar; what it uses', async t => {
      const run = await madeUp(t)
      run.apps = [app('checkout'), app('mail', {appProtocol: 'grpc', appPort: 6007, pid: 4712}), CRASHED]
      let asked = 0
      run.answers['GET /usage'] = () => ({
        at: new Date(START + 1000 * ++asked).toISOString(),
        groups: [{pid: 4711, memoryBytes: 50 * 1024 * 1024, cpuMs: 125 * asked}]
      })
      run.answers['GET /traffic'] = {
        seconds: 5,
        until: new Date(START).toISOString(),
        apps: [{app: 'checkout', calls: [3, 4], failed: [0, 1]}]
      }
      run.answers['GET /apps/checkout/docs'] = {path: '/docs'}
      const {page, troubles} = await open(browser, run.url, 'light', {width: 1500, height: 700})
      const rows = page.getByRole('grid', {name: 'Apps'}).getByRole('row')
      const checkout = rows.filter({hasText: 'checkout'})
      const hrefOf = async (name: string): Promise<string | null> =>
        checkout.getByRole('link', {name, exact: true}).getAttribute('href')
      t.equal(await hrefOf(':6001'), 'http://localhost:6001/')
      await rows.filter({hasText: 'mail'}).getByText('grpc :6007').waitFor()
      t.equal(await rows.filter({hasText: 'payments'}).getByRole('link', {name: ':6001'}).count(), 0, 'nobody answers')
      await checkout.getByText('50 MB').waitFor()
      await checkout.getByText('13 %').waitFor()
      await checkout.getByRole('img', {name: '7 calls, 1 failed, in the last 5 minutes'}).waitFor()
      t.notOk(
        run.asked.some(path => path.endsWith('/docs')),
        'an app writes a line for each request: none is asked before somebody looks at it'
      )
      await checkout.getByRole('link', {name: 'checkout'}).click()
      for (const url of ['http://localhost:6001/docs', 'http://localhost:41001/v1.0/metadata'])
        t.equal(await page.getByRole('link', {name: url, exact: true}).getAttribute('href'), url)
      t.same(
        troubles.filter(text => !text.includes('404')),
        []
      )
    })

    await t.test('a run of plain apps shows what it has; tabs and columns come with their content', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      run.answers['GET /run'] = {hasWork: false}
      run.answers['GET /usage'] = {at: new Date(START).toISOString(), groups: []}
      const {page} = await open(browser, run.url, 'light', {width: 1440, height: 800})
      const tabs = page.getByRole('navigation').getByRole('link')
      const grid = page.getByRole('grid', {name: 'Apps'})
      const heads = grid.getByRole('columnheader').filter({visible: true})
      await grid.getByRole('row').nth(3).waitFor()
      t.same(await tabs.allTextContents(), ['Apps', 'Calls', 'Graph', 'Logs'])
      t.same(await heads.allTextContents(), ['App', 'State', 'Open', 'Last error, or line', 'Actions'])
      t.equal(await page.locator('.chip').count(), 0, 'all apps have one state: there is nothing to choose')
      t.same(await violations(page), [])

      run.send('edges', {edges: [edge('checkout', 'payments', 100)], waiting: {}})
      await heads.filter({hasText: 'p95'}).waitFor()
      run.send('edges', {edges: [edge('checkout', 'payments', 200, {recent: NO_CALLS})], waiting: {}})
      await grid.getByText('1.0/s').waitFor({state: 'detached'})
      t.equal(await heads.filter({hasText: 'p95'}).count(), 1, 'a column that is shown stays')
      run.send('fault', {change: 'on', fault: fault(1), text: ''}, 1001)
      await tabs.filter({hasText: 'Faults'}).waitFor()
      t.notOk(
        run.asked.some(what => what.startsWith('GET /workflows')),
        'a run without work is not asked for it'
      )
      run.answers['GET /run'] = {hasWork: true}
      run.answers['GET /workflows'] = {workflows: [instance('o-1')], next: null}
      run.restart()
      run.cut()
      await tabs.filter({hasText: 'Workflows'}).waitFor()
      await page.getByRole('button', {name: 'More'}).click()
      await tabs.filter({hasText: 'Template'}).click()
      await page.getByRole('button', {name: 'Less'}).click()
      t.match(await tabs.allTextContents(), ['Apps', 'Calls', 'Graph', 'Logs', 'Workflows', 'Template'])
    })

    await t.test('actions are in the row: restart, stop, start, debug, logs; with keys, too', async t => {
      const run = await madeUp(t)
      crash(run)
      for (const action of ['checkout/restart', 'order-processor/stop', 'payments/start'])
        run.answers[`POST /apps/${action}`] = {apps: []}
      const {page} = await open(browser, run.url)
      const asks = async (action: string, ask: () => Promise<void>): Promise<void> => {
        const [answer] = await Promise.all([page.waitForResponse(new RegExp(`${action}$`)), ask()])
        t.equal(answer.status(), 200, action)
      }
      await asks('payments/start', async () => page.getByRole('button', {name: 'Start payments'}).click())
      await asks('checkout/restart', async () => page.getByRole('button', {name: 'Restart checkout'}).click())
      await page.keyboard.press('j')
      await page.keyboard.press('End')
      await asks('order-processor/stop', async () => page.keyboard.press('s'))
      await page.keyboard.press('d')
      const dialog = page.getByRole('dialog', {name: 'Debug order-processor'})
      await dialog.getByText('pillion debug order-processor --format vscode').waitFor()
      t.same(await violations(page), [])
      await page.keyboard.press('Escape')
      await dialog.waitFor({state: 'hidden'})
      await page.getByRole('grid', {name: 'Apps'}).focus()
      await page.keyboard.press('l')
      await page.getByRole('log').waitFor()
      t.match(page.url(), /#\/logs\?app=order-processor$/)
      await page.goto(run.readOnlyUrl)
      await page.getByRole('button', {name: 'Logs payments'}).waitFor()
      t.equal(await page.getByRole('button', {name: /^(Start|Stop|Restart|Debug) /}).count(), 0)
    })

    await t.test('an action on one of several instances is for it alone; versions act together, say so', async t => {
      const run = await madeUp(t)
      run.apps = [
        app('b'),
        app('b', {instance: 2}),
        app('hello', {version: '1.0.0'}),
        app('hello', {version: '2.0.0', isMain: false})
      ]
      for (const name of ['b.1/restart', 'b.1/stop', 'b.2/stop', 'b.2/start', 'hello/restart'])
        run.answers[`POST /apps/${name}`] = {apps: []}
      const {page} = await open(browser, run.url)
      const asks = async (action: string, ask: () => Promise<void>): Promise<void> => {
        const [answer] = await Promise.all([
          page.waitForResponse(response => response.request().method() === 'POST'),
          ask()
        ])
        t.match(new URL(answer.url()).pathname, `/apps/${action}`)
      }
      const rows = page.getByRole('grid', {name: 'Apps'}).getByRole('row')
      await asks('b.1/restart', async () => page.getByRole('button', {name: 'Restart b.1'}).click())
      await asks('b.2/stop', async () => page.getByRole('button', {name: 'Stop b.2'}).click())
      await asks('hello/restart', async () =>
        rows.filter({hasText: 'hello'}).last().getByRole('button', {name: 'Restart all versions of hello'}).click()
      )
      run.send('troubles', {troubles: [trouble({kind: 'loop', app: 'b', name: 'b'})]})
      await asks('b.1/stop', async () => page.getByRole('button', {name: 'Stop trying'}).click())
      run.send('app', app('b', {instance: 2, state: 'stopped', availability: 'stopped'}), 1001)
      await page.goto(`${run.url.split('#')[0] ?? ''}#/apps/b.2`)
      await asks('b.2/start', async () => page.getByRole('button', {name: 'Start'}).click())
    })

    await t.test('what needs a person is on top; other views tell of crashes alone', async t => {
      const run = await madeUp(t)
      crash(run)
      const loop = {
        key: 'loop mail',
        kind: 'loop',
        app: 'mail',
        name: 'mail',
        text: '"mail" keeps exiting: 27 times in 10 min, each within 2 s',
        error: 'Error: connect ECONNREFUSED <b>',
        request: null,
        failed: [],
        failedCalls: 0,
        action: {kind: 'exit', text: 'Show why', command: 'pillion why mail'}
      } as const
      const calls = {
        ...loop,
        key: 'calls stock',
        kind: 'calls',
        app: 'stock',
        name: 'stock',
        isBad: false,
        text: '7 of 60 calls to "stock" failed in the last minute',
        error: '',
        action: {kind: 'calls', text: 'Show failed calls', command: 'pillion calls to:stock is:failed'}
      } as const
      run.troubles = [...run.troubles, trouble(loop), trouble(calls)]
      run.answers['POST /apps/mail/stop'] = {apps: []}
      const {page} = await open(browser, run.url, 'light', {width: 1100, height: 1000})
      const region = page.getByRole('region', {name: 'Trouble'})
      for (const text of [
        'payments exited with code 1 after 41 s while handling POST /charge from checkout (18 ms)',
        'TypeError: Cannot read the card charge.js:41',
        '2 calls failed because of it: checkout → payments 2',
        'mail keeps exiting: 27 times in 10 min, each within 2 s',
        'Error: connect ECONNREFUSED <b>',
        '7 of 60 calls to stock failed in the last minute'
      ])
        await region.getByText(text).waitFor()
      t.same(await violations(page), [])
      const [stopped] = await Promise.all([
        page.waitForResponse(/mail\/stop$/),
        region.getByRole('button', {name: 'Stop trying'}).click()
      ])
      t.equal(stopped.status(), 200)
      t.equal(
        await region.getByRole('link', {name: 'Show the request'}).getAttribute('href'),
        '#/calls/48190',
        'the first thing to do'
      )
      const place = async (): Promise<number> => (await page.getByRole('grid', {name: 'Apps'}).boundingBox())?.y ?? 0
      const before = await place()
      run.send('troubles', {troubles: [trouble(), trouble({...loop, isOver: true}), trouble(calls)]})
      await region.getByText('over:').waitFor()
      t.equal(await place(), before, 'what is over keeps its place: nothing moves under a pointer')
      await region.getByRole('link', {name: 'Show failed calls'}).click()
      await page.getByRole('heading', {name: 'Calls', exact: true}).waitFor()
      t.match(decodeURIComponent(page.url()), /q=to:stock\+is:failed$/)
      await region.getByText('payments exited').waitFor()
      t.equal(await region.getByRole('paragraph').count(), 1)
    })

    await t.test('what happens while the page is read comes twice, and is shown once', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      const [greeted, later] = [2000, 1000].map(ms => new Date(Date.now() - ms).toISOString())
      run.helloAt = greeted ?? ''
      const late = {at: later, type: 'note', data: {code: 'x', text: 'it was late'}}
      run.past = [
        {id: 1002, ...late},
        {id: 7, ...late, at: '2026-01-31T14:42:00.000Z', data: {code: 'x', text: 'it was early'}}
      ]
      const {page} = await open(browser, run.url)
      await run.followed('note')
      run.send('note', late.data, 1002, later)
      const happened = page.getByRole('region', {name: 'What happened'})
      for (const text of ['it was early', 'it was late']) await happened.getByRole('row', {name: text}).waitFor()
      t.equal(await happened.getByText('2 ×').count(), 0)
    })

    await t.test('an app without a process is ready, after no time', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      const {page} = await open(browser, run.url)
      const happened = page.getByRole('region', {name: 'What happened'})
      await happened.getByRole('row').first().waitFor()
      run.send('app', app('side', {pid: 0, startedAt: null}), 1001)
      await happened.getByRole('row', {name: /side is ready$/}).waitFor()
      t.equal(await happened.getByText('NaN').count(), 0)
    })

    await t.test('the line of the last minutes moves on, from the first time that the page is shown', async t => {
      const run = await madeUp(t)
      const apps = [{app: 'payments', calls: [0, 3], failed: [0, 0]}]
      Object.assign(run.answers, FIRST_VIEW, {'GET /traffic': {seconds: 5, until: death().at, apps}})
      const page = await browser.newPage()
      await page.clock.install()
      await page.goto(run.url)
      await run.followed('calls')
      for (const [calls, label] of [
        [100, '3 calls, 0 failed, in the last 5 minutes'],
        [200, '103 calls, 0 failed, in the last 5 minutes']
      ] as const) {
        run.send('edges', {edges: [edge('checkout', 'payments', calls)], waiting: {}})
        await page.getByText(`${calls / 100}.0/s`).waitFor()
        await page.clock.runFor(6000)
        await page.getByRole('img', {name: label}).waitFor()
      }
    })

    await t.test('one who comes back to it asks once for the line of the last minutes', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      const page = await browser.newPage()
      await page.clock.install()
      await page.goto(run.url)
      await run.followed('calls')
      await toView(page, 'Faults')
      await page.getByRole('main', {name: 'Faults'}).waitFor()
      await page.clock.runFor(30_000)
      run.asked.length = 0
      const figures = page.waitForResponse(/\/traffic$/)
      await page.getByRole('link', {name: 'Apps', exact: true}).click()
      await figures
      await page.clock.runFor(3000)
      t.equal(run.asked.filter(asked => asked === 'GET /traffic').length, 1)
    })

    await t.test('a clock that is set back by an hour stops nothing', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      const page = await browser.newPage()
      await page.addInitScript('globalThis.later = 0; const now = Date.now; Date.now = () => now() + later')
      const figures = page.waitForResponse(/\/traffic$/)
      await page.goto(run.url)
      await figures
      await run.followed('calls')
      const spoken = page.getByRole('status')
      run.send('troubles', {troubles: [trouble({text: '"payments" exited'})]})
      await spoken.getByText('"payments" exited').waitFor({state: 'attached'})
      const again = ['/usage', '/traffic'].map(async path =>
        page.waitForRequest(request => request.url().endsWith(path))
      )
      await page.evaluate('later = -3600e3')
      run.send('troubles', {troubles: [trouble({key: 'other', text: '"mail" exited'})]})
      await Promise.all([...again, spoken.getByText('"mail" exited').waitFor({state: 'attached'})])
      t.pass('news are spoken, memory and calls are asked for')
    })

    await t.test('one event is one row: a start, a loop, a job that ends, a restart', async t => {
      const run = await madeUp(t)
      const isDown = {isReady: false, pid: 0, startedAt: null}
      const past: readonly (readonly [number, string, object])[] = [
        [1, 'app', app('sync', {pid: 1, startedAt: at(0)})],
        [2, 'death', death({number: 1, name: 'sync', at: at(2), reason: 'Error: no db'})],
        [2, 'app', app('sync', {...isDown, state: 'backoff'})],
        [4, 'app', app('sync', {pid: 2, startedAt: at(3)})],
        [5, 'death', death({number: 2, name: 'sync', at: at(5), reason: 'Error: no db'})],
        [6, 'app', app('job', {pid: 3, startedAt: at(6)})],
        [8, 'app', app('job', {...isDown, pid: 3})],
        [8, 'app', app('job', {...isDown, state: 'exited', exitCode: 0, availability: 'finished'})],
        [11, 'app', app('cart', {pid: 4, startedAt: at(10)})],
        [11, 'reload', {app: 'cart', files: [], tookMs: 900, held: 2}]
      ]
      run.past = past.map(([second, type, data], index) => ({id: index + 1, at: at(second), type, data}))
      run.apps = [app('cart', {pid: 4, startedAt: at(10)})]
      const {page} = await open(browser, run.url)
      const happened = page.getByRole('region', {name: 'What happened'})
      await happened.getByRole('row', {name: 'sync is ready after 1.0 s'}).waitFor()
      t.same(await happened.locator('td.wide').allTextContents(), [
        'cart was reloaded in 900 ms; 2 calls waited',
        'job has ended',
        'job is ready',
        'sync 2 × exited with code 1: Error: no db',
        'sync is ready after 1.0 s'
      ])
    })

    await t.test('what has happened: starts, reloads, crashes, faults; also before the page was opened', async t => {
      const run = await madeUp(t)
      const at = '2026-01-31T14:41:00.000Z'
      run.past = [
        {id: 1, at, type: 'app', data: app('stock', {startedAt: '2026-01-31T14:40:58.000Z'})},
        ...[3, 4, 5].map(number => ({
          id: number,
          at,
          type: 'death',
          data: death({number, name: 'mail', at, reason: 'Error: no mail'})
        })),
        {id: 6, at: '2026-01-31T14:42:00.000Z', type: 'note', data: {code: 'x', text: 'it was late'}}
      ]
      const {page} = await open(browser, run.url)
      const happened = page.getByRole('region', {name: 'What happened'})
      await happened.getByRole('row', {name: 'checkout was started'}).waitFor()
      await happened.getByRole('row', {name: 'stock is ready after 2.0 s'}).waitFor()
      await happened.getByRole('row', {name: 'mail 3 × exited with code 1: Error: no mail'}).waitFor()
      await happened.getByRole('row', {name: 'it was late'}).waitFor()
      run.send('reload', {app: 'payments', files: ['charge.js'], tookMs: 312, held: 4}, 1001)
      await happened.getByRole('row', {name: 'payments was reloaded in 312 ms: charge.js; 4 calls waited'}).waitFor()
      run.send('death', death(), 1002)
      await happened.getByRole('row', {name: /payments exited with code 1: TypeError/}).waitFor()
      run.send('app', app('checkout', {isReady: false}), 1003)
      await happened.getByRole('row', {name: 'checkout is no longer ready'}).waitFor()
      run.send('app', app('checkout'), 1004)
      await happened.getByRole('row', {name: 'checkout is ready again'}).waitFor()
      run.send('note', {code: 'app-crashed', text: '"payments" exited'}, 1005)
      run.send('note', {code: 'x', text: 'it is <b>late\n    and more'}, 1006)
      await happened.getByText('it is <b>late', {exact: true}).waitFor()
      t.equal(await happened.getByText('"payments" exited').count(), 0, 'its own event has said it')
      const late = '2026-01-31T14:43:00.000Z'
      run.send('note', {code: 'x', text: 'the page did not follow'}, 1006, late)
      const time = new Date(late).toTimeString().slice(0, 8)
      await happened.getByRole('row', {name: `${time} the page did not follow`}).waitFor()
      const long = 'recommendation-legacy-compatibility-adapter-for-partner-v2'
      run.send(
        'death',
        death({number: 9, name: long, reason: 'Error: no connection to the database of recommendations'}),
        1007
      )
      await happened.getByText('no connection to the database of recommendations').waitFor()
      t.equal(
        await page.evaluate<number>(
          "[...document.querySelectorAll('.happenings td.wide')].filter(each => each.scrollWidth > each.clientWidth).length"
        ),
        0,
        'a long name cuts no news'
      )
    })
  })
)
