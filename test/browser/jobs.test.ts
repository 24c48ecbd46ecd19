import t from 'tap'
import {open, violations, withBrowser} from './browser.ts'
import {job} from './made-up-timed.ts'
import {at} from './made-up-workflows.ts'
import {FIRST_VIEW, madeUp} from './made-up.ts'

const REPORT = job('report')
const BROKEN = job('broken', {attempts: 2, answer: '500', state: 'due', app: 'payments'})

t.test('jobs', async t =>
  withBrowser(t, async browser => {
    await t.test('lists the jobs, shows one with its data, and runs, pauses and deletes it', async t => {
      const run = await madeUp(t)
      const told: string[] = []
      Object.assign(run.answers, FIRST_VIEW, {
        'GET /jobs': () => ({now: at(20), jobs: [REPORT, BROKEN], next: null}),
        'GET /job': () => ({...REPORT, now: at(20), data: '{"kind":"daily"}', failurePolicy: 'drop'})
      })
      for (const change of ['run', 'pause', 'delete'])
        run.answers[`POST /job/${change}`] = () => {
          told.push(change)
          return {job: REPORT, outcome: change === 'run' ? 'done' : null}
        }
      const {page, troubles} = await open(browser, run.url)
      await page.keyboard.press('g')
      await page.keyboard.press('j')
      const grid = page.getByRole('grid', {name: 'Jobs', exact: true})
      await grid.getByRole('row', {name: /broken payments @daily due, failed 2 × 3 .* 500/}).waitFor()
      await page.getByRole('searchbox', {name: 'Name of the job'}).fill('rep')
      await grid.getByRole('row', {name: /broken/}).waitFor({state: 'detached'})
      await grid.getByRole('link', {name: 'report'}).click()
      const panel = page.getByRole('region', {name: 'report'})
      await panel.getByText('{"kind":"daily"}').waitFor()
      t.strictSame(await violations(page), [])
      await panel.getByRole('button', {name: 'Run now'}).dblclick()
      await panel.getByRole('button', {name: 'Pause'}).click()
      await panel.getByRole('button', {name: 'Delete …'}).click()
      await page.getByRole('button', {name: 'Delete', exact: true}).click()
      await panel.waitFor({state: 'detached'})
      t.strictSame(told, ['run', 'pause', 'delete'])
      t.strictSame(troubles, [])
    })

    await t.test('a question of one run closes once the page shows the next one', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      Object.assign(run.answers, {
        'GET /jobs': () => ({now: at(20), jobs: [REPORT], next: null}),
        'GET /job': () => ({...REPORT, now: at(20), data: null, failurePolicy: 'drop'})
      })
      const {page} = await open(browser, run.url)
      await page.goto(`${page.url().replace(/#.*/, '')}#/jobs/checkout/report`)
      await page.getByRole('region', {name: 'report'}).getByRole('button', {name: 'Delete …'}).click()
      const question = page.getByRole('dialog', {name: 'Delete the job report?'})
      await question.waitFor()
      run.restart()
      run.cut()
      await question.waitFor({state: 'hidden'})
    })

    await t.test('after time was skipped it says when a job comes by the clock on the wall', async t => {
      const run = await madeUp(t)
      const DAY_MS = 86_400_000
      const soon = Date.now() + 30_000
      const skipped = (ms: number): string => new Date(ms + 3 * DAY_MS).toISOString()
      const next = job('soon', {next: skipped(soon), last: skipped(soon - DAY_MS), expires: skipped(soon + DAY_MS)})
      Object.assign(run.answers, FIRST_VIEW, {
        'GET /jobs': () => ({now: skipped(Date.now()), jobs: [next], next: null}),
        'GET /job': () => ({...next, now: skipped(Date.now()), data: null, failurePolicy: 'drop'})
      })
      const {page} = await open(browser, run.url)
      await page.goto(`${page.url().replace(/#.*/, '')}#/jobs/checkout/soon`)
      const day = new Date(soon).toISOString().slice(0, 10)
      const panel = page.getByRole('region', {name: 'soon'})
      await panel.getByText(day).waitFor()
      // all times of it are by one clock: the last is before the next
      for (const by of [-DAY_MS, DAY_MS])
        await panel.getByText(new Date(soon + by).toISOString().slice(0, 10)).waitFor()
    })
  })
)
