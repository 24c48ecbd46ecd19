import t from 'tap'
import {open, violations, withBrowser} from './browser.ts'
import {REMINDER} from './made-up-timed.ts'
import {at} from './made-up-workflows.ts'
import {FIRST_VIEW, madeUp} from './made-up.ts'

const ROW = {host: 'carts', inside: '', insideMs: 0, waiting: 0, waitingMs: 0, idleMs: 1000}
const BUSY = {...ROW, id: '17', inside: 'add', insideMs: 2000, waiting: 1, waitingMs: 1500, idleMs: 0}

t.test('actors', async t =>
  withBrowser(t, async browser => {
    await t.test('lists the types, the actors of one, and one with its queue; fires a reminder', async t => {
      const run = await madeUp(t)
      const told: string[] = []
      Object.assign(run.answers, FIRST_VIEW, {
        'GET /actors': () => ({
          types: [{type: 'Cart', hosts: ['carts'], active: 2, inside: 1, waiting: 1, reminders: 1, next: at(60)}]
        }),
        'GET /actors/of': () => ({type: 'Cart', actors: [BUSY, {...ROW, id: '18'}], count: 3}),
        'GET /actor': () => ({
          ...BUSY,
          type: 'Cart',
          circle: 'Cart/17 waits for itself',
          calls: [{work: 'add', caller: 'shop', sinceMs: 2000}],
          queue: [{work: 'total', caller: 'desk', sinceMs: 1500}],
          timers: ['tick'],
          reminders: [REMINDER],
          state: [
            {key: 'items', value: '[{"what":"<b>pen</b>","count":2}]', encoding: 'utf8'},
            {key: 'token', value: '«5 bytes»', encoding: 'utf8'}
          ],
          stateProblem: ''
        }),
        'POST /reminder/run': () => {
          told.push('run')
          return {reminder: REMINDER, outcome: 'done', answer: ''}
        },
        'POST /reminder/delete': () => {
          told.push('delete')
          return {reminder: REMINDER, outcome: null, answer: ''}
        }
      })
      const {page, troubles} = await open(browser, run.url)
      await page.keyboard.press('g')
      await page.keyboard.press('o')
      const types = page.getByRole('grid', {name: 'Types of actors'})
      await types.getByRole('row', {name: /Cart carts 2 1 1 1 /}).waitFor()
      t.equal(await page.getByText('1 type', {exact: true}).count(), 1)
      t.strictSame(await violations(page), [])
      await types.getByRole('link', {name: 'Cart'}).click()
      const grid = page.getByRole('grid', {name: 'Actors of the type Cart'})
      await grid.getByRole('row', {name: /17 carts add 2(\.0+)? s 1 1\.5/}).waitFor()
      await page.getByText(/^\d+ of \d+ active$/).waitFor()
      await grid.getByRole('link', {name: '17'}).click()
      const panel = page.getByRole('region', {name: 'Cart/17'})
      await panel.getByText('total from desk since 1.5').waitFor()
      await panel.getByText('Timers: tick').waitFor()
      await panel.getByRole('heading', {name: 'State'}).waitFor()
      await panel.getByRole('group').filter({hasText: 'items'}).getByText('<b>pen</b>').waitFor()
      await panel.getByText('«5 bytes»').waitFor()
      t.match(await panel.getByRole('link', {name: 'Calls'}).getAttribute('href'), /^#\/calls\?q=actor/)
      t.strictSame(await violations(page), [])
      await panel.getByRole('button', {name: 'Fire now'}).dblclick()
      await panel.getByRole('button', {name: 'Delete …'}).click()
      await page.getByRole('button', {name: 'Delete', exact: true}).click()
      while (told.length < 2) await page.waitForTimeout(20)
      t.strictSame(told, ['run', 'delete'])
      await page.keyboard.press('Escape')
      await panel.waitFor({state: 'detached'})
      await page.keyboard.press('Escape')
      await types.waitFor()
      t.strictSame(troubles, [])
    })
  })
)
