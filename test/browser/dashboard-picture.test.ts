import {statSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {drawDashboard} from '../../docs/dashboard-picture.ts'
import {drawSpans} from '../../docs/spans-picture.ts'
import {withBrowser} from './browser.ts'

t.test(
  'the first picture of the README is one of a real run, in which header, rows and card agree; that of spans, too',
  async t =>
    withBrowser(t, async browser => {
      const folder = t.testdir()
      await drawDashboard(folder, browser)
      await drawSpans(folder, browser)
      for (const name of ['dashboard-light', 'dashboard-dark', 'spans-light', 'spans-dark'])
        t.ok(statSync(join(folder, `${name}.png`)).size > 10_000, name)
    })
)
