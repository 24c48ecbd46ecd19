import type * as Api from '../../src/model/api.generated.ts'
import t from 'tap'
import {laidOut, open, violations, withBrowser} from './browser.ts'
import {at, detail, instance, step} from './made-up-workflows.ts'
import {app, call, callDetail, FIRST_VIEW, madeUp, type MadeUp, treeNode} from './made-up.ts'

const RUNNING = instance('o-17')
const FAILED = instance('o-16', {status: 'FAILED', failure: 'no money', app: 'payments'})
const CHILD = instance('ship-17', {name: 'ship', parent: {app: 'checkout', id: 'o-17'}})

/** An order that has charged, waits for an approval, and has a child that waits for a timer; and one that has failed. */
function answer(run: MadeUp): void {
  const timelines: Readonly<Record<string, Api.WorkflowTimeline>> = {
    'o-17': {
      workflow: RUNNING,
      missing: [],
      events: [],
      steps: [
        step('start', 'order', {inputBytes: 21}),
        step('activity', 'charge', {app: 'payments', endedAt: at(4), tries: 2, outputBytes: 5000}),
        step('child', 'gift', {instance: 'removed-1', startedAt: at(3), endedAt: at(4)}),
        step('child', 'ship', {instance: 'ship-17', startedAt: at(4), endedAt: null, state: 'waits'}),
        step('event', 'approved', {startedAt: at(5), endedAt: null, state: 'waits'})
      ]
    },
    'ship-17': {
      workflow: CHILD,
      missing: [],
      events: [],
      steps: [step('timer', 'pack', {startedAt: at(5), endedAt: null, state: 'waits', until: at(3600)})]
    },
    'o-16': {
      workflow: FAILED,
      missing: [],
      events: [],
      steps: [
        step('start', 'order', {eventId: null}),
        step('activity', 'charge', {app: 'payments', state: 'failed'}),
        step('end', 'FAILED', {eventId: null, failure: 'no money'})
      ]
    }
  }
  Object.assign(run.answers, FIRST_VIEW, {
    'GET /workflows': (_: string, query: URLSearchParams) => ({
      workflows: query.getAll('status').includes('FAILED') ? [FAILED] : [RUNNING, FAILED],
      next: null
    }),
    'GET /workflow': (_: string, query: URLSearchParams) =>
      query.get('id') === 'o-16'
        ? detail(FAILED, {failureType: 'Declined', stack: 'Error: no money\n    at charge (bank.mjs:7)'})
        : detail(RUNNING),
    'GET /workflow/timeline': (_: string, query: URLSearchParams) => timelines[query.get('id') ?? ''] ?? ''
  })
}

const lineAs = (text: string): string =>
  `${JSON.stringify({time: at(1), app: 'checkout', stream: 'stdout', line: text})}\n`

t.test('workflows', async t =>
  withBrowser(t, async browser => {
    await t.test('all bars of a picture, and its scale, begin at one place', async t => {
      const run = await madeUp(t)
      answer(run)
      const {page} = await open(browser, run.url)
      await page.keyboard.press('g')
      await page.keyboard.press('w')
      await page.getByRole('grid', {name: 'Workflows', exact: true}).getByRole('link', {name: 'o-17'}).click()
      await page.getByRole('list', {name: 'Steps'}).getByText('timer pack').waitFor()
      for (const width of [1920, 1440, 1000, 768, 360]) {
        await page.setViewportSize({width, height: 900})
        const lefts = await page.evaluate<number[]>(
          "[...document.querySelectorAll('.bars li svg, .bars .scale')].map(each => Math.round(each.getBoundingClientRect().left))"
        )
        t.ok(lefts.length > 4)
        t.equal(new Set(lefts).size, 1, `${width} px: ${lefts.join()}`)
      }
    })

    await t.test('lists the instances, and shows the steps of one with those of its children', async t => {
      const run = await madeUp(t)
      answer(run)
      const {page, troubles} = await open(browser, run.url)
      await page.keyboard.press('g')
      await page.keyboard.press('w')
      const grid = page.getByRole('grid', {name: 'Workflows', exact: true})
      await grid.getByRole('row', {name: /o-16 order payments failed .* no money/}).waitFor()
      await page.getByRole('button', {name: 'failed'}).click()
      await grid.getByRole('row', {name: /o-17/}).waitFor({state: 'detached'})
      await page.getByRole('button', {name: 'failed'}).click()
      await grid.getByRole('link', {name: 'o-17'}).click()
      const panel = page.getByRole('region', {name: 'o-17'})
      await panel.getByText(/running, waits for child ship in checkout since .*; event approved/).waitFor()
      const steps = panel.getByRole('list', {name: 'Steps'})
      await steps.getByRole('listitem').filter({hasText: 'timer pack'}).waitFor()
      await laidOut(page)
      const texts = await steps.getByRole('listitem').allInnerTexts()
      t.match(
        texts.map(text => text.replaceAll(/\s+/g, ' ')),
        [
          /^start order 21 B in$/,
          /^activity charge payments 2 tries, 5.0 kB out 4.0 s$/,
          /^child gift removed-1 /,
          /^child ship ship-17 .* …$/,
          /^└ timer pack Skip .* …$/,
          /^event approved .* …$/
        ]
      )
      await panel.getByText('"<b>pen</b>"').waitFor()
      t.same(troubles, [])
    })

    await t.test('raises an event with the name that is waited for; suspends, terminates, removes', async t => {
      const run = await madeUp(t)
      answer(run)
      const bodies: string[] = []
      for (const action of ['raise', 'suspend', 'terminate', 'skip', 'rerun'])
        run.answers[`POST /workflow/${action}`] = body => {
          bodies.push(`${action} ${body}`)
          return RUNNING
        }
      run.answers['POST /workflows/purge'] = body => {
        bodies.push(`purge ${body}`)
        return {purged: [], count: 1}
      }
      const {page, troubles} = await open(browser, run.url)
      const sent = async (action: string): Promise<void> => {
        while (!bodies.some(each => each.startsWith(action))) await page.getByRole('list', {name: 'Steps'}).waitFor()
      }
      await page.goto(`${page.url().replace(/#.*/, '')}#/workflows/checkout/o-17`)
      const form = page.getByRole('form', {name: 'Raise an event'})
      await form.getByLabel('Data').fill('yes')
      await form.getByRole('button', {name: 'Raise'}).click()
      await form.getByRole('alert').getByText('This is no JSON. Put text in quotes: "yes"').waitFor()
      await form.getByLabel('Data').fill('{"by":"Ada","id":12345678901234567890}')
      await form.getByRole('button', {name: 'Raise'}).dblclick()
      await sent('raise')
      await page.getByRole('button', {name: 'Skip'}).click()
      await sent('skip')
      await page.getByRole('button', {name: 'Suspend'}).click()
      await sent('suspend')
      await page.getByRole('button', {name: 'Terminate …'}).click()
      await page.getByRole('dialog').getByRole('button', {name: 'Terminate'}).click()
      await sent('terminate')
      await page.goto(`${page.url().replace(/#.*/, '')}#/workflows/payments/o-16`)
      await page.getByRole('group', {name: 'Failure'}).getByText('at charge (bank.mjs:7)').waitFor()
      await page.getByRole('button', {name: 'Run from here'}).dblclick()
      await page.getByRole('region', {name: 'o-17'}).waitFor()
      await page.goto(`${page.url().replace(/#.*/, '')}#/workflows/payments/o-16`)
      await page.getByRole('button', {name: 'Run again'}).dblclick()
      await page.getByRole('region', {name: 'o-17'}).waitFor()
      await page.goto(`${page.url().replace(/#.*/, '')}#/workflows/payments/o-16`)
      await page.getByRole('button', {name: 'Remove …'}).click()
      await page.getByRole('dialog').getByRole('button', {name: 'Remove'}).click()
      await page.getByRole('region', {name: 'o-16'}).waitFor({state: 'detached'})
      t.same(bodies, [
        'raise {"app":"checkout","id":"o-17","event":"approved","data":{"by":"Ada","id":12345678901234567890}}',
        'skip {"app":"checkout","id":"ship-17","timer":1}',
        'suspend {"app":"checkout","id":"o-17"}',
        'terminate {"app":"checkout","id":"o-17"}',
        'rerun {"app":"payments","id":"o-16","eventId":1}',
        'rerun {"app":"payments","id":"o-16"}',
        'purge {"app":"payments","ids":["o-16"]}'
      ])
      t.same(troubles, [])
    })

    await t.test('a step leads to the calls that it made, and a call to its step', async t => {
      const run = await madeUp(t)
      answer(run)
      const [trace, span] = ['a'.repeat(32), 'b'.repeat(16)]
      const steps = [step('activity', 'charge', {app: 'checkout', endedAt: at(4), span})]
      const own = call(7, {traceparent: `00-${trace}-${span}-01`, at: at(2)})
      const asked: string[] = []
      Object.assign(run.answers, {
        'GET /workflow/timeline': {workflow: RUNNING, steps, missing: [], events: []},
        'GET /workflow': detail({...RUNNING, trace}),
        'GET /calls': (_: string, query: URLSearchParams) => {
          asked.push(query.get('q') ?? '')
          return {last: 8, calls: [call(8, {path: '/of-another'}), own]}
        },
        'GET /calls/7': callDetail(own),
        'GET /trace': {
          asked: 7,
          failedAt: null,
          nodes: [
            treeNode(own, {
              id: -1,
              kind: 'activity',
              what: 'activity charge',
              call: null,
              workflow: {app: 'checkout', id: 'o-17', eventId: steps[0]?.eventId ?? null}
            }),
            treeNode(own, {depth: 1, link: {parent: -1, reason: 'trace', chance: 1, candidates: 1}})
          ],
          lines: [],
          leftOut: 0,
          linesLeftOut: 0
        } satisfies Api.RequestTree,
        'GET /pins': {pins: [], rounds: []}
      })
      const {page, troubles} = await open(browser, run.url)
      await page.goto(`${page.url().replace(/#.*/, '')}#/workflows/checkout/o-17`)
      await page.getByRole('list', {name: 'Steps'}).getByRole('link', {name: 'activity charge'}).click()
      const detailOfStep = page.getByRole('region', {name: 'What activity charge did'})
      await detailOfStep.getByText('Its calls:').waitFor()
      // without a filter the first view asks
      t.strictSame(
        asked.filter(each => each !== ''),
        [`from:checkout since:${at(0)} until:${at(4)}`]
      )
      t.equal(await detailOfStep.getByText('/of-another').count(), 0)
      await detailOfStep.getByRole('link', {name: 'checkout → payments'}).click()
      await page.getByRole('list', {name: 'Calls of the request'}).getByRole('link').first().click()
      await detailOfStep.waitFor()
      t.same(troubles, [])
    })

    await t.test('who may only look changes nothing, sees changes at once, and how to start the first one', async t => {
      const run = await madeUp(t)
      answer(run)
      const {page} = await open(browser, run.readOnlyUrl)
      await page.goto(`${page.url().replace(/#.*/, '')}#/workflows/checkout/o-17`)
      await page.getByRole('list', {name: 'Steps'}).waitFor()
      t.equal(await page.getByRole('button', {name: 'Suspend'}).count(), 0)
      t.equal(await page.getByRole('form', {name: 'Raise an event'}).count(), 0)
      run.answers['GET /workflows'] = {workflows: [], next: null}
      await run.followed('workflow')
      run.send('workflow', {app: 'checkout', id: 'o-17', what: 'done'})
      // earlier than without an event
      await page.getByText('No workflow was started yet').waitFor({timeout: 8000})
    })

    await t.test('the lines of a step are asked again once it has ended', async t => {
      const run = await madeUp(t)
      const workflow = instance('o-17')
      const one = step('activity', 'charge', {endedAt: null, state: 'waits'})
      Object.assign(run.answers, FIRST_VIEW, {
        'GET /workflows': {workflows: [workflow], next: null},
        'GET /workflow': detail(workflow),
        'GET /workflow/timeline': {workflow, steps: [one], missing: [], events: []},
        'GET /logs': lineAs('it begins')
      })
      const {page} = await open(browser, run.url)
      await page.goto(`${page.url().replace(/#.*/, '')}#/workflows/checkout/o-17?step=1`)
      const told = page.getByRole('region', {name: 'What activity charge did'})
      await told.getByText('Lines of checkout meanwhile').click()
      await told.getByText('it begins').waitFor()
      run.answers['GET /logs'] = lineAs('it is done')
      run.answers['GET /workflow/timeline'] = {
        workflow,
        steps: [{...one, endedAt: at(4), state: 'done'}],
        missing: [],
        events: []
      }
      await run.followed('workflow')
      run.send('workflow', {app: 'checkout', id: 'o-17'}, 1001)
      await told.getByText('it begins').waitFor({state: 'detached'})
      await told.getByText('Lines of checkout meanwhile').click()
      await told.getByText('it is done').waitFor()
      t.pass('all its lines')
    })

    await t.test('while it is paused what is opened is shown, and what is changed; nothing else moves', async t => {
      const run = await madeUp(t)
      answer(run)
      run.answers['POST /workflow/suspend'] = {...RUNNING}
      const {page} = await open(browser, run.url)
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      await page.keyboard.press('p')
      await page.getByRole('button', {name: 'Resume', exact: true}).waitFor()
      const tellAll = (apps: readonly Api.App[]): void =>
        run.send('reset', {run: 'a'.repeat(32), template: {file: '/work/shop/dapr.yaml', name: ''}, faults: [], apps})
      const lists = /\/workflows\?/
      const failed = page.waitForEvent('requestfailed', request => lists.test(request.url()))
      await page.route(lists, async route => route.abort())
      await page.keyboard.press('g')
      await page.keyboard.press('w')
      await failed
      await page.unroute(lists)
      tellAll(run.apps)
      // what did not arrive is asked for again
      const ofChild = page.waitForResponse(/timeline\?.*ship-17/)
      await page.getByRole('grid', {name: 'Workflows'}).getByRole('link', {name: 'o-17'}).click()
      const panel = page.getByRole('region', {name: 'o-17'})
      await panel.getByRole('list', {name: 'Steps'}).waitFor()
      await ofChild // the last that it asks for
      run.answers['GET /workflow'] = () => detail({...RUNNING, status: 'SUSPENDED'})
      const asked = run.asked.length
      tellAll([...run.apps, app('late')])
      await page.getByText('/4 ready').waitFor()
      await page.waitForTimeout(500)
      t.strictSame(
        run.asked.slice(asked).filter(each => each.includes('workflow')),
        [],
        'nothing else moves'
      )
      await panel.getByRole('button', {name: 'Suspend'}).click()
      await panel.getByRole('button', {name: 'Resume'}).waitFor()
    })

    for (const theme of ['light', 'dark'] as const)
      await t.test(`breaks no rule of accessibility, ${theme}`, async t => {
        const run = await madeUp(t)
        answer(run)
        const {page} = await open(browser, run.url, theme)
        for (const path of ['checkout/o-17', 'payments/o-16']) {
          await page.goto(`${page.url().replace(/#.*/, '')}#/workflows/${path}`)
          await page.getByRole('list', {name: 'Steps'}).waitFor()
          t.same(await violations(page), [])
        }
      })
  })
)
