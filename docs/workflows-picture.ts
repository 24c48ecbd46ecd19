// `node docs/workflows-picture.ts`: draws workflows-light.png and workflows-dark.png from the built page, with a run that is made up.
import type * as Api from '../src/model/api.generated.ts'
import {join} from 'node:path'
import {launch} from '../test/browser/browser.ts'
import {detail, instance, step} from '../test/browser/made-up-workflows.ts'
import {app, FIRST_VIEW, madeUp} from '../test/browser/made-up.ts'

const SIZE = {width: 1000, height: 470}
const BEGAN = Date.now() - 24_000
const after = (seconds: number): string => new Date(BEGAN + seconds * 1000).toISOString()

/** A step from one second to another; without an end it waits. */
const from = (
  began: number,
  ended: number | undefined,
  kind: Api.WorkflowStep['kind'],
  name: string,
  more: Partial<Api.WorkflowStep> = {}
): Api.WorkflowStep =>
  step(kind, name, {
    app: 'orders',
    startedAt: after(began),
    endedAt: ended === undefined ? null : after(ended),
    state: ended === undefined ? 'waits' : 'done',
    ...more
  })

const order = (id: string, more: Partial<Api.Workflow> = {}): Api.Workflow =>
  instance(id, {app: 'orders', created: after(0), lastUpdate: after(20), ...more})

const OPEN = order('o-19', {customStatus: 'waits for an approval'})
const SHIPPING = order('ship-19', {name: 'ship', parent: {app: 'orders', id: 'o-19'}})
const ROWS = [
  OPEN,
  SHIPPING,
  order('o-18', {status: 'FAILED', failure: 'bank refuses: Grace cannot pay 6'}),
  order('o-17', {status: 'COMPLETED'}),
  order('o-16', {status: 'COMPLETED'})
]
const STEPS: Readonly<Record<string, readonly Api.WorkflowStep[]>> = {
  'o-19': [
    from(0, 0, 'start', 'order', {inputBytes: 53}),
    from(0.2, 2, 'activity', 'reserve', {app: 'stock', inputBytes: 53, outputBytes: 10}),
    from(2, 9, 'activity', 'charge', {app: 'bank', tries: 3, outputBytes: 120}),
    from(9, undefined, 'child', 'ship', {instance: 'ship-19'}),
    from(9.5, undefined, 'event', 'approved', {until: after(600)})
  ],
  'ship-19': [
    from(9.2, 14, 'activity', 'pack', {app: 'stock'}),
    from(14, undefined, 'timer', 'pick-up', {until: after(3600)})
  ]
}

const teardowns: (() => void)[] = []
const run = await madeUp({teardown: close => teardowns.push(close)})
run.apps = [app('orders'), app('stock'), app('bank')]
Object.assign(run.answers, FIRST_VIEW, {
  'GET /workflows': {workflows: ROWS, next: null},
  'GET /workflow': detail(OPEN, {input: '{"customer":"Ada","item":"laptop","count":12}'}),
  'GET /workflow/timeline': (_: string, query: URLSearchParams) => {
    const id = query.get('id') ?? ''
    return {workflow: ROWS.find(row => row.id === id) ?? OPEN, missing: [], events: [], steps: STEPS[id] ?? []}
  }
})
const browser = await launch()
for (const theme of ['light', 'dark'] as const) {
  const page = await browser.newPage({viewport: SIZE, colorScheme: theme})
  await page.goto(run.url)
  await page.goto(`${page.url().replace(/#.*/, '')}#/workflows/orders/o-19`)
  await page.getByText('timer pick-up').waitFor()
  await page.screenshot({path: join(import.meta.dirname, `workflows-${theme}.png`)})
}
await browser.close()
for (const close of teardowns) close()
