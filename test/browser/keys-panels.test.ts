/** What runs later, by keyboard alone: workflows, actors and jobs, their panels and all that these can do. */
import type {Page} from 'playwright-core'
import t, {type Test} from 'tap'
import {open, violations, withBrowser} from './browser.ts'
import {active, focused, focusIsBack, press, tabTo} from './keyboard.ts'
import {job, REMINDER} from './made-up-timed.ts'
import {at, detail, instance, step} from './made-up-workflows.ts'
import {FIRST_VIEW, madeUp, type MadeUp, type Said} from './made-up.ts'

const ORDER = instance('o-17')
const FAILED = instance('o-16', {status: 'FAILED', failure: 'no money', app: 'payments'})
const CART = {host: 'carts', id: '17', inside: '', insideMs: 0, waiting: 0, waitingMs: 0, idleMs: 1000}
const JOB = job('report')

/** A run with one of each, and what it was told to do. */
function fill(run: MadeUp): readonly string[] {
  const told: string[] = []
  const tells = (what: string, answer: Said): void => {
    run.answers[`POST /${what}`] = body => {
      told.push(`${what} ${body}`)
      return answer
    }
  }
  Object.assign(run.answers, FIRST_VIEW, {
    'GET /workflows': {workflows: [ORDER, FAILED], next: null},
    'GET /workflow': (_: string, query: URLSearchParams) => detail(query.get('id') === 'o-16' ? FAILED : ORDER),
    'GET /workflow/timeline': (_: string, query: URLSearchParams) =>
      query.get('id') === 'o-16'
        ? {
            workflow: FAILED,
            missing: [],
            events: [],
            steps: [step('activity', 'charge', {app: 'payments', state: 'failed'})]
          }
        : {
            workflow: ORDER,
            missing: [],
            events: [],
            steps: [
              step('timer', 'pack', {endedAt: null, state: 'waits', until: at(3600)}),
              step('event', 'approved', {eventId: 2, endedAt: null, state: 'waits'})
            ]
          },
    'GET /actors': {
      types: [{type: 'Cart', hosts: ['carts'], active: 1, inside: 0, waiting: 0, reminders: 1, next: at(60)}]
    },
    'GET /actors/of': {type: 'Cart', actors: [CART], count: 1},
    'GET /actor': {
      ...CART,
      type: 'Cart',
      circle: '',
      calls: [],
      queue: [],
      timers: [],
      reminders: [REMINDER],
      state: [],
      stateProblem: ''
    },
    'GET /jobs': {now: at(20), jobs: [JOB], next: null},
    'GET /job': {...JOB, now: at(20), data: '{"kind":"daily"}', failurePolicy: 'drop'}
  })
  for (const action of ['raise', 'suspend', 'terminate', 'skip']) tells(`workflow/${action}`, ORDER)
  tells('workflow/rerun', ORDER)
  tells('workflows/purge', {purged: [], count: 1})
  for (const action of ['run', 'delete']) tells(`reminder/${action}`, {reminder: REMINDER, outcome: 'done', answer: ''})
  for (const action of ['run', 'pause', 'delete']) tells(`job/${action}`, {job: JOB, outcome: null})
  return told
}

interface Walk {
  readonly page: Page
  /** What the run was told to do, in order. */
  readonly told: readonly string[]
  /** Tabs to a button and presses Enter, until the run was told that. */
  readonly does: (button: RegExp, action: string) => Promise<void>
  /** The same where the page asks first: the button that goes on has the focus. */
  readonly confirms: (button: RegExp, yes: string, action: string) => Promise<void>
}

async function walk(t: Test, page: Page, told: readonly string[]): Promise<Walk> {
  const isTold = async (action: string): Promise<void> => {
    while (!told.some(each => each.startsWith(action))) await page.waitForTimeout(10)
  }
  const reach = async (button: RegExp): Promise<void> => void t.ok(await tabTo(page, button), String(button))
  return {
    page,
    told,
    does: async (button, action) => {
      await reach(button)
      await press(page, 'Enter')
      await isTold(action)
    },
    confirms: async (button, yes, action) => {
      await reach(button)
      await press(page, 'Enter')
      await page.getByRole('dialog').waitFor()
      t.equal(await focused(page), yes, 'the dialog has the focus')
      t.same(await violations(page), [])
      await press(page, 'Escape')
      await page.getByRole('dialog').waitFor({state: 'hidden'})
      t.match(await focused(page), button, 'Esc does nothing, and goes back to the button')
      t.notOk(told.some(each => each.startsWith(action)))
      await press(page, 'Enter')
      await page.getByRole('dialog').waitFor()
      await press(page, 'Enter')
      await isTold(action)
    }
  }
}

/** Keys go on at the row that was open. */
async function isBackAt(t: Test, page: Page, row: RegExp): Promise<void> {
  await focusIsBack(page)
  await press(page, 'j')
  t.match(await active(page), row)
}

t.test('by keyboard alone', async t =>
  withBrowser(t, async browser => {
    const begin = async (key: string): Promise<Walk & {readonly troubles: readonly string[]}> => {
      const run = await madeUp(t)
      const told = fill(run)
      const {page, troubles} = await open(browser, run.url, 'light', {width: 1440, height: 800})
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      await press(page, 'g', key)
      return {...(await walk(t, page, told)), troubles}
    }

    await t.test('a workflow: an event with data, a skipped timer, its end; a failed one runs again', async t => {
      const {page, told, does, confirms, troubles} = await begin('w')
      await page.getByRole('grid', {name: 'Workflows', exact: true}).waitFor()
      await press(page, '/')
      await page.keyboard.type('order')
      await press(page, 'Enter')
      await focusIsBack(page)
      await press(page, 'Enter')
      await page.getByRole('region', {name: 'o-17'}).waitFor()
      await page.getByRole('list', {name: 'Steps'}).waitFor()
      await does(/^Suspend/, 'workflow/suspend')
      await confirms(/^Terminate …/, 'Terminate', 'workflow/terminate')
      t.ok(await tabTo(page, /^Data/))
      await page.keyboard.type('{"by":"Ada"}')
      await press(page, 'Enter')
      await does(/^Skip/, 'workflow/skip')
      await press(page, 'Escape')
      await page.getByRole('region', {name: 'o-17'}).waitFor({state: 'detached'})
      await isBackAt(t, page, /o-17/)
      await press(page, 'j', 'Enter')
      await page.getByRole('region', {name: 'o-16'}).waitFor()
      await does(/^Run from here/, 'workflow/rerun')
      await page.getByRole('region', {name: 'o-17'}).waitFor()
      await press(page, 'Escape')
      await isBackAt(t, page, /o-17/)
      await press(page, 'j', 'Enter')
      await confirms(/^Remove …/, 'Remove', 'workflows/purge')
      await page.getByRole('region', {name: 'o-16'}).waitFor({state: 'detached'})
      await isBackAt(t, page, /o-16/)
      t.match(page.url(), /#\/workflows\?name=order$/, 'the filter was kept all the time')
      t.ok(told.includes('workflow/raise {"app":"checkout","id":"o-17","event":"approved","data":{"by":"Ada"}}'))
      t.same(troubles, [])
    })

    await t.test('an actor: its type, itself, a reminder that fires and goes, and both ways back', async t => {
      const {page, does, confirms, troubles} = await begin('o')
      await page.getByRole('grid', {name: 'Types of actors'}).waitFor()
      await press(page, 'j', 'Enter')
      await page.getByRole('grid', {name: 'Actors of the type Cart'}).waitFor()
      await press(page, 'j', 'Enter')
      await page.getByRole('region', {name: 'Cart/17'}).waitFor()
      await does(/^Fire now/, 'reminder/run')
      await confirms(/^Delete …/, 'Delete', 'reminder/delete')
      await press(page, 'Escape')
      await page.getByRole('region', {name: 'Cart/17'}).waitFor({state: 'detached'})
      await isBackAt(t, page, /^17/)
      await press(page, 'Escape')
      await page.getByRole('grid', {name: 'Types of actors'}).waitFor()
      await press(page, 'j')
      t.match(await active(page), /^Cart/)
      t.same(troubles, [])
    })

    await t.test('a job: it runs, pauses and goes', async t => {
      const {page, does, confirms, troubles} = await begin('j')
      await page.getByRole('grid', {name: 'Jobs', exact: true}).waitFor()
      await press(page, 'j', 'Enter')
      await page.getByRole('region', {name: 'report'}).waitFor()
      await does(/^Run now/, 'job/run')
      await does(/^Pause/, 'job/pause')
      await press(page, 'Escape')
      await page.getByRole('region', {name: 'report'}).waitFor({state: 'detached'})
      await isBackAt(t, page, /^report/)
      await press(page, 'Enter')
      await page.getByRole('region', {name: 'report'}).waitFor()
      await confirms(/^Delete …/, 'Delete', 'job/delete')
      await page.getByRole('region', {name: 'report'}).waitFor({state: 'detached'})
      await isBackAt(t, page, /^report/)
      t.same(troubles, [])
    })
  })
)
