import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {open, toView, withBrowser} from './browser.ts'
import {app, call, FIRST_VIEW, madeUp} from './made-up.ts'

t.test('when a run ends, and another one begins', async t =>
  withBrowser(t, async browser => {
    await t.test('apps that end with the run have not crashed; views can be opened that were not before', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      const page = await browser.newPage()
      const code: string[] = []
      page.on('request', request => request.url().endsWith('.js') && code.push(request.url()))
      const late = page.waitForResponse(/\/rest-.*\.js$/)
      await page.goto(run.url)
      await page.getByRole('link', {name: 'checkout', exact: true}).waitFor()
      await late
      // the last that is asked for need not be the last that comes
      await page.evaluate(`Promise.all(${JSON.stringify(code)}.map(url => import(url)))`)
      const ended = {state: 'exited' as const, isReady: false, pid: 0, exitCode: 143, exit: 'was ended by SIGTERM'}
      run.send('app', app('checkout', ended), 1001)
      run.send('app', app('payments', {...ended, exitCode: 1, exit: 'exited with code 1'}), 1002)
      const death = {number: 1, app: 'payments', name: 'payments', exit: 'exited with code 1', reason: '', livedMs: 1}
      run.send(
        'death',
        {...death, files: [], earlier: 0, at: new Date().toISOString(), inside: [], finished: [], lines: [], hint: ''},
        1003
      )
      await page.getByText('2 down').waitFor()
      run.send('bye', {}, 1004)
      await page.getByText('The run has ended').first().waitFor()
      run.cut()
      run.close()
      await page.getByText('1 down').waitFor()
      await page.getByText('1 stopped').waitFor()
      t.equal(await page.getByRole('button', {name: 'Start', exact: true}).count(), 0, 'nobody could start it')
      for (const name of ['Calls', 'Graph', 'Logs', 'Replay', 'Faults', 'Template']) {
        await toView(page, name)
        await page.getByRole('main', {name}).waitFor()
        t.equal(await page.getByText('could not be loaded').count(), 0, name)
      }
      await page.getByRole('link', {name: 'Calls'}).click()
      await page.getByText('The run does not answer.', {exact: true}).waitFor()
      t.equal(await page.getByText('There was no call yet').count(), 0)
    })

    await t.test('a view whose code was not loaded at the end of a run is shown once another run answers', async t => {
      const key = Buffer.alloc(32, 2)
      const port = await freePort()
      const run = await madeUp(t, {port, key})
      Object.assign(run.answers, FIRST_VIEW)
      const page = await browser.newPage()
      await page.route(/\/rest-.*\.js$/, async route => route.abort())
      const failed = page.waitForEvent('requestfailed', {predicate: asked => /\/rest-/.test(asked.url())})
      await page.goto(run.url)
      await failed
      run.cut()
      run.close()
      await page.getByText('The run does not answer').first().waitFor()
      await page.getByRole('link', {name: 'Logs'}).click()
      await page.getByText('could not be loaded. It comes once the run answers').waitFor()
      await page.unroute(/\/rest-.*\.js$/)
      const next = await madeUp(t, {port, key, run: 'b'.repeat(32)})
      Object.assign(next.answers, FIRST_VIEW)
      await page.getByRole('main', {name: 'Logs'}).getByRole('log').waitFor()
      await page.getByRole('link', {name: 'Apps', exact: true}).click()
      await page.getByRole('link', {name: 'payments'}).click()
      await page.getByText('node app.js').first().waitFor()
      t.equal(await page.getByText('could not be loaded').count(), 0)
    })

    await t.test('nothing of one app, or of one run, is shown of another', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      let id = 'a'.repeat(32)
      const rows = () => [call(1, {path: `/of-run-${id[0] ?? ''}`})]
      run.answers['GET /calls'] = (_body, query) =>
        query.get('q') === 'app:order-processor' ? {last: 1, calls: []} : {last: 1, calls: rows()}
      const {page} = await open(browser, run.url)
      await page.getByText('/of-run-a').waitFor()
      await page.goto(`${run.url.replace(/#.*/, '')}#/apps/payments`)
      await page.getByText('/of-run-a').waitFor()
      await page.goto(`${run.url.replace(/#.*/, '')}#/apps/order-processor`)
      await page.getByText('No call from or to it').waitFor()
      t.equal(await page.getByText('/of-run-a').count(), 0)
      await page.goto(`${run.url.replace(/#.*/, '')}#/apps`)
      await page.getByText('/of-run-a').waitFor()
      id = 'b'.repeat(32)
      const port = Number(new URL(run.url).port)
      run.cut()
      run.close()
      const key = Buffer.alloc(32, 1)
      const next = await madeUp(t, {run: id, port, key})
      Object.assign(next.answers, run.answers)
      await page.goto('about:blank')
      await page.goto(next.url)
      await page.getByText('/of-run-b').waitFor()
      t.equal(await page.getByText('/of-run-a').count(), 0)
    })

    await t.test('the last line of an app, and the graph, are those of the run that is shown', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      const graph = {apps: ['payments', 'of-the-first'], edges: [], uncalled: [], awaited: []}
      run.answers['GET /logs'] =
        `${JSON.stringify({time: '2026-01-31T14:46:45.500Z', app: 'payments', stream: 'stdout', line: 'of the first run'})}\n`
      run.answers['GET /graph'] = graph
      const {page} = await open(browser, run.url)
      await page.getByText('of the first run').waitFor()
      await page.getByRole('link', {name: 'Graph'}).click()
      const focus = page.getByRole('combobox', {name: 'Focus on an app'})
      await focus.locator('option', {hasText: 'of-the-first'}).waitFor({state: 'attached'})
      run.answers['GET /logs'] = ''
      run.answers['GET /graph'] = {...graph, apps: ['payments', 'of-the-next']}
      run.restart()
      run.cut()
      await focus.locator('option', {hasText: 'of-the-next'}).waitFor({state: 'attached'})
      t.equal(await focus.locator('option', {hasText: 'of-the-first'}).count(), 0)
      await page.getByRole('link', {name: 'Apps', exact: true}).click()
      await page.getByRole('link', {name: 'payments'}).waitFor()
      t.equal(await page.getByText('of the first run').count(), 0)
    })

    await t.test('what is read is of the run that is shown, too: another one does not answer for it', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      const {page} = await open(browser, run.url)
      const asked = page.waitForRequest(/\/api\/v1\/graph/)
      await page.getByRole('link', {name: 'Graph'}).click()
      t.equal((await asked).headers()['pillion-run'], 'a'.repeat(32))
      const follows = page.waitForRequest(/\/api\/v1\/events/)
      run.restart()
      run.cut()
      t.equal((await follows).headers()['pillion-run'], undefined, 'events tell which run it is')
    })

    await t.test('the list of calls, and what was called before, are those of the next run alone', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      run.answers['GET /calls'] = {last: 7, calls: [call(7, {path: '/of-the-first'})]}
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Calls', exact: true}).click()
      await page.getByText('/of-the-first').waitFor()
      run.answers['GET /calls'] = {last: 1, calls: [call(1, {path: '/of-the-next'})]}
      run.restart()
      run.cut()
      await page.getByText('/of-the-next').waitFor()
      t.equal(await page.getByText('/of-the-first').count(), 0)
      const before = page.waitForResponse(/\/api\/v1\/traffic/)
      await page.getByRole('link', {name: 'Apps', exact: true}).click()
      await before
      const traffic = page.waitForResponse(/\/api\/v1\/traffic/)
      run.restart()
      run.cut()
      t.equal((await traffic).status(), 200)
    })

    await t.test('a run without an app', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      run.apps = []
      const {page} = await open(browser, run.url)
      await page.getByText('This run has no app.').waitFor()
      t.equal(await page.getByText('No app matches').count(), 0)
    })

    await t.test('a run without a sidecar names no call to make', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      run.apps = [app('payments', {httpPort: 0, grpcPort: 0})]
      run.answers['GET /graph'] = {apps: ['payments'], edges: [], uncalled: [], awaited: []}
      const {page} = await open(browser, run.url)
      for (const [name, sentence] of [
        ['Calls', 'There was no call yet. Use the app.'],
        ['Graph', 'No app has called another one yet. Use the app.']
      ] as const) {
        await page.getByRole('link', {name, exact: true}).click()
        await page.getByText(sentence, {exact: true}).waitFor()
        t.equal(await page.locator('.empty pre').count(), 0, `${name} shows no empty box`)
      }
    })
  })
)
