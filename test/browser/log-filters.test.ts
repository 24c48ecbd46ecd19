import type * as Api from '../../src/model/api.generated.ts'
import t from 'tap'
import {open, withBrowser} from './browser.ts'
import {madeUp} from './made-up.ts'

const line = (text: string, more: Partial<Api.Line> = {}): string =>
  `${JSON.stringify({time: '2026-01-31T14:46:45.500Z', app: 'payments', stream: 'stdout', line: text, ...more})}\n`

t.test('filters of lines', async t =>
  withBrowser(t, async browser => {
    await t.test('a level and stderr are looked for in the whole run; an expression says that it is not', async t => {
      const run = await madeUp(t)
      run.answers['GET /logs'] = (_body, query) => {
        const [level, stream] = [query.get('level') ?? '', query.get('stream') ?? '']
        if (query.has('from')) return ''
        if (level === 'error') return line('Error: an hour ago', {level})
        return line(stream === 'stderr' ? 'of stderr' : 'the latest', {stream: stream === '' ? 'stdout' : 'stderr'})
      }
      const {page} = await open(browser, run.url)
      await page.getByRole('link', {name: 'Logs'}).click()
      const log = page.getByRole('log')
      await log.getByText('the latest').waitFor()
      await page.getByLabel('Level').selectOption('Errors')
      await log.getByText('Error: an hour ago').waitFor()
      await page.getByLabel('Level').selectOption('All levels')
      await page.getByRole('button', {name: 'stderr only'}).click()
      await log.getByText('of stderr').waitFor()
      await page.getByRole('button', {name: 'stderr only'}).click()
      await page.getByRole('searchbox').fill('/order \\d+/')
      await page.getByText('No loaded line matches.').waitFor()
    })
  })
)
