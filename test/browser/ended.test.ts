import t from 'tap'
import {open, withBrowser} from './browser.ts'
import {app, call, FIRST_VIEW, madeUp} from './made-up.ts'

t.test('when a run ends, and another one begins', async t =>
  withBrowser(t, async browser => {
    await t.test('apps that end with the run have not crashed; views can be opened that were not before', async t => {
      const run = await madeUp(t)
      Object.assign(run.answers, FIRST_VIEW)
      const page = await browser.newPage()
      const late = page.waitForResponse(/\/template-.*\.js$/)
      await page.goto(run.url)
      await page.getByRole('link', {name: 'checkout', exact: true}).waitFor()
      await late
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
      run.cut()
      run.close()
      await page.getByText('The run has ended').first().waitFor()
      await page.getByText('1 down').waitFor()
      await page.getByText('1 stopped').waitFor()
      t.equal(await page.getByRole('button', {name: 'Start', exact: true}).count(), 0, 'nobody could start it')
      for (const name of ['Calls', 'Graph', 'Logs', 'Replay', 'Faults', 'Template']) {
        await page.getByRole('link', {name}).click()
        await page.getByRole('main', {name}).waitFor()
        t.equal(await page.getByText('could not be loaded').count(), 0, name)
      }
      await page.getByRole('link', {name: 'Calls'}).click()
      await page.getByText('The run does not answer.', {exact: true}).waitFor()
      t.equal(await page.getByText('There was no call yet').count(), 0)
    })

    await t.test('nothing of one app, or of one run, is shown of another', async t => {
      const run = await madeUp(t)
      Object.assign(run.answers, FIRST_VIEW)
      let id = 'a'.repeat(32)
      const rows = () => [call(1, {path: `/of-run-${id[0] ?? ''}`})]
      run.answers['GET /calls'] = (_body, query) =>
        query.get('q') === 'app:order-processor' ? {last: 1, calls: []} : {last: 1, calls: rows()}
      const {page} = await open(browser, run.url)
      await page.getByText('/of-run-a').waitFor()
      await page.goto(`${run.url.replace(/#.*/, '')}#/apps/payments`)
      await page.getByText('/of-run-a').waitFor()
      await page.goto(`${run.url.replace(/#.*/, '')}#/apps/order-processor`)
      await page.getByText('No call has been made yet').waitFor()
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

    await t.test('a run without an app', async t => {
      const run = await madeUp(t)
      Object.assign(run.answers, FIRST_VIEW)
      run.apps = []
      const {page} = await open(browser, run.url)
      await page.getByText('This run has no app.').waitFor()
      t.equal(await page.getByText('No app matches').count(), 0)
    })
  })
)
